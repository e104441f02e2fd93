import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { filesOf, startDamaged, startOnSmallDisk, temporary } from "../../durability/harness.ts";
import { complaintOf, up } from "../../harness.ts";
import { freePort } from "../../ports.ts";
import { startDatabase } from "../server.ts";

interface Life {
  readonly port: number;
  readonly reports: string[];
  put(path: string, value: unknown, namespace?: string): Promise<unknown>;
  get(path: string, namespace?: string): Promise<unknown>;
  end(): Promise<void>;
}

/** A server on a directory, until the test ends or before. */
async function live(directory: string, rollBytes?: number): Promise<Life> {
  const reports: string[] = [];
  const data = rollBytes === undefined ? { directory } : { directory, rollBytes };
  const server = await startDatabase({ data, report: (message) => reports.push(message) });
  let hasEnded = false;
  const end = async () => {
    if (hasEnded) return;
    hasEnded = true;
    await server.close();
  };
  onTestFinished(end);
  return { port: server.port, reports, end, ...callsTo(server.port) };
}

function callsTo(port: number): Pick<Life, "put" | "get"> {
  const call = async (method: string, path: string, namespace: string, body?: string) => {
    const url = `http://127.0.0.1:${port}/${path}.json?ns=${namespace}&format=export`;
    return await (await fetch(url, { method, ...(body === undefined ? {} : { body }) })).json();
  };
  return {
    put: (path, value, namespace = "one") => call("PUT", path, namespace, JSON.stringify(value)),
    get: (path, namespace = "one") => call("GET", path, namespace),
  };
}

test("a server that is started again has every database, with values and priorities", async () => {
  const directory = temporary();
  const first = await live(directory);
  const all = { a: { ".value": 1, ".priority": "p" }, b: { c: [true, "é", 1.5], ".priority": 2 } };
  await first.put("all", all);
  await first.put("gone", { x: 1 });
  await first.put("gone", null);
  await first.put("at", { ".sv": "timestamp" });
  await first.put("", { in: "two" }, "two");
  const before = [await first.get(""), await first.get("", "two")];
  await first.end();

  const second = await live(directory);
  expect([await second.get(""), await second.get("", "two")]).toEqual(before);
  expect(second.reports).toEqual([]);
});

test("and also when snapshots were made while it was written to", async () => {
  const directory = temporary();
  const first = await live(directory, 1_000);
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => first.put(`numbers/${i}`, { round, i, ".priority": round })),
    );
  }
  const before = await first.get("");
  await first.end();
  expect(filesOf(directory).some((name) => name.startsWith("snapshot-"))).toBe(true);
  expect(await (await live(directory)).get("")).toEqual(before);
});

test("an event stream hears of what is written", async () => {
  const { port, put } = await live(temporary());
  const stream = await fetch(`http://127.0.0.1:${port}/a.json?ns=one`, { headers: { accept: "text/event-stream" } });
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  let heard = "";
  await put("a", { n: 7 });
  while (!heard.includes('{"n":7}')) heard += Buffer.from((await reader.read()).value ?? []).toString();
  await reader.cancel();
});

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

test.skipIf(process.platform === "win32")(
  "a disk that takes no more: the write is refused, so is all from then on, and what was acknowledged is there",
  async () => {
    const directory = temporary();
    const port = await freePort();
    const child = startOnSmallDisk(main, { port, directory });
    const complaint = complaintOf(child);
    await up(port);
    const { put, get } = callsTo(port);
    const text = "x".repeat(5_000);
    let acknowledged = 0;
    let answer = await put("a/0", text);
    while (answer === text && acknowledged < 100) answer = await put(`a/${++acknowledged}`, text);
    const refused = { error: expect.stringMatching(/The data can no longer be kept in .*EFBIG/) };
    expect(acknowledged).toBeGreaterThan(5);
    expect(answer).toEqual(refused);
    expect(await put("small", 1)).toEqual(refused);
    expect(await get("a/0")).toEqual(refused);
    child.kill("SIGINT");
    expect(await complaint).toContain("The data can no longer be kept");

    const again = await live(directory);
    expect(Object.keys((await again.get("a")) as object).length).toBe(acknowledged);
    expect(again.reports).toEqual([]);
  },
);

test("data that is damaged ends the program with a complaint that names the place", async () => {
  const directory = temporary();
  const first = await live(directory);
  await first.put("a", "x".repeat(100));
  await first.put("b", 1);
  await first.end();
  const { code, complaint } = await startDamaged(main, { directory, at: "xxxx" });
  expect(code).toBe(1);
  expect(complaint).toMatch(
    /log-000001 is damaged at byte \d+: the record there is not whole, and others lie behind it/,
  );
});
