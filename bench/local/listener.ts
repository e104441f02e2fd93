/**
 * A crowd in a process of its own: `node listener.ts PORT PATH CROWD`. Tells its parent, each time that all of it has heard, when each of it
 * did. Ends with its parent.
 */
import { listenOfficially, now } from "./crowd.ts";

const [port = "", path = "", crowd = ""] = process.argv.slice(2);
let times: number[] = [];
listenOfficially(Number(port), path, Number(crowd), () => {
  times.push(now());
  if (times.length < Number(crowd)) return;
  process.send?.(times);
  times = [];
});
process.once("disconnect", () => process.exit());
