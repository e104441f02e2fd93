import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../scripts/suite.ts";

test("npm run demo brings everything up, plays, says what happened and what it cost, and ends well", {
  timeout: 120_000,
}, async () => {
  const child = spawn(process.execPath, [join(root, "scripts/start.ts"), "--once"], { cwd: root });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const status = await new Promise((resolve) => child.once("exit", resolve));
  expect(status, output).toBe(0);
  const line = (what: string) => output.split("\n").find((text) => text.includes(what)) ?? "";
  expect(line("Ada buys the starter pack")).toMatch(
    /granted: coins 1000 COIN, items 1 iron_sword, entitlements no_ads +\d +6$/,
  );
  expect(line("…and the webhook comes once more")).toMatch(/duplicate, nothing done +1 +0$/);
  expect(line("Cy gets the money back")).toContain("refunded");
  expect(line("…and the app does not wait")).toContain("coins_500 granted");
  expect(line("…then the webhook comes")).toContain("already-granted");
  expect(line("Ada buys what nobody has defined")).toContain("kept; waiting");
  expect(line("…an operator defines it")).toContain("tried again and granted");
  expect(line("Ada: api/ledger/wallet")).toContain("1000 COIN, 25 GEM");
  expect(line("Bo: api/ledger/wallet")).toContain("4000 COIN");
  expect(line("Cy: api/ledger/wallet")).toContain("500 COIN");
  expect(line("Ada: api/store/inventory")).toContain("3 golden_key, 1 iron_sword");
  expect(line("1. Cy")).toContain("5600");
});
