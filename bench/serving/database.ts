import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startFirestore } from "../../local/firestore/server.ts";
import type { Bill } from "../../local/firestore/usage.ts";
import { fill } from "../leaderboards/fill.ts";

/** What the database's process is asked, as messages; each but the first is answered. */
export type AskedOfDatabase =
  | { readonly latencyMillis: number }
  /** Fills a leaderboard with so many. */
  | { readonly players: number }
  | { readonly what: "bill" };

export type AnswerOfDatabase = { readonly filled: number } | { readonly bill: Bill };

/**
 * The local Firestore in a process of its own, whose latency can be turned while it runs. And a queue that takes every task and runs none:
 * what they would do is measured by itself.
 */
const server = await startFirestore({ latencyMillis: Number(process.argv[2] ?? 0), retention: { versions: 0 } });
process.on("message", (asked: AskedOfDatabase) => {
  if ("latencyMillis" in asked) server.firestore.latencyMillis = asked.latencyMillis;
  else if ("players" in asked) {
    fill(server, asked.players);
    answer({ filled: asked.players });
  } else answer({ bill: server.firestore.usage.total });
});
process.once("disconnect", () => process.exit());
const queue = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
});
queue.listen(0, "127.0.0.1", () => {
  process.send?.({ port: server.port, queuePort: (queue.address() as AddressInfo).port });
});

function answer(told: AnswerOfDatabase): void {
  process.send?.(told);
}
