import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { billLine, type Watch, watchSuite } from "./watch.ts";

let server: Server | undefined;
let watch: Watch | undefined;

afterEach(() => {
  void watch?.stop();
  server?.closeAllConnections();
  server?.close();
});

/** A look inside that tells these events, and has a bill if it is not going down. */
async function startTelling(
  events: readonly (readonly [name: string, data: unknown])[],
  bill?: object,
): Promise<string> {
  server = createServer((request, response) => {
    if (request.url === "/bill") return void response.writeHead(bill ? 200 : 502).end(JSON.stringify(bill));
    response.writeHead(200, { "content-type": "text/event-stream" });
    const text = events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join("");
    // Cut in the middle of an event, as networks do.
    response.write(text.slice(0, 20));
    setTimeout(() => response.write(text.slice(20)), 20);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const DENIED = {
  service: "firestore",
  method: "GetDocument",
  subject: "users/ada",
  by: "user",
  user: "bo",
  rule: `false for 'get' @ L6\nL6: request.auth.uid == owner, where request.auth.uid is "bo" and owner is "ada"`,
};
const FAILED = { name: "us-central1-api", trigger: "callable", path: "POST /buy", status: 500, millis: 12.4 };
const BILL = {
  reads: 8,
  writes: 7,
  deletes: 0,
  database: { bytesDown: 1_250 },
  functions: { calls: 3, failed: 1 },
  cost: 0.0000088,
  prices: { place: "us-central1" },
};

test("a line is printed for each denied request, with why, and for each function that failed", async () => {
  const lines: string[] = [];
  const url = await startTelling([
    ["requests", [DENIED]],
    ["functions", [FAILED]],
  ]);
  watch = watchSuite(url, (line) => lines.push(line));
  await vi.waitFor(() => expect(lines).toHaveLength(2));
  expect(lines).toEqual([
    `denied   GetDocument users/ada by bo: L6: request.auth.uid == owner, where request.auth.uid is "bo" and owner is "ada"`,
    "failed   us-central1-api (POST /buy): 500 after 12 ms; its output is in the log",
  ]);
});

test("the bill in the end is the last that was told where nobody answers any more, and otherwise that of the moment", async () => {
  const later = { ...BILL, reads: 9 };
  for (const [answered, reads] of [
    [undefined, 8],
    [later, 9],
  ] as const) {
    const url = await startTelling(
      [
        ["requests", [DENIED]],
        ["bill", BILL],
        ["requests", [DENIED]],
      ],
      answered,
    );
    const lines: string[] = [];
    watch = watchSuite(url, (line) => lines.push(line));
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    const bill = await watch.stop();
    expect(bill && billLine(bill)).toBe(
      `${reads} reads, 7 writes, 0 deletes, 1.3 KB from the Realtime Database, 3 calls of functions (1 failed); $0.0000088 for the databases at the prices of us-central1`,
    );
    server?.closeAllConnections();
    server?.close();
  }
});

test("no more lines are printed than somebody can read, and it is said how many were left out", async () => {
  const lines: string[] = [];
  watch = watchSuite(await startTelling([["requests", Array.from({ length: 100 }, () => DENIED)]]), (line) =>
    lines.push(line),
  );
  await vi.waitFor(() => expect(lines).toHaveLength(6), { timeout: 5_000 });
  expect(lines.at(-1)).toContain("and 95 more");
});

test("it is said when nothing is told any more", async () => {
  const lines: string[] = [];
  watch = watchSuite("http://127.0.0.1:1", (line) => lines.push(line));
  await vi.waitFor(() => expect(lines.join()).toContain("not told any more"));
});
