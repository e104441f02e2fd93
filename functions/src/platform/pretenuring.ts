import { setFlagsFromString } from "node:v8";

/**
 * V8 makes objects old at once that come from where others have lived long, and while an instance starts its first requests do: they wait for
 * modules to load. From then on some of each request is old from the beginning, dead a moment later, and keeps the young ones that it points to
 * until the next full collection: twice the memory, and a third more CPU for a call that is answered out of memory.
 * Source: https://v8.dev/blog/trash-talk, and docs/decisions.md for what was measured
 */
export function withoutPretenuring(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
