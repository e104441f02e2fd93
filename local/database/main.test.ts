import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { complaintOf, down, exit, up, usePrograms } from "../harness.ts";
import { freePort } from "../ports.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const start = usePrograms();

test("takes the arguments that the CLI gives Google's program, and ends cleanly on SIGINT with clients on it", async () => {
  const port = await freePort();
  const args = ["--host", "127.0.0.1", "--port", String(port), "--single_project_mode", "Warning"];
  const child = start([main, ...args, "--functions_emulator_host", "127.0.0.1", "--functions_emulator_port", "5001"]);
  await up(port);
  const following = await fetch(`http://127.0.0.1:${port}/a.json?ns=demo`, {
    headers: { accept: "text/event-stream" },
  });
  expect(following.status).toBe(200);
  child.kill("SIGINT");
  expect(await exit(child)).toBe(0);
  await following.body?.cancel().catch(() => {});
});

test("says so and fails when its port is taken", async () => {
  const port = await freePort();
  start([main, "--port", String(port)]);
  await up(port);
  const second = start([main, "--port", String(port)]);
  const complaint = complaintOf(second);
  expect(await exit(second)).toBe(1);
  expect(await complaint).toContain("address already in use");
});

test("does not outlive a parent that was killed", async () => {
  const port = await freePort();
  const parent = start([
    "--eval",
    `require("node:child_process").spawn(process.execPath, [${JSON.stringify(main)}, "--port", "${port}"]); setInterval(() => {}, 1000)`,
  ]);
  await up(port);
  parent.kill("SIGKILL");
  await down(port);
});
