import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";

/** Keeps all that it makes, as an instance does whose first requests wait for something. */
const KEEPER = `
const kept = [];
const make = (i) => [i, { i }];
for (let i = 0; i < 2_000_000; i++) kept.push(make(i));
`;
/** That V8 has found places whose objects it will make old at once. */
const DECIDED = /tenured=[1-9]/;
/** Whether it gets to deciding depends on when it comes to collect garbage: four times in five. */
const RUNS = 8;

/** What V8 has decided in each run. */
function decisionsOf(code: string): string[] {
  const args = ["--trace-pretenuring-statistics", "--input-type=module", "--eval", code];
  return Array.from({ length: RUNS }, () =>
    execFileSync(process.execPath, args, { encoding: "utf8" }).replaceAll("not_tenured", ""),
  );
}

describe("where much has been kept, V8 decides that all will be", () => {
  test("by itself", { timeout: 60_000 }, () => {
    expect(decisionsOf(KEEPER)).toContainEqual(expect.stringMatching(DECIDED));
  });

  test("but not once it was told not to, while it ran", { timeout: 60_000 }, () => {
    const file = new URL("pretenuring.ts", import.meta.url).href;
    const told = `import { withoutPretenuring } from ${JSON.stringify(file)}; withoutPretenuring();`;
    expect(decisionsOf(told + KEEPER)).not.toContainEqual(expect.stringMatching(DECIDED));
  });
});
