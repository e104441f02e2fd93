import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startFirestore } from "../../local/firestore/server.ts";
import { fill } from "../leaderboards/fill.ts";

/**
 * The local Firestore in a process of its own, whose latency can be turned while it runs: `{ latencyMillis }` as a message; `{ players, board }`
 * fills a leaderboard. And a queue that
 * takes every task and runs none: what they would do is measured by itself.
 */
const server = await startFirestore({ latencyMillis: Number(process.argv[2] ?? 0), retention: { versions: 0 } });
process.on("message", (asked: { latencyMillis: number } | { players: number; board: object }) => {
  if ("latencyMillis" in asked) server.firestore.latencyMillis = asked.latencyMillis;
  else {
    fill(server, asked.players, asked.board);
    process.send?.({ filled: asked.players });
  }
});
process.once("disconnect", () => process.exit());
const queue = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
});
queue.listen(0, "127.0.0.1", () => {
  process.send?.({ port: server.port, queuePort: (queue.address() as AddressInfo).port });
});
