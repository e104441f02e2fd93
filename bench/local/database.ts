import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { table } from "../../scripts/table.ts";
import { percentile, residentOf, rounded, startProgram } from "./program.ts";

/** Connections that the Realtime Database holds, each with a place of presence that goes when the connection does. */
const CONNECTIONS = 10_000;
/** Connections that are opened at the same time. */
const AT_ONCE = 200;
const SAMPLES = 200;
const NAMESPACE = "bench";

const server = await startProgram("database/main.ts");
const base = `http://127.0.0.1:${server.port}`;
const before = residentOf(server.process.pid);

const began = performance.now();
const sockets: WebSocket[] = [];
for (let first = 0; first < CONNECTIONS; first += AT_ONCE) {
  const batch = Array.from({ length: AT_ONCE }, (_, i) => join(first + i));
  sockets.push(...(await Promise.all(batch)));
}
const opened = (performance.now() - began) / 1_000;
const held = residentOf(server.process.pid);

const delays: number[] = [];
for (let i = 0; i < SAMPLES; i++) {
  const socket = sockets[(i * 37) % sockets.length] as WebSocket;
  const sent = performance.now();
  await request(socket, "p", { p: `/presence/seen-${i}`, d: i });
  delays.push(performance.now() - sent);
}
const half = sockets.slice(0, CONNECTIONS / 2);
const left = performance.now();
for (const socket of half) socket.terminate();
while ((await present()) > CONNECTIONS / 2 + SAMPLES) await sleep(20);
const gone = (performance.now() - left) / 1_000;

console.log(
  table(
    ["Realtime Database", ""],
    [
      ["connections held, each present", String(CONNECTIONS)],
      ["seconds to open them all", String(rounded(opened))],
      ["KB resident a connection", String(rounded(((held - before) * 1024) / CONNECTIONS))],
      ["MB resident with all", String(held)],
      ["ms for a write among them (median)", String(rounded(percentile(delays, 0.5), 2))],
      ["ms for a write among them (p95)", String(rounded(percentile(delays, 0.95), 2))],
      [`seconds until ${CONNECTIONS / 2} that were cut are no longer present`, String(rounded(gone, 2))],
    ],
  ),
);
for (const socket of sockets) socket.terminate();
server.process.kill("SIGINT");
await once(server.process, "exit");

/** Connects as the SDK does, is present, and will not be when the connection is gone. */
async function join(i: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/.ws?v=5&ns=${NAMESPACE}`);
  socket.setMaxListeners(50);
  socket.on("error", () => undefined);
  await once(socket, "message");
  await request(socket, "o", { p: `/presence/user-${i}`, d: null });
  await request(socket, "p", { p: `/presence/user-${i}`, d: { online: true } });
  return socket;
}

/** Sends a request and waits for its answer. */
async function request(socket: WebSocket, action: string, body: object): Promise<void> {
  const answered = once(socket, "message");
  socket.send(JSON.stringify({ t: "d", d: { r: 1, a: action, b: body } }));
  const [answer] = (await answered) as [Buffer];
  const { d } = JSON.parse(answer.toString()) as { d: { b: { s: string } } };
  if (d.b.s !== "ok") throw new Error(`The server answered ${answer}.`);
}

async function present(): Promise<number> {
  const response = await fetch(`${base}/presence.json?ns=${NAMESPACE}&shallow=true`);
  return Object.keys((await response.json()) ?? {}).length;
}
