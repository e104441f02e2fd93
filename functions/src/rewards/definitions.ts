import * as z from "zod";
import { cached, forget } from "../platform/cache.ts";
import { collection, type Transaction } from "../platform/firestore.ts";
import { Coins, ItemId, Items, MAX_SECONDS, Reward } from "./reward.ts";

/** What operators define, and every signed-in user may read: items, tables, recipes. */

/** Unique items of one kind that anything gives at once, or that a user is allowed to have. */
export const MAX_INSTANCES = 100;
const MAX_ENTRIES = 100;
const MAX_WEIGHT = 1_000_000;
const MAX_DRAWS = 20;
/** What a drawn number may be, either way. */
const MAX_NUMBER = 1_000_000_000;

const Title = z.string().min(1).max(200);
const Weight = z.int().positive().max(MAX_WEIGHT);
const Moment = z.int().positive();

/** What somebody is given for something: what is fixed, what a table draws, or both. */
export const Gives = z
  .object({ reward: Reward.optional(), table: ItemId.optional() })
  .refine(({ reward, table }) => reward !== undefined || table !== undefined, "must give something");
export type Gives = z.infer<typeof Gives>;

/** A property of one unique item. */
export const Property = z.union([z.string().max(200), z.number(), z.boolean()]);
export type Property = z.infer<typeof Property>;

/** The same for all, or drawn for each: a whole number from `min` to `max`, or one of several by weight. */
const PropertyRule = z.union([
  Property,
  z
    .object({ min: z.int().min(-MAX_NUMBER).max(MAX_NUMBER), max: z.int().min(-MAX_NUMBER).max(MAX_NUMBER) })
    .refine(({ min, max }) => min <= max, "min must not be above max"),
  z.object({
    oneOf: z
      .array(z.object({ weight: Weight, value: Property }))
      .min(1)
      .max(50),
  }),
]);
export type PropertyRule = z.infer<typeof PropertyRule>;

/** `items/{itemId}`: what an item is. One without a definition is a plain stack. */
export const Item = z
  .object({
    title: Title,
    description: z.string().max(2_000).optional(),
    /** Counted, or each for itself with properties of its own. */
    kind: z.enum(["stack", "unique"]).default("stack"),
    /** How many a user may have; past it nothing can be consumed, crafted or exchanged for more. Prizes and purchases are given all the same. */
    maximum: z.int().positive().max(1_000_000_000).optional(),
    /** What consuming one gives. Absent: it cannot be consumed. */
    consume: Gives.optional(),
    /** How long one lasts after it was given; absent: for ever. */
    durationSeconds: z.int().positive().max(MAX_SECONDS).optional(),
    /** Of unique items. */
    properties: z
      .record(z.string().regex(/^\w{1,50}$/), PropertyRule)
      .refine((rules) => Object.keys(rules).length <= 20, "must be 20 at most")
      .optional(),
  })
  .refine(({ kind, properties }) => kind === "unique" || properties === undefined, {
    path: ["properties"],
    message: "Only unique items have properties.",
  })
  .refine(({ kind, maximum = 1 }) => kind === "stack" || maximum <= MAX_INSTANCES, {
    path: ["maximum"],
    message: `must be ${MAX_INSTANCES} at most for unique items`,
  });
export type Item = z.infer<typeof Item>;

/** What one draw can come to: a reward, what another table draws, both, or nothing. */
const TableEntry = z.object({
  id: ItemId,
  weight: Weight,
  reward: Reward.optional(),
  table: ItemId.optional(),
});
export type TableEntry = z.infer<typeof TableEntry>;

