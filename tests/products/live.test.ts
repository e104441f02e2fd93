import { randomUUID } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import { connectDatabaseEmulator, type DataSnapshot, getDatabase, onValue, ref } from "firebase/database";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Player } from "../../scripts/player.ts";
import { BOARD_ID, seed } from "../../scripts/seed.ts";
import { useBackend } from "../backend.ts";

/** What an app's listener sees of a board while others play, and what it is sent for it. */
const backend = useBackend();
const { connection, newcomer } = backend;
/** A slot, and what a task takes on a busy machine. */
const PATIENCE = { timeout: 45_000, interval: 50 };
const servers: Server[] = [];
const apps: FirebaseApp[] = [];
let operator: Player;

interface Shown {
  readonly season: string;
  readonly updatedAt: number;
  readonly players?: Record<string, { readonly name: string; readonly score: number }>;
}

beforeAll(async () => {
  operator = await newcomer("Olga");
  await seed(connection, operator);
});
afterAll(async () => {
  await Promise.all(apps.map((app) => deleteApp(app)));
  for (const server of servers) server.close();
});

/** An app of somebody who is signed in, listening to a board through a connection whose bytes are counted. */
async function listener(board: string, period: string) {
  let bytes = 0;
  const [host = "", port = ""] = connection.hosts.database.split(":");
  const meter = createServer((client) => {
    const upstream = connect(Number(port), host);
    upstream.on("data", (chunk) => {
      bytes += chunk.length;
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => meter.listen(0, "127.0.0.1", resolve));
  servers.push(meter);
  const app = initializeApp({ projectId: connection.project, apiKey: "local" }, `listener-${randomUUID()}`);
  apps.push(app);
  const database = getDatabase(app, `https://${connection.project}-default-rtdb.firebaseio.com`);
  const { port: through } = meter.address() as { port: number };
  connectDatabaseEmulator(database, "127.0.0.1", through, { mockUserToken: { sub: "watcher" } });
  const heard: DataSnapshot[] = [];
  onValue(ref(database, `live/leaderboards/${board}/global/${period}`), (snapshot) => heard.push(snapshot));
  await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0), PATIENCE);
  return { heard, last: () => heard.at(-1)?.val() as Shown | null, received: () => bytes };
}

test("a score is on a listener's screen within a slot of 30 seconds, for the bytes of one row", {
  timeout: 150_000,
}, async () => {
  const board = `live-${randomUUID()}`;
  const settings = { title: "Live", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000, periods: ["daily"] };
  await operator.call("admin/leaderboards/define", { id: board, board: settings });
  const submit = (player: Player, score: number) =>
    player.call("api/leaderboards/submit", { board, score, attempt: randomUUID() });
  const screen = await listener(board, "daily");
  const everybody = await Promise.all(Array.from({ length: 12 }, (_, i) => newcomer(`P${i}`)));
  await Promise.all(everybody.map((player, i) => submit(player, i)));
  await vi.waitFor(() => expect(Object.keys(screen.last()?.players ?? {})).toHaveLength(12), PATIENCE);

  const [before, updates] = [screen.received(), screen.heard.length];
  const [ada] = everybody as [Player];
  await submit(ada, 900);
  const submittedAt = Date.now();
  await vi.waitFor(() => expect(screen.last()?.players?.[ada.uid]?.score).toBe(900), PATIENCE);
  expect(Date.now() - submittedAt).toBeLessThan(33_000);
  expect(screen.heard.length - updates).toBe(1);
  expect(screen.received() - before).toBeLessThan(600);
  expect(JSON.stringify(screen.last()).length).toBeGreaterThan(1_000);
});

test("a public board is read by whoever has its address, without signing in", async () => {
  const board = `public-${randomUUID()}`;
  const settings = { title: "Public", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000, isPublic: true };
  await operator.call("admin/leaderboards/define", { id: board, board: settings });
  const ada = await newcomer("Ada");
  await ada.call("api/leaderboards/submit", { board, score: 10, attempt: randomUUID() });
  const address = `http://${connection.hosts.functions}/${connection.project}/us-central1/boards/${board}/weekly`;
  const response = await fetch(address, { headers: { origin: "https://blog.example.com" } });
  expect(await response.json()).toMatchObject({ rows: [{ rank: 1, name: ada.name, score: 10 }] });
  expect(response.headers.get("cache-control")).toContain("s-maxage");
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  const etag = response.headers.get("etag") ?? "";
  expect((await fetch(address, { headers: { "if-none-match": etag } })).status).toBe(304);
  expect((await fetch(address.replace(board, BOARD_ID))).status).toBe(404);
});
