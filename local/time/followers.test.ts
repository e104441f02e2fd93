import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SuiteClock } from "./clock.ts";
import { keepFollowers, type Told, tellFollowers } from "./followers.ts";

const HOUR = 3_600_000;
const NEW_YEAR = Date.parse("2026-01-01T00:00:00Z");

let server: Server;
let url: string;
let told: Told[];
let answer: () => number | Promise<number>;
const release: (() => void)[] = [];

beforeEach(async () => {
  told = [];
  answer = () => 200;
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    if (request.method === "PUT") told.push(JSON.parse(text));
    response.writeHead(await answer()).end();
  });
  url = await listen(server);
});

afterEach(() => {
  for (const letGo of release.splice(0)) letGo();
  server.closeAllConnections();
  server.close();
});

async function listen(listening: Server, port = 0): Promise<string> {
  await new Promise<void>((resolve) => listening.listen(port, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/emulator/v1/clock`;
}

test("followers are told the offset, and where the clock stands if it does", async () => {
  expect(await tellFollowers([url], { offset: 5_000 })).toEqual([]);
  expect(await tellFollowers([url], { offset: -1, frozenAt: NEW_YEAR })).toEqual([]);
  expect(told).toEqual([{ offset: 5_000 }, { offset: -1, frozenAt: NEW_YEAR }]);
});

test("those that refuse, are not there or do not answer in two seconds are named, and hold up no other", async () => {
  const silent = createServer(() => {});
  const silentUrl = await listen(silent);
  const absent = createServer();
  const absentUrl = await listen(absent);
  await new Promise((resolve) => absent.close(resolve));
  const refusing = createServer((_, response) => response.writeHead(404).end());
  const refusingUrl = await listen(refusing);
  const before = performance.now();
  const deaf = await tellFollowers([silentUrl, absentUrl, refusingUrl, url], { offset: 1 });
  expect(performance.now() - before).toBeLessThan(4_000);
  expect(deaf.map((one) => one.url)).toEqual([silentUrl, absentUrl, refusingUrl]);
  expect(deaf[1]?.reason).toContain("ECONNREFUSED");
  expect(deaf[2]?.reason).toContain("404");
  expect(told).toEqual([{ offset: 1 }]);
  for (const one of [silent, refusing]) {
    one.closeAllConnections();
    one.close();
  }
});

test("followers stand where the clock does at every timer of a jump, before the timer fires", async () => {
  const clock = new SuiteClock();
  await clock.freeze();
  await clock.set(NEW_YEAR);
  release.push(keepFollowers({ clock, urls: [url], report: vi.fn() }));
  await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 5_000 });
  const seen: (number | undefined)[] = [];
  for (const hour of [1, 2]) clock.at(NEW_YEAR + hour * HOUR, () => seen.push(told.at(-1)?.frozenAt));
  await clock.advance(3 * HOUR);
  expect(seen).toEqual([NEW_YEAR + HOUR, NEW_YEAR + 2 * HOUR]);
  expect(told.at(-1)?.frozenAt).toBe(NEW_YEAR + 3 * HOUR);
  await clock.setOffset(0);
  await clock.resume();
  expect(told.at(-1)?.frozenAt).toBeUndefined();
  expect(Math.abs(told.at(-1)?.offset ?? HOUR)).toBeLessThan(2_000);
});

test("a follower that does not listen is reported once, left alone for the rest of a jump, and told again later", async () => {
  const clock = new SuiteClock();
  await clock.freeze();
  const report = vi.fn();
  answer = () => 503;
  release.push(keepFollowers({ clock, urls: [url], report, tellAgainMillis: 100 }));
  const start = clock.now();
  for (let hour = 1; hour <= 20; hour++) clock.at(start + hour * HOUR, () => {});
  await clock.advance(24 * HOUR);
  expect(told.length).toBeLessThan(6);
  answer = () => 200;
  const before = told.length;
  await vi.waitFor(() => expect(told.length).toBe(before + 1), { timeout: 5_000 });
  expect(told.at(-1)?.frozenAt).toBe(start + 24 * HOUR);
  expect(report).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("503"));
  await sleep(250);
  expect(told.length).toBe(before + 1);
});

test("a server that starts late gets the time", async () => {
  const late = createServer((request, response) => {
    told.push({ offset: 0 });
    request.resume();
    response.end();
  });
  const lateUrl = await listen(late);
  const port = Number(new URL(lateUrl).port);
  await new Promise((resolve) => late.close(resolve));
  const clock = new SuiteClock();
  release.push(keepFollowers({ clock, urls: [lateUrl], report: vi.fn(), tellAgainMillis: 50 }));
  await sleep(120);
  await listen(late, port);
  await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 5_000 });
  late.closeAllConnections();
  late.close();
});

test("followers that are let go hear no more", async () => {
  const clock = new SuiteClock();
  const letGo = keepFollowers({ clock, urls: [url], report: vi.fn() });
  await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 5_000 });
  letGo();
  await clock.advance(HOUR);
  expect(told).toHaveLength(1);
});

test("more followers than the suite has room for are refused", async () => {
  const urls = Array.from({ length: 33 }, () => url);
  await expect(tellFollowers(urls, { offset: 0 })).rejects.toThrow(RangeError);
  expect(() => keepFollowers({ clock: new SuiteClock(), urls, report: vi.fn() })).toThrow(RangeError);
});
