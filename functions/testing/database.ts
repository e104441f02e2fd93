import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import { connectDatabaseEmulator, type Database, getDatabase } from "firebase/database";
import { afterAll, beforeAll } from "vitest";
import { type DatabaseServer, startDatabase } from "../../local/database/server.ts";

/** For tests of modules: the Realtime Database of the local suite in this process, under the product's rules, and apps on it. */
export interface RealtimeDatabase {
  /** An app of a signed-in player, and how many bytes it has been sent. */
  app(): Promise<MeteredApp>;
}

export interface MeteredApp {
  readonly database: Database;
  received(): number;
}

const NAMESPACE = "demo-modules-default-rtdb";
const RULES = new URL("../../database.rules.json", import.meta.url);

export function useDatabase(): RealtimeDatabase {
  let server: DatabaseServer | undefined;
  const apps: FirebaseApp[] = [];
  const meters: Server[] = [];
  beforeAll(async () => {
    server = await startDatabase({ rules: { [NAMESPACE]: readFileSync(RULES, "utf8") } });
    const databaseURL = `http://127.0.0.1:${server.port}/?ns=${NAMESPACE}`;
    process.env.FIREBASE_CONFIG = JSON.stringify({ projectId: "demo-modules", databaseURL });
    process.env.FIREBASE_DATABASE_EMULATOR_HOST = `127.0.0.1:${server.port}`;
  });
  afterAll(async () => {
    delete process.env.FIREBASE_CONFIG;
    delete process.env.FIREBASE_DATABASE_EMULATOR_HOST;
    await Promise.all(apps.map((app) => deleteApp(app)));
    for (const meter of meters) meter.close();
    await server?.close();
  });
  return {
    app: async () => {
      const app = initializeApp({ projectId: "demo-modules", apiKey: "none" }, `app-${apps.length}`);
      apps.push(app);
      const { meter, received } = await metered(server?.port ?? 0);
      meters.push(meter);
      const database = getDatabase(app, `https://${NAMESPACE}.firebaseio.com`);
      const { port } = meter.address() as AddressInfo;
      connectDatabaseEmulator(database, "127.0.0.1", port, { mockUserToken: { sub: "ada" } });
      return { database, received };
    },
  };
}

/** A way to a port on which is counted what comes back. */
async function metered(port: number): Promise<{ meter: Server; received: () => number }> {
  let bytes = 0;
  const meter = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    upstream.on("data", (chunk) => {
      bytes += chunk.length;
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => meter.listen(0, "127.0.0.1", resolve));
  return { meter, received: () => bytes };
}
