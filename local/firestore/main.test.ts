import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { complaintOf, down, exit, up, usePrograms } from "../harness.ts";
import { freePort } from "../ports.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const start = usePrograms();

test("takes the arguments that the CLI gives Google's program, and ends cleanly on SIGINT", async () => {
  const port = await freePort();
  const args = ["--host", "127.0.0.1", "--port", String(port), "--websocket_port", "9150", "--project_id", "demo-test"];
  const child = start([main, ...args, "--database-edition", "standard", "--single_project_mode", "true"]);
  await up(port);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("Ok\n");
  child.kill("SIGINT");
  expect(await exit(child)).toBe(0);
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

test("says where the rules are wrong and fails", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rules-"));
  const rules = join(folder, "firestore.rules");
  await writeFile(rules, "rules_version = '2';\nservice cloud.firestore { match }");
  const child = start([main, "--port", String(await freePort()), "--project_id", "demo-test", "--rules", rules]);
  const complaint = complaintOf(child);
  expect(await exit(child)).toBe(1);
  expect(await complaint).toContain("firestore.rules");
  expect(await complaint).toMatch(/2:\d+|L2/);
  await rm(folder, { recursive: true });
});

test("refuses queries without an index of the file that it is given", async () => {
  const folder = await mkdtemp(join(tmpdir(), "indexes-"));
  const indexes = join(folder, "firestore.indexes.json");
  const fieldOverrides = [{ collectionGroup: "notes", fieldPath: "text", indexes: [] }];
  await writeFile(indexes, JSON.stringify({ indexes: [], fieldOverrides }));
  const port = await freePort();
  start([main, "--port", String(port), "--project_id", "demo-test", "--indexes", indexes]);
  await up(port);
  const list = async (path: string) => {
    const documents = `http://127.0.0.1:${port}/v1/projects/demo-test/databases/(default)/documents`;
    return (await fetch(`${documents}/${path}`, { headers: { authorization: "Bearer owner" } })).json();
  };
  expect(await list("notes?orderBy=text")).toMatchObject({ error: { status: "FAILED_PRECONDITION" } });
  expect(await list("notes?orderBy=title")).toEqual({});
  await rm(folder, { recursive: true });
});

test("gives a named database its own rules and indexes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "named-"));
  const [rules, indexes] = [join(folder, "orders.rules"), join(folder, "orders.indexes.json")];
  await writeFile(rules, "rules_version = '2'; service cloud.firestore {}");
  const fieldOverrides = [{ collectionGroup: "notes", fieldPath: "text", indexes: [] }];
  await writeFile(indexes, JSON.stringify({ fieldOverrides }));
  const port = await freePort();
  const own = ["--rules", `orders=${rules}`, "--indexes", `orders=${indexes}`];
  start([main, "--port", String(port), "--project_id", "demo-test", ...own]);
  await up(port);
  const list = async (database: string, headers = {}) => {
    const documents = `http://127.0.0.1:${port}/v1/projects/demo-test/databases/${database}/documents`;
    return (await fetch(`${documents}/notes?orderBy=text`, { headers })).status;
  };
  expect([await list("orders"), await list("(default)")]).toEqual([403, 200]);
  const authorization = "Bearer owner";
  expect([await list("orders", { authorization }), await list("(default)", { authorization })]).toEqual([400, 200]);
  await rm(folder, { recursive: true });
});

test("says where a file of indexes is wrong and fails", async () => {
  const folder = await mkdtemp(join(tmpdir(), "indexes-"));
  const indexes = join(folder, "firestore.indexes.json");
  await writeFile(indexes, JSON.stringify({ indexes: [{ collectionGroup: "notes" }] }));
  const child = start([main, "--port", "0", "--project_id", "demo-test", "--indexes", indexes]);
  const complaint = complaintOf(child);
  expect(await exit(child)).toBe(1);
  expect(await complaint).toContain("firestore.indexes.json");
  expect(await complaint).toContain("indexes[0].fields");
  await rm(folder, { recursive: true });
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
