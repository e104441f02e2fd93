import { type App, deleteApp, initializeApp } from "firebase-admin/app";
import { type Firestore, getFirestore } from "firebase-admin/firestore";
import { afterAll, beforeAll, inject } from "vitest";
import { Meter } from "../scripts/meter.ts";
import { type Player, signIn } from "../scripts/player.ts";
import type { Connection } from "../scripts/suite.ts";

/** For tests against everything running: apps of players, the simulator of RevenueCat, and a look behind the scenes. */
export interface Backend {
  readonly connection: Connection;
  readonly meter: Meter;
  /** The database as the functions see it. */
  readonly firestore: Firestore;
  /** Signs somebody in who has not been here before. */
  newcomer(name: string): Promise<Player>;
  /** Has something happen in a store; answers with the webhook that was sent. */
  simulate(path: string, body: object): Promise<Told>;
}

export interface Told {
  readonly event: string;
  readonly attempts: readonly { readonly status: number; readonly answer: unknown }[];
}

export function useBackend(): Backend {
  const connection = inject("suite");
  const players: Player[] = [];
  let admin: App | undefined;
  beforeAll(() => {
    process.env.FIRESTORE_EMULATOR_HOST = connection.hosts.firestore;
    admin = initializeApp({ projectId: connection.project }, `tests-${Math.random()}`);
  });
  afterAll(async () => {
    await Promise.all(players.map((player) => player.leave()));
    if (admin) await deleteApp(admin);
  });
  return {
    connection,
    meter: new Meter(connection.hosts.firestore, connection.project),
    get firestore() {
      if (!admin) throw new Error("the database is there from beforeAll to afterAll only");
      return getFirestore(admin);
    },
    newcomer: async (name) => {
      const player = await signIn(`${name}${Math.random().toString(36).slice(2, 8)}`, connection);
      players.push(player);
      return player;
    },
    simulate: async (path, body) => {
      const response = await fetch(`${connection.revenueCatUrl}/simulator/${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(await response.text());
      return (await response.json()) as Told;
    },
  };
}