/** `tables/{tableId}`: what is drawn by lot, each entry with a chance of its weight in the sum of all weights. */
export const Table = z
  .object({
    title: Title,
    /** What is given in any case. */
    guaranteed: Reward.optional(),
    draws: z.int().min(1).max(MAX_DRAWS).default(1),
    /** Whether an entry that was drawn can be drawn again in the same opening. */
    replacement: z.boolean().default(true),
    entries: z.array(TableEntry).min(1).max(MAX_ENTRIES),
    /** After so many draws in a row that were none of these entries, the next is one. Counts where the table itself is opened. */
    pity: z
      .object({
        entries: z.array(ItemId).min(1).max(MAX_ENTRIES),
        after: z.int().min(1).max(10_000),
      })
      .optional(),
  })
  .refine(({ entries }) => new Set(entries.map(({ id }) => id)).size === entries.length, {
    path: ["entries"],
    message: "Each entry needs an id of its own.",
  })
  .refine(({ entries, draws, replacement }) => replacement || draws <= entries.length, {
    path: ["draws"],
    message: "There are not so many entries to be drawn.",
  })
  .refine(({ entries, pity }) => (pity?.entries ?? []).every((id) => entries.some((entry) => entry.id === id)), {
    path: ["pity", "entries"],
    message: "There is no such entry.",
  });
export type Table = z.infer<typeof Table>;

/** `recipes/{recipeId}`: what is given for what. An exchange is one whose outcome is fixed. */
export const Recipe = z
  .object({
    title: Title,
    kind: z.enum(["craft", "exchange"]).default("craft"),
    costs: z.object({ coins: Coins, items: Items }),
    gives: Gives,
    /** How often at once. */
    maximumCount: z.int().min(1).max(1_000).default(100),
    limits: z
      .object({
        perUser: z.int().positive().max(1_000_000).optional(),
        /** Days begin at midnight UTC. */
        perDay: z.int().positive().max(1_000_000).optional(),
      })
      .optional(),
    /** When it is offered, in milliseconds since the epoch; an end left out is open. */
    offer: z.object({ from: Moment.optional(), until: Moment.optional() }).optional(),
  })
  .refine(({ costs }) => Object.keys({ ...costs.coins, ...costs.items }).length > 0, {
    path: ["costs"],
    message: "must cost something",
  })
  .refine(({ kind, gives }) => kind === "craft" || gives.table === undefined, {
    path: ["gives", "table"],
    message: "What an exchange gives is fixed.",
  });
export type Recipe = z.infer<typeof Recipe>;

/** How late instances may notice that something was defined anew. Not kept in Redis: what it says is given out. */
const FRESH = { processSeconds: 60 };

interface Definitions<Definition> {
  /** What is defined under an id, as this instance knows it. */
  find(id: string): Promise<Definition | undefined>;
  /** The same for ids that operators have chosen: that there is none is remembered, too. */
  findAll(ids: readonly string[]): Promise<Map<string, Definition>>;
  /** As it is stored. One read. */
  read(tx: Transaction, id: string): Promise<Definition | undefined>;
  write(tx: Transaction, id: string, definition: Definition): void;
  /** Lets this instance see at once what was written. */
  forget(id: string): Promise<void>;
}

function definitions<Shape extends z.ZodType<object>>(path: string, shape: Shape): Definitions<z.infer<Shape>> {
  type Definition = z.infer<Shape>;
  const documents = () => collection(path, shape);
  const key = (id: string) => `${path}:${id}`;
  const Kept = z.custom<{ readonly definition: Definition | undefined }>();
  const look = async (id: string, remembersAbsence: boolean) => {
    const kept = await cached(key(id), FRESH, Kept, async () => {
      const definition = (await documents().doc(id).get()).data();
      return definition || remembersAbsence ? { definition } : undefined;
    });
    return kept?.definition;
  };
  return {
    find: (id) => look(id, false),
    findAll: async (ids) => {
      const found = await Promise.all(ids.map(async (id) => [id, await look(id, true)] as const));
      return new Map(found.flatMap(([id, definition]) => (definition ? [[id, definition] as const] : [])));
    },
    read: async (tx, id) => (await tx.get(documents().doc(id))).data(),
    write: (tx, id, definition) => {
      tx.set(documents().doc(id), definition);
    },
    forget: (id) => forget(key(id)),
  };
}

export const items = definitions("items", Item);
export const tables = definitions("tables", Table);
export const recipes = definitions("recipes", Recipe);
