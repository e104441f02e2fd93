import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Actions } from "../functions/src/platform/endpoint.ts";
import { breakages, type JsonSchema } from "./schema.ts";
import { root } from "./suite.ts";

/**
 * Compares what the actions take and give, and the reasons of their failures, with what was recorded in docs/contracts.json, and
 * fails if an app that was written against the record would break. What only grew is to be recorded too, with `npm run contracts`.
 */
const FILE = join(root, "docs/contracts.json");

interface Contract {
  readonly input: JsonSchema;
  readonly output: JsonSchema;
}

interface Contracts {
  /** By path. */
  readonly actions: Readonly<Record<string, Contract>>;
  /** What each reason of a failure means. */
  readonly failures: Readonly<Record<string, string>>;
}

const current = await contracts();
if (process.argv.includes("--record")) {
  writeFileSync(FILE, `${JSON.stringify(current, undefined, 2)}\n`);
  console.log(`Recorded ${Object.keys(current.actions).length} actions in docs/contracts.json.`);
} else {
  const recorded = JSON.parse(readFileSync(FILE, "utf8")) as Contracts;
  const broken = compare(recorded, current);
  for (const line of broken) console.log(line);
  const isStale = JSON.stringify(recorded) !== JSON.stringify(current);
  if (broken.length === 0 && isStale) console.log("The contracts have grown: record them with `npm run contracts`.");
  process.exitCode = isStale ? 1 : 0;
}

/** The contract of every action that is deployed, as JSON Schema, and of every failure. */
async function contracts(): Promise<Contracts> {
  const { services } = await import("../functions/src/services.ts");
  const { REASONS } = await import("../functions/src/platform/failure.ts");
  const found: Record<string, Contract> = {};
  for (const [service, modules] of Object.entries(services)) {
    for (const [module, load] of Object.entries(modules)) {
      const actions: Actions = await load();
      for (const [name, { input, output }] of Object.entries(actions)) {
        found[`${service}/${module}/${name}`] = {
          input: z.toJSONSchema(input, { io: "input" }) as JsonSchema,
          output: z.toJSONSchema(output, { io: "output" }) as JsonSchema,
        };
      }
    }
  }
  const actions = Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1));
  return { actions: Object.fromEntries(actions), failures: REASONS };
}

function compare(recorded: Contracts, current: Contracts): string[] {
  const actions = Object.entries(recorded.actions).flatMap(([action, before]) => {
    const after = current.actions[action];
    if (!after) return [`${action}: the action is gone`];
    return [
      ...breakages(before.input, after.input, "sends").map((line) => `${action}: input ${line}`),
      ...breakages(before.output, after.output, "gets").map((line) => `${action}: output ${line}`),
    ];
  });
  const failures = Object.keys(recorded.failures).filter((reason) => !Object.hasOwn(current.failures, reason));
  return [...actions, ...failures.map((reason) => `${reason}: the reason of a failure is gone`)];
}
