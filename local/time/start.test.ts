import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { SuiteClock } from "./clock.ts";
import { startTime } from "./start.ts";

/** Stands for the functions emulator, with nothing scheduled, and for a server that follows. */
const told: unknown[] = [];
const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  if (request.method === "PUT") told.push(JSON.parse(text));
  response.writeHead(200, { "content-type": "application/json" }).end('{"functionTriggers":[]}');
});
let folder = "";
let host = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "time-"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

test("a clock that is moved is written down and told, and in real time there is nothing to write", async () => {
  const file = join(folder, "clock.json");
  await writeFile(file, '{"offset":1}');
  const clock = new SuiteClock();
  const followers = [`http://${host}/clock`];
  const time = await startTime({ clock, functionsHost: host, followers, file, port: 0, report: () => undefined });
  expect(existsSync(file)).toBe(false);
  const response = await fetch(`http://127.0.0.1:${time.port}/clock`, { method: "PUT", body: '{"advance":"1h"}' });
  expect(response.status).toBe(200);
  const { offset } = JSON.parse(readFileSync(file, "utf8")) as { offset: number };
  expect(Math.abs(offset - 3_600_000)).toBeLessThan(1_000);
  await vi.waitFor(() => expect(told.at(-1)).toEqual({ offset }));
  await clock.setOffset(0);
  expect(existsSync(file)).toBe(false);
  await clock.freeze();
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ frozenAt: clock.now() });
  await time.close();
  expect(existsSync(file)).toBe(false);
});
