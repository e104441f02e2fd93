import { initializeApp } from "firebase-admin/app";
import { getFirestore } from "firebase-admin/firestore";
import type * as z from "zod";
import { boardOfSettings } from "../functions/src/leaderboards/define.ts";
import { Board, BoardSettings } from "../functions/src/leaderboards/settings.ts";
import type { Product } from "../functions/src/store/records.ts";
import type { Connection } from "./suite.ts";

/** The products of the demo, by the ids that they have in the stores. */
export const PRODUCTS: Record<string, Product> = {
  coins_500: {
    title: "500 coins",
    grant: { coins: { COIN: 500 }, items: {}, entitlements: [] },
    grantDuringTrial: false,
  },
  starter_pack: {
    title: "Starter pack",
    grant: { coins: { COIN: 1_000 }, items: { iron_sword: 1 }, entitlements: ["no_ads"] },
    grantDuringTrial: false,
  },
  pro_monthly: {
    title: "Pro, by the month",
    grant: { coins: { COIN: 2_000 }, items: {}, entitlements: ["pro"] },
    grantDuringTrial: false,
  },
};

/** Sold by ourselves: for money through Stripe, and for coins. */
export const CHEST = {
  id: "coin_chest",
  product: {
    title: "A chest of coins",
    grant: { coins: { COIN: 1_000 }, items: {}, entitlements: [] },
    grantDuringTrial: false,
    prices: { USD: 10_00 },
  },
} satisfies { id: string; product: Product };
export const SWORD = {
  id: "steel_sword",
  product: {
    title: "A sword of steel",
    grant: { coins: {}, items: { steel_sword: 1 }, entitlements: [] },
    grantDuringTrial: false,
    prices: { COIN: 300 },
  },
} satisfies { id: string; product: Product };

/** A product that the stores sell before anybody has told the backend what it gives. */
export const LATE_PRODUCT = {
  id: "mystery_chest",
  product: { title: "Mystery chest", grant: { coins: { GEM: 25 }, items: { golden_key: 3 }, entitlements: [] } },
};

export const BOARD_ID = "arcade";

const BOARD: z.input<typeof BoardSettings> = {
  title: "Arcade",
  timeZone: "Europe/Berlin",
  minScore: 0,
  maxScore: 1_000_000,
};

interface Operator {
  readonly uid: string;
  readonly name: string;
}

/** Writes what a backend needs before anybody plays: a catalog, a board, an operator. Writing it again changes nothing. */
export async function seed({ project, hosts }: Connection, operator: Operator): Promise<void> {
  process.env.FIRESTORE_EMULATOR_HOST = hosts.firestore;
  // Otherwise Google's libraries look for a metadata server, and warn that there is none.
  process.env.METADATA_SERVER_DETECTION = "none";
  const firestore = getFirestore(initializeApp({ projectId: project }, `seed-${project}`));
  const board = firestore.doc(`leaderboards/${BOARD_ID}`);
  const known = Board.safeParse((await board.get()).data()).data;
  const batch = firestore.batch();
  for (const [id, product] of Object.entries(PRODUCTS)) batch.set(firestore.doc(`catalog/${id}`), product);
  for (const { id, product } of [CHEST, SWORD]) batch.set(firestore.doc(`catalog/${id}`), product);
  batch.set(board, known ?? boardOfSettings(BoardSettings.parse(BOARD), undefined, Date.now()));
  batch.set(firestore.doc(`admins/${operator.uid}`), { name: operator.name });
  await batch.commit();
}
