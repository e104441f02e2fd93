import { startFirestore } from "../../local/firestore/server.ts";

/** The local Firestore in a process of its own, whose latency can be turned while it runs: `{ latencyMillis }` as a message. */
const server = await startFirestore({ latencyMillis: Number(process.argv[2] ?? 0), retention: { versions: 0 } });
process.on("message", ({ latencyMillis }: { latencyMillis: number }) => {
  server.firestore.latencyMillis = latencyMillis;
});
process.once("disconnect", () => process.exit());
process.send?.({ port: server.port });
