import { verify } from "../../functions/src/ledger/verify.ts";

/** Verifies the books of the environment, and prints as JSON how long it took and how much memory at most. */
const began = performance.now();
const { problems } = await verify({ scope: "all" });
const seconds = Math.round((performance.now() - began) / 100) / 10;
const megabytes = Math.round(process.resourceUsage().maxRSS / 1_024);
console.log(JSON.stringify({ seconds, megabytes, problems: problems.length }));
process.exit(0);
