import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { FieldValue, type Transaction, timestamp } from "../platform/firestore.ts";
import type { Change } from "./change.ts";
import { type Item, items, MAX_INSTANCES } from "./definitions.ts";
import { expiryOf, instanceId, isOwned, itemOfInstance, newInstance } from "./instance.ts";
import { type Found, type Needs, NO_NEEDS, read } from "./needs.ts";
import { type Instance, inventory } from "./records.ts";
import type { Reward } from "./reward.ts";
import { NO_PILE, type Pile, pileOf, put, stackOf, take } from "./stack.ts";

/** What a change has done to the items of a user. */
export interface Moved {
  /** Ids of the unique items that it gave. */
  readonly instances: readonly string[];
  /** What should have gone back and is used up. */
  readonly missing: Readonly<Record<string, number>>;
}

/**
 * The items of one user in memory, as far as changes need them, on which changes are made one after the other. What is only added to a
 * stack that nothing else is asked of is added without looking at it.
 */
export class Bag {
  readonly #user: string;
  readonly #definitions: ReadonlyMap<string, Item>;
  readonly #stored: Found;
  readonly #piles: Map<string, Pile>;
  readonly #instances: Map<string, Instance | undefined>;
  readonly #added = new Map<string, number>();
  readonly #touched = new Set<string>();

  private constructor(user: string, definitions: ReadonlyMap<string, Item>, stored: Found) {
    this.#user = user;
    this.#definitions = definitions;
    this.#stored = stored;
    this.#piles = new Map([...stored.stacks].map(([item, stack]) => [item, stack ? pileOf(stack, now()) : NO_PILE]));
    this.#instances = new Map(stored.instances);
  }

  /** One read for each stack that is taken from, expires or has a maximum to keep to, and for each unique item that may go. */
  static async of(tx: Transaction, user: string, changes: readonly Change[]): Promise<Bag> {
    const mentioned = changes.flatMap((change) => [...Object.keys(change.items), ...Object.keys(costOf(change))]);
    const definitions = await items.findAll([...new Set(mentioned)]);
    const needs = changes.map((change) => needsOf(change, definitions));
    return new Bag(user, definitions, await read(tx, user, needs));
  }

