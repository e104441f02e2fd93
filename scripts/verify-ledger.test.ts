import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { post } from "../functions/src/ledger/index.ts";
import { firestore } from "../functions/src/platform/firestore.ts";
import { someone, useBackend } from "../functions/testing/backend.ts";
import { root } from "./suite.ts";

useBackend();
/** Each run is a process of its own. */
const TIMEOUT = 60_000;

/** Runs the script on the Firestore of this test, as `npm run verify-ledger` does. */
function run(
  args: readonly string[],
  settings: Record<string, string> = {},
): Promise<{ status: number | null; text: string }> {
  const child = spawn(process.execPath, [join(root, "scripts/verify-ledger.ts"), ...args], {
    env: { ...process.env, GOOGLE_CLOUD_PROJECT: "demo-modules", ...settings },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, text })));
}

test("says what users have, what does not fit, and by its status whether anything does not", {
  timeout: TIMEOUT,
}, async () => {
  const ada = someone().uid;
  const postings = [{ from: "system:mint", to: ada, amount: 123_456, currency: "USD" }];
  await post({ key: ada, kind: "grant", postings, reference: "test" });
  const fits = await run([]);
  expect(fits).toMatchObject({ status: 0, text: expect.stringContaining("Everything fits.") });
  expect(fits.text).toContain("1,234.56");
  await firestore().doc(`accounts/${ada}:USD`).update({ available: 1 });
  const misfit = await run([]);
  expect(misfit).toMatchObject({ status: 1, text: expect.stringContaining(`accounts/${ada}:USD`) });
  const { status, text } = await run(["--scope", "since-heads", "--json"]);
  expect(status).toBe(1);
  expect(JSON.parse(text)).toMatchObject({
    project: "demo-modules",
    scope: "since-heads",
    accounts: 1,
    problems: [{ document: `accounts/${ada}:USD`, what: "it does not say what its transactions have made of it" }],
  });
});

test("ends with status 2 if it could not find out", { timeout: TIMEOUT }, async () => {
  expect(await run(["--scope", "nothing"])).toMatchObject({ status: 2, text: expect.stringContaining("usage:") });
  const unreachable = { FIRESTORE_EMULATOR_HOST: "", LEDGER_KEYS: "" };
  expect(await run([], unreachable)).toMatchObject({
    status: 2,
    text: expect.stringContaining("LEDGER_KEYS is not set"),
  });
  expect(await run([], { LEDGER_KEYS: "nonsense" })).toMatchObject({
    status: 2,
    text: expect.stringContaining("LEDGER_KEYS"),
  });
});
