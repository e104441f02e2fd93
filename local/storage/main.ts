import { once } from "node:events";
import { endWithParent, fail } from "../program.ts";
import { linesOf } from "./lines.ts";
import { type Answer, lineOf, type Question } from "./message.ts";
import { refusal, StorageRulesRuntime } from "./runtime.ts";

/**
 * The program that stands in for Google's Storage rules runtime, with the same command line; the Storage emulator itself is part of the
 * CLI, which talks to it over standard input and output:
 *
 *     node local/storage/main.ts serve
 */
if (process.argv[2] !== "serve") fail("usage: main.ts serve");

endWithParent({ close: () => Promise.resolve() });
// Whoever does not listen any more is gone.
process.stdout.on("error", () => process.exit(0));
const runtime = new StorageRulesRuntime();
await send({ id: -1, status: "ok", errors: [], warnings: [] });
for await (const line of linesOf(process.stdin.setEncoding("utf8"))) {
  await send(line === undefined ? refusal(undefined, "A line is too long.") : runtime.answer(line));
}

async function send(message: Answer | Question): Promise<void> {
  if (!process.stdout.write(lineOf(message))) await once(process.stdout, "drain");
}