  /** Makes a change. Refuses `not-enough-items`, `inventory-full`, `too-many-instances`. */
  apply(change: Change): Moved {
    for (const [item, quantity] of Object.entries(costOf(change))) this.#spend(item, quantity, change);
    const instances: string[] = [];
    const missing: Record<string, number> = {};
    for (const [item, quantity] of Object.entries(change.items)) {
      if (change.direction === "give") instances.push(...this.#give(item, quantity, change));
      else {
        const lacking = this.#takeBack(item, quantity, change);
        if (lacking > 0) missing[item] = lacking;
      }
    }
    return { instances, missing };
  }

  write(tx: Transaction): void {
    const documents = inventory(this.#user);
    for (const [item, quantity] of this.#added) {
      const more = { quantity: FieldValue.increment(quantity), updatedAt: timestamp() };
      tx.set(documents.doc(item), more, { merge: true });
    }
    for (const [item, pile] of this.#piles) {
      const isThere = this.#stored.stacks.get(item) !== undefined;
      if (this.#touched.has(item) && (isThere || pile.quantity > 0)) tx.set(documents.doc(item), stackOf(pile));
    }
    for (const [id, instance] of this.#instances) {
      if (!this.#touched.has(id)) continue;
      if (instance) tx.set(documents.doc(id), instance);
      else tx.delete(documents.doc(id));
    }
  }

  #isUnique(item: string): boolean {
    return this.#definitions.get(item)?.kind === "unique";
  }

  #spend(item: string, quantity: number, { costs }: Change): void {
    if (!this.#isUnique(item)) {
      const pile = this.#piles.get(item) ?? NO_PILE;
      if (pile.quantity < quantity) throw tooFew(item, pile.quantity, quantity);
      this.#setPile(item, take(pile, quantity));
      return;
    }
    const named = new Set((costs?.instances ?? []).filter((id) => itemOfInstance(id) === item));
    const owned = [...named].filter((id) => this.#owns(id));
    if (owned.length !== quantity || named.size !== quantity) throw tooFew(item, owned.length, quantity);
    for (const id of owned) this.#setInstance(id, undefined);
  }

  /** Returns the ids of the unique items that were given. */
  #give(item: string, quantity: number, change: Change): string[] {
    const definition = this.#definitions.get(item);
    if (change.keepsToMaximum && definition?.maximum !== undefined) {
      const owned = this.#count(item);
      if (owned + quantity > definition.maximum) throw full(item, owned, definition.maximum);
    }
    if (definition?.kind === "unique") return this.#giveInstances(item, quantity, { change, definition });
    const pile = this.#piles.get(item);
    if (pile) this.#setPile(item, put(pile, quantity, expiryOf(definition)));
    else this.#added.set(item, (this.#added.get(item) ?? 0) + quantity);
    return [];
  }

  /** What had been taken back is given back as it was; anything else is new. */
  #giveInstances(item: string, quantity: number, of: { change: Change; definition: Item }): string[] {
    if (quantity > MAX_INSTANCES) throw tooMany(item);
    const { change, definition } = of;
    const before = givenBy(change, item).filter((id) => this.#instances.get(id)?.state === "takenBack");
    const restored = before.slice(0, quantity);
    for (const id of restored) this.#setInstance(id, { ...(this.#instances.get(id) as Instance), state: "owned" });
    const made = Array.from({ length: quantity - restored.length }, (_, n) => instanceId(item, change.key, n));
    for (const id of made) {
      this.#setInstance(id, newInstance(id, { item, definition, acquiredFrom: change.reference }));
    }
    return [...restored, ...made];
  }

  /** Returns how many were not there any more. Of unique items those go that were given, if that is known. */
  #takeBack(item: string, quantity: number, change: Change): number {
    if (!this.#isUnique(item)) {
      const pile = this.#piles.get(item) ?? NO_PILE;
      const there = Math.min(pile.quantity, quantity);
      this.#setPile(item, take(pile, there));
      return quantity - there;
    }
    const candidates = change.gave ? givenBy(change, item) : [...this.#instances.keys()];
    const going = candidates.filter((id) => itemOfInstance(id) === item && this.#owns(id)).slice(0, quantity);
    for (const id of going) this.#setInstance(id, { ...(this.#instances.get(id) as Instance), state: "takenBack" });
    return quantity - going.length;
  }

  #count(item: string): number {
    if (!this.#isUnique(item)) return this.#piles.get(item)?.quantity ?? 0;
    return [...this.#instances.keys()].filter((id) => itemOfInstance(id) === item && this.#owns(id)).length;
  }

  #owns(id: string): boolean {
    const instance = this.#instances.get(id);
    return instance !== undefined && isOwned(instance);
  }

  #setPile(item: string, pile: Pile): void {
    this.#piles.set(item, pile);
    this.#touched.add(item);
  }

  #setInstance(id: string, instance: Instance | undefined): void {
    this.#instances.set(id, instance);
    this.#touched.add(id);
  }
}

function costOf({ costs }: Change): Readonly<Record<string, number>> {
  return costs?.items ?? {};
}

/** The ids of the unique items that were given by what a change takes back, or gives back. */
function givenBy({ gave }: Change, item: string): string[] {
  const quantity = Math.min(gave?.items[item] ?? 0, MAX_INSTANCES);
  return Array.from({ length: quantity }, (_, n) => instanceId(item, gave?.key ?? "", n));
}

/** What has to be read before a change can be made. */
function needsOf(change: Change, definitions: ReadonlyMap<string, Item>): Needs {
  const spent = Object.keys(costOf(change)).filter((item) => definitions.get(item)?.kind !== "unique");
  const parts = Object.entries(change.items).map(([item, quantity]) => {
    const definition = definitions.get(item);
    return definition?.kind === "unique"
      ? needsOfUnique(change, { item, quantity, definition })
      : needsOfStack(change, { item, definition });
  });
  return {
    stacks: [...spent, ...parts.flatMap(({ stacks }) => stacks)],
    instances: [...(change.costs?.instances ?? []), ...parts.flatMap(({ instances }) => instances)],
    listed: new Map(parts.flatMap(({ listed }) => [...listed])),
  };
}

function needsOfStack(change: Change, { item, definition }: { item: string; definition: Item | undefined }): Needs {
  const isLookedAt =
    change.direction === "takeBack" || hasMaximum(change, definition) || definition?.durationSeconds !== undefined;
  return { ...NO_NEEDS, ...(isLookedAt ? { stacks: [item] } : {}) };
}

function needsOfUnique(change: Change, of: { item: string; quantity: number; definition: Item }): Needs {
  const { item, quantity, definition } = of;
  if (change.gave) return { ...NO_NEEDS, instances: givenBy(change, item) };
  if (change.direction === "takeBack") return { ...NO_NEEDS, listed: new Map([[item, quantity]]) };
  return hasMaximum(change, definition) ? { ...NO_NEEDS, listed: new Map([[item, MAX_INSTANCES]]) } : NO_NEEDS;
}

function hasMaximum({ keepsToMaximum = false }: Change, definition: Item | undefined): boolean {
  return keepsToMaximum && definition?.maximum !== undefined;
}

function tooFew(item: string, owned: number, needed: number): Failure {
  return new Failure("failed-precondition", `There are not enough of "${item}".`, {
    reason: "not-enough-items",
    item,
    owned,
    needed,
  });
}

function full(item: string, owned: number, maximum: number): Failure {
  return new Failure("failed-precondition", `Nobody can have more than ${maximum} of "${item}".`, {
    reason: "inventory-full",
    item,
    owned,
    maximum,
  });
}

/** Refuses, before anybody pays for it, what could not be given: `too-many-instances`. */
export async function checkGivable({ items: quantities }: Pick<Reward, "items">): Promise<void> {
  const many = Object.keys(quantities).filter((item) => (quantities[item] ?? 0) > MAX_INSTANCES);
  for (const [item, { kind }] of await items.findAll(many)) if (kind === "unique") throw tooMany(item);
}

function tooMany(item: string): Failure {
  return new Failure("failed-precondition", `At most ${MAX_INSTANCES} of "${item}" can be given at once.`, {
    reason: "too-many-instances",
    item,
    maximum: MAX_INSTANCES,
  });
}
