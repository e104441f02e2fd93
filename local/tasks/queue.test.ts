import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SuiteClock } from "../time/clock.ts";
import { type QueueConfig, ScheduledTaskQueue, type Task } from "./queue.ts";

const calls: { body: unknown; headers: IncomingHttpHeaders; at: number }[] = [];
let clock: SuiteClock;
let answer: () => number;
let answerAfter = 0;
let open = 0;
let mostOpen = 0;
let server: Server;
let url: string;

beforeEach(async () => {
  calls.length = 0;
  clock = new SuiteClock();
  answer = () => 200;
  answerAfter = 0;
  mostOpen = 0;
  server = createServer(async (request, response) => {
    open++;
    mostOpen = Math.max(mostOpen, open);
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    calls.push({ body: JSON.parse(text), headers: request.headers, at: Date.now() });
    await sleep(answerAfter);
    open--;
    response.writeHead(answer()).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const queueWith = (retry: Partial<QueueConfig["retryConfig"]> = {}, rate: Partial<QueueConfig["rateLimits"]> = {}) =>
  new ScheduledTaskQueue(
    "queue:p-l-q",
    {
      retryConfig: {
        maxAttempts: 3,
        maxRetrySeconds: null,
        minBackoffSeconds: 0.05,
        maxBackoffSeconds: 1,
        maxDoublings: 16,
        ...retry,
      },
      rateLimits: { maxConcurrentDispatches: 1_000, maxDispatchesPerSecond: 500, ...rate },
      defaultUri: url,
    },
    clock,
  );
const task = (name: string, rest: Partial<Task> = {}): Task => ({
  name,
  httpRequest: { url: "", body: { data: name } },
  ...rest,
});
const called = (count: number) => vi.waitFor(() => expect(calls).toHaveLength(count), { timeout: 5_000 });

test("a task is sent to its function, once", async () => {
  queueWith().enqueue(task("projects/p/locations/l/queues/q/tasks/one"));
  await called(1);
  expect(calls[0]).toMatchObject({
    body: { data: "projects/p/locations/l/queues/q/tasks/one" },
    headers: { "x-cloudtasks-taskname": "one", "x-cloudtasks-taskretrycount": "0" },
  });
  await sleep(100);
  expect(calls).toHaveLength(1);
});

test("a task is not sent before its time", async () => {
  const due = Date.now() + 300;
  const queue = queueWith();
  queue.enqueue(task("later", { scheduleTime: new Date(due).toISOString() }));
  queue.enqueue(task("now"));
  await called(1);
  expect(calls[0]?.body).toEqual({ data: "now" });
  await called(2);
  expect(calls[1]?.at).toBeGreaterThanOrEqual(due);
});

test("a name can be used only once, even after its task is done", async () => {
  const queue = queueWith();
  queue.enqueue(task("same"));
  expect(() => queue.enqueue(task("same"))).toThrow(/exists already/);
  await called(1);
  await sleep(20);
  expect(() => queue.enqueue(task("same"))).toThrow(/exists already/);
});

test("a task that fails is tried again with growing pauses, as often as its queue declares", async () => {
  answer = () => 503;
  queueWith({ maxAttempts: 4 }).enqueue(task("stubborn"));
  await called(4);
  await sleep(500);
  expect(calls).toHaveLength(4);
  expect(calls.map(({ headers }) => headers["x-cloudtasks-taskretrycount"])).toEqual(["0", "1", "2", "3"]);
  const pauses = calls.slice(1).map(({ at }, i) => at - (calls[i]?.at ?? 0));
  expect(pauses[1]).toBeGreaterThanOrEqual(95);
  expect(pauses[2]).toBeGreaterThanOrEqual(195);
});

test("a task that succeeds at last is not tried again", async () => {
  answer = () => (calls.length < 2 ? 500 : 200);
  queueWith().enqueue(task("second-try"));
  await called(2);
  await sleep(300);
  expect(calls).toHaveLength(2);
});

test("a deleted task is not sent", async () => {
  const queue = queueWith();
  queue.enqueue(task("regretted", { scheduleTime: new Date(Date.now() + 100).toISOString() }));
  queue.delete("regretted");
  await sleep(250);
  expect(calls).toHaveLength(0);
  expect(() => queue.delete("regretted")).toThrow(/no task/);
});

test("no more tasks run at once than the queue allows", async () => {
  answerAfter = 50;
  const queue = queueWith({}, { maxConcurrentDispatches: 2 });
  for (let i = 0; i < 6; i++) queue.enqueue(task(`t${i}`));
  await called(6);
  expect(mostOpen).toBe(2);
});

test("a task of the day after tomorrow, and its retries, are run when the clock is moved there", async () => {
  answer = () => (calls.length < 3 ? 503 : 200);
  const queue = queueWith({ maxAttempts: 10, minBackoffSeconds: 3_600, maxBackoffSeconds: 7_200 });
  const due = clock.now() + 2 * 86_400_000;
  queue.enqueue({ ...task("t"), scheduleTime: new Date(due).toISOString() });
  await clock.advance(86_400_000);
  expect(calls).toHaveLength(0);
  await clock.advance(86_400_000);
  await vi.waitFor(() => expect(calls).toHaveLength(1));
  await clock.advance(86_400_000);
  await vi.waitFor(() => expect(queue.getStatistics()).toMatchObject({ completedTasks: 1 }));
  expect(calls).toHaveLength(3);
});
