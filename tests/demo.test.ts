import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { root } from "../scripts/suite.ts";

interface Run {
  readonly child: ChildProcess;
  readonly status: Promise<number | null>;
  output: string;
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, [join(root, "scripts/start.ts"), ...args], { cwd: root });
  const run: Run = { child, output: "", status: new Promise((resolve) => child.once("exit", resolve)) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      run.output += chunk;
    });
  }
  return run;
}

test("npm run demo brings everything up, plays, says what happened and what it cost, and ends well", {
  timeout: 120_000,
}, async () => {
  const run = start("--once");
  expect(await run.status, run.output).toBe(0);
  const { output } = run;
  const line = (what: string) => output.split("\n").find((text) => text.includes(what)) ?? "";
  expect(line("Ada buys the starter pack")).toMatch(
    /granted: coins 1000 COIN, items 1 iron_sword, entitlements no_ads +\d +9$/,
  );
  expect(line("…and the webhook comes once more")).toMatch(/duplicate, earlier granted +1 +0$/);
  expect(line("Cy gets the money back")).toContain("refunded");
  expect(line("…and the app does not wait")).toContain("coins_500 granted");
  expect(line("…then the webhook comes")).toContain("already-granted");
  expect(line("Ada buys what nobody has defined")).toContain("kept; waiting");
  expect(line("…an operator defines it")).toContain("tried again and granted");
  expect(line("…pays there, and Stripe's webhooks come")).toContain("coin_chest granted");
  expect(line("Dee buys a sword with coins")).toContain("paid 300 COIN");
  expect(line("An operator gives half of the money back")).toContain("succeeded");
  expect(line("Dee: api/ledger/statement")).toContain("from 0 to 200 COIN");
  expect(line("Ada: api/ledger/wallet")).toContain("1000 COIN, 25 GEM");
  expect(line("Bo: api/ledger/wallet")).toContain("4000 COIN");
  expect(line("Cy: api/ledger/wallet")).toContain("500 COIN");
  expect(line("Ada: api/rewards/inventory")).toContain("3 golden_key, 1 iron_sword");
  expect(line("1. Cy")).toContain("5600");
});

test("npm start stays up, so that the example plays against it, until Ctrl-C", { timeout: 120_000 }, async () => {
  const run = start();
  await vi.waitFor(() => expect(run.output).toContain("stays up until Ctrl-C"), { timeout: 90_000, interval: 200 });
  const played = execFileSync(process.execPath, [join(root, "examples/player.mjs")], { encoding: "utf8" });
  expect(played.split("\n")).toEqual([
    "Today 5700, a new best; of all time 5700.",
    "Rank 1 of 3.",
    "  1. Ada 5700",
    "  2. Cy 5600",
    "  3. Bo 5000",
    "Wallet: 1000 COIN, 25 GEM.",
    'Refused: functions/invalid-argument, because of score-out-of-bounds in "score".',
    "",
  ]);
  run.child.kill("SIGINT");
  expect(await run.status, run.output).toBe(0);
});
