/**
 * What the ledger promises, said once more in the plainest way, so that tests have something to hold against it. It shares nothing with the
 * ledger's own arithmetic, knows neither documents nor chains, and is as slow as it likes.
 */

export interface ModelLot {
  readonly source: "promotional" | "earned" | "bought";
  readonly clearsAt?: number | undefined;
  readonly expiresAt?: number | undefined;
  readonly amount: number;
}

type LotKind = Omit<ModelLot, "amount">;

/** What one account holds; what is available is the sum of the lots. */
export interface ModelAccount {
  lots: ModelLot[];
  held: number;
  owed: number;
  frozen: boolean;
}

export interface ModelHold {
  readonly owner: string;
  readonly currency: string;
  readonly amount: number;
  captured: number;
  released: number;
  lots: ModelLot[];
  expiresAt: number;
}

/** A side is a user, `user/held`, or an account of the house, `system:…`. */
export interface ModelMove {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly currency: string;
  readonly lots?: readonly ModelLot[];
  readonly as?: LotKind;
}

type Moved = ModelMove & { readonly lots: readonly ModelLot[]; readonly owed?: LotKind };

export type ModelKind =
  | "grant"
  | "purchase"
  | "prize"
  | "spend"
  | "payout"
  | "transfer"
  | "hold"
  | "capture"
  | "release"
  | "refund"
  | "chargeback"
  | "adjustment"
  | "expiry";

export interface ModelTransaction {
  readonly kind: ModelKind;
  readonly moved: readonly Moved[];
  isReversed: boolean;
}

/** The ledger refuses; the message is the reason. */
export class Refused extends Error {}

const RULES: Readonly<Record<string, { most: number; isSent: boolean; order: string }>> = {
  COIN: { most: 1e12, isSent: true, order: "promotional earned bought" },
  GEM: { most: 1e9, isSent: false, order: "promotional earned bought" },
  USD: { most: 1e10, isSent: false, order: "promotional bought earned" },
};
const BECOMES: Partial<Record<ModelKind, ModelLot["source"]>> = {
  grant: "promotional",
  adjustment: "promotional",
  prize: "earned",
  purchase: "bought",
  refund: "bought",
  chargeback: "bought",
};
const isHouse = (side: string) => side.startsWith("system:");
const isSetAside = (side: string) => side.endsWith("/held");
const ownerOf = (side: string) => side.replace(/\/held$/, "");

export function worth(lots: readonly ModelLot[]): number {
  let whole = 0;
  for (const lot of lots) whole += lot.amount;
  return whole;
}

export class LedgerModel {
  now: number;
  accounts = new Map<string, ModelAccount>();
  /** By name and currency. */
  house = new Map<string, number>();
  readonly holds: ModelHold[] = [];
  readonly #freesHolds: boolean;

  /** @param freesHolds whether what is held goes before anything is owed */
  constructor(now: number, { freesHolds }: { freesHolds: boolean }) {
    this.now = now;
    this.#freesHolds = freesHolds;
  }

  /** Makes all moves or, throwing {@link Refused}, none. */
  make(kind: ModelKind, moves: readonly ModelMove[], takesBack = false): ModelTransaction {
    for (const { from, to, amount, currency } of moves) {
      if (!Number.isInteger(amount) || amount < 1) throw new Refused("invalid-amount");
      if (!RULES[currency]) throw new Refused("unknown-currency");
      if (from === to) throw new Refused("same-account");
    }
    const [accounts, house] = [structuredClone(this.accounts), new Map(this.house)];
    try {
      const opened = new Set<string>();
      const moved = moves.map((move) => this.#move(kind, move, takesBack, opened));
      return { kind, moved, isReversed: false };
    } catch (error) {
      [this.accounts, this.house] = [accounts, house];
      throw error;
    }
  }

  /** Looks at an account: what had to clear has, and what has expired goes. */
  open(owner: string, currency: string): ModelAccount {
    const id = `${owner}:${currency}`;
    const account = this.accounts.get(id) ?? { lots: [], held: 0, owed: 0, frozen: false };
    this.accounts.set(id, account);
    const lasting: ModelLot[] = [];
    for (const { clearsAt, ...lot } of account.lots) {
      if (lot.expiresAt !== undefined && lot.expiresAt <= this.now) this.#book("system:expired", currency, lot.amount);
      else pile(lasting, clearsAt === undefined || clearsAt <= this.now ? lot : { ...lot, clearsAt });
    }
    account.lots = lasting;
    return account;
  }

  hold(owner: string, currency: string, amount: number, expiresAt: number): ModelTransaction {
    const made = this.make("hold", [{ from: owner, to: `${owner}/held`, amount, currency }]);
    this.holds.push({ owner, currency, amount, captured: 0, released: 0, lots: lotsOf(made.moved), expiresAt });
    return made;
  }

  renew(hold: ModelHold, expiresAt: number): void {
    if (hold.expiresAt !== expiresAt) this.open(hold.owner, hold.currency);
    hold.expiresAt = expiresAt;
  }

  /** Pays out of a hold or gives back: who gets how much is for the caller to say, once it is known what all is. */
  moveHold(
    hold: ModelHold,
    kind: "capture" | "release",
    {
      amount: wanted,
      parts,
    }: { amount: number | undefined; parts: (amount: number) => [to: string, amount: number][] },
  ): ModelTransaction {
    const left = hold.amount - hold.captured - hold.released;
    if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0)) throw new Refused("invalid-amount");
    if (left === 0) throw new Refused("hold-closed");
    const amount = wanted ?? left;
    if (amount > left) throw new Refused("hold-too-small");
    const rest = [...hold.lots];
    const leaving = pick(rest, amount, hold.currency);
    const moves = parts(amount)
      .filter(([, part]) => part > 0)
      .map(([to, part]) => {
        const lots = pick(leaving, part, hold.currency);
        const isEarned = kind === "capture" && to !== "system:fees" && to !== hold.owner;
        return {
          from: `${hold.owner}/held`,
          to,
          amount: part,
          currency: hold.currency,
          lots,
          ...(isEarned ? { as: this.#earnedOf(lots) } : {}),
        };
      });
    const made = this.make(kind, moves);
    hold.lots = rest;
    if (kind === "capture") hold.captured += amount;
    else hold.released += amount;
    return made;
  }

  /** What is earned clears when the last of what it is paid with does. */
  #earnedOf(lots: readonly ModelLot[]): LotKind {
    let last = this.now;
    for (const { clearsAt = 0 } of lots) if (clearsAt > last) last = clearsAt;
    return last > this.now ? { source: "earned", clearsAt: last } : { source: "earned" };
  }

  freeze(owner: string, currency: string, frozen: boolean): void {
    if ((this.accounts.get(`${owner}:${currency}`)?.frozen ?? false) === frozen) return;
    this.open(owner, currency).frozen = frozen;
  }

  /** Gives back what holds hold whose time is over, the earliest first, and then books what has expired. */
  expire(): void {
    const due = this.holds.filter(({ amount, captured, released, expiresAt }) => {
      return expiresAt <= this.now && captured + released < amount;
    });
    for (const hold of due.sort((a, b) => a.expiresAt - b.expiresAt)) {
      this.moveHold(hold, "release", { amount: undefined, parts: (amount) => [[hold.owner, amount]] });
    }
    for (const [id, { lots }] of this.accounts) {
      const [owner = "", currency = ""] = id.split(":");
      if (lots.some(({ expiresAt = 1e300 }) => expiresAt <= this.now)) this.open(owner, currency);
    }
  }

  /** Takes a transaction back: all that it moved goes the other way, the last first. */
  reverse(original: ModelTransaction, kind: "refund" | "chargeback" | "adjustment"): ModelTransaction | undefined {
    if (original.isReversed) return undefined;
    if (["hold", "release", "expiry"].includes(original.kind)) throw new Refused("not-reversible");
    const back = [...original.moved].reverse().flatMap((moved) => [...backward(moved)].reverse());
    const before = structuredClone({ accounts: this.accounts, house: this.house, holds: this.holds });
    try {
      if (this.#freesHolds) this.#free(back);
      const made = this.make(kind, back, true);
      original.isReversed = true;
      return made;
    } catch (error) {
      [this.accounts, this.house] = [before.accounts, before.house];
      for (const [i, hold] of before.holds.entries()) Object.assign(this.holds[i] as ModelHold, hold);
      throw error;
    }
  }

  /** Lets go of what is held, those holds first whose time is over first, as far as what is to go back is not there. */
  #free(back: readonly ModelMove[]): void {
    const wanted = new Map<string, { owner: string; currency: string; amount: number }>();
    for (const { from: owner, currency, amount } of back) {
      const id = `${owner}:${currency}`;
      wanted.set(id, { owner, currency, amount: amount + (wanted.get(id)?.amount ?? 0) });
    }
    for (const [id, { owner, currency, amount }] of wanted) {
      if (isHouse(owner) || (this.accounts.get(id)?.held ?? 0) === 0) continue;
      let missing = amount - worth((this.accounts.get(id)?.lots ?? []).filter((lot) => !this.#isOver(lot)));
      const own = this.holds.filter((hold) => hold.owner === owner && hold.currency === currency);
      for (const hold of own.sort((a, b) => a.expiresAt - b.expiresAt)) {
        const some = Math.min(missing, worth(hold.lots));
        if (some <= 0) continue;
        missing -= some;
        this.moveHold(hold, "release", { amount: some, parts: (whole) => [[owner, whole]] });
      }
    }
  }

  #isOver({ expiresAt }: ModelLot): boolean {
    return expiresAt !== undefined && expiresAt <= this.now;
  }

  #move(kind: ModelKind, move: ModelMove, takesBack: boolean, opened: Set<string>): Moved {
    const { from, to, currency } = move;
    const isGift = !isHouse(from) && !isHouse(to) && !isSetAside(from) && from !== ownerOf(to);
    const isUndoing = kind === "refund" || kind === "chargeback" || kind === "adjustment";
    if (isGift && !isUndoing && !RULES[currency]?.isSent) throw new Refused("not-transferable");
    for (const side of [from, to]) {
      const id = `${ownerOf(side)}:${currency}`;
      if (isHouse(side) || opened.has(id)) continue;
      this.open(ownerOf(side), currency);
      opened.add(id);
    }
    const lots = this.#leave(kind, move, takesBack);
    this.#enter(kind, move, lots);
    const [wanted, ...more] = move.lots ?? [];
    if (!wanted || more.length > 0 || worth(lots) === move.amount) return { ...move, lots };
    const { amount: _, ...owed } = wanted;
    return { ...move, lots, owed };
  }

  #leave(kind: ModelKind, { from, amount, currency, lots, as }: ModelMove, takesBack: boolean): ModelLot[] {
    if (isHouse(from)) {
      this.#book(from, currency, -amount);
      return lots ? [...lots] : [{ ...(as ?? { source: BECOMES[kind] ?? "bought" }), amount }];
    }
    const account = this.#account(from, currency);
    if (isSetAside(from)) {
      account.held -= amount;
      return [...(lots ?? [])];
    }
    if (takesBack) return this.#takeBack(account, amount, currency, lots ?? []);
    if (account.frozen && kind !== "adjustment") throw new Refused("account-frozen");
    if (worth(account.lots) < amount) throw new Refused("insufficient-funds");
    return pick(account.lots, amount, currency);
  }

  #takeBack(account: ModelAccount, amount: number, currency: string, given: readonly ModelLot[]): ModelLot[] {
    const taken: ModelLot[] = [];
    const short = new Map<string, number>();
    for (const { clearsAt = 0, ...rest } of given) {
      const lot = clearsAt > this.now ? { ...rest, clearsAt } : rest;
      const same = account.lots.find((one) => kindOf(one) === kindOf(lot));
      const found = same && part(account.lots, same, lot.amount);
      if (found) taken.push(found);
      short.set(lot.source, (short.get(lot.source) ?? 0) + lot.amount - (found?.amount ?? 0));
    }
    for (const [source, missing] of short) {
      const alike = account.lots.filter((lot) => lot.source === source);
      const others = account.lots.filter((lot) => lot.source !== source);
      taken.push(...pick(alike, Math.min(missing, worth(alike)), currency));
      account.lots = [...others, ...alike];
    }
    const others = Math.min(amount - worth(taken), worth(account.lots));
    taken.push(...pick(account.lots, others, currency));
    account.owed += amount - worth(taken);
    return taken;
  }

  #enter(kind: ModelKind, { to, amount, currency, as }: ModelMove, lots: readonly ModelLot[]): void {
    if (isHouse(to)) {
      this.#book(to, currency, amount);
      return;
    }
    const account = this.#account(to, currency);
    if (isSetAside(to)) {
      account.held += amount;
      return;
    }
    const short = amount - worth(lots);
    const entering: ModelLot[] = as ? [{ ...as, amount }] : [...lots];
    if (!as && short > 0) entering.push({ source: BECOMES[kind] ?? "bought", amount: short });
    const settled = Math.min(account.owed, amount);
    pick(entering, settled, currency);
    account.owed -= settled;
    for (const lot of entering) pile(account.lots, lot);
    if (worth(account.lots) + account.held > (RULES[currency]?.most ?? 0)) throw new Refused("balance-too-large");
  }

  #account(side: string, currency: string): ModelAccount {
    const account = this.accounts.get(`${ownerOf(side)}:${currency}`);
    if (!account) throw new Error(`${side} was not opened`);
    return account;
  }

  #book(name: string, currency: string, amount: number): void {
    const id = `${name} ${currency}`;
    this.house.set(id, (this.house.get(id) ?? 0) + amount);
  }
}

function* backward({ from, to, amount, currency, lots, as, owed }: Moved): Generator<ModelMove> {
  const way = { from: ownerOf(to), to: ownerOf(from), currency };
  if (way.from === way.to) return;
  const short = amount - worth(lots);
  const whole = owed && short > 0 ? [...lots, { ...owed, amount: short }] : lots;
  for (const { amount: share, ...kind } of whole) {
    const was = isHouse(way.to) ? {} : { as: kind };
    yield { ...way, amount: share, lots: [{ ...(as ?? kind), amount: share }], ...was };
  }
  if (!owed && short > 0) yield { ...way, amount: short, ...(as ? { lots: [{ ...as, amount: short }] } : {}) };
}

function lotsOf(moved: readonly Moved[]): ModelLot[] {
  return moved.flatMap(({ lots }) => [...lots]);
}

export function kindOf({ source, clearsAt, expiresAt }: LotKind): string {
  return JSON.stringify([source, clearsAt ?? null, expiresAt ?? null]);
}

/** Puts a lot to those of its kind. */
function pile(lots: ModelLot[], lot: ModelLot): void {
  const at = lots.findIndex((one) => kindOf(one) === kindOf(lot));
  const same = lots[at];
  if (same) lots[at] = { ...same, amount: same.amount + lot.amount };
  else if (lot.amount > 0) lots.push(lot);
}

/** Takes up to an amount out of one of the lots. */
function part(lots: ModelLot[], lot: ModelLot, amount: number): ModelLot {
  const taken = Math.min(lot.amount, amount);
  const at = lots.indexOf(lot);
  if (taken === lot.amount) lots.splice(at, 1);
  else lots[at] = { ...lot, amount: lot.amount - taken };
  return { ...lot, amount: taken };
}

/** Takes an amount out of lots, one after the other, of which each is the next to be spent of those that are left. */
function pick(lots: ModelLot[], amount: number, currency: string): ModelLot[] {
  const taken: ModelLot[] = [];
  for (let missing = amount; missing > 0; ) {
    let next: ModelLot | undefined;
    for (const lot of lots) if (!next || isSpentBefore(lot, next, currency)) next = lot;
    if (!next) throw new Error(`${missing} are missing`);
    const some = part(lots, next, missing);
    taken.push(some);
    missing -= some.amount;
  }
  return taken;
}

/** What ends first; of what ends together, by source; of one source, what is the last to clear. */
function isSpentBefore(a: ModelLot, b: ModelLot, currency: string): boolean {
  const [endOfA, endOfB] = [a.expiresAt ?? 1e300, b.expiresAt ?? 1e300];
  if (endOfA !== endOfB) return endOfA < endOfB;
  const order = RULES[currency]?.order ?? "";
  if (a.source !== b.source) return order.indexOf(a.source) < order.indexOf(b.source);
  return (a.clearsAt ?? 0) > (b.clearsAt ?? 0);
}

/** Parts an amount by weights; single units that are left go to those who were cut the most, the earlier first. */
export function shares(amount: number, weights: readonly number[]): number[] {
  let whole = 0;
  for (const weight of weights) whole += weight;
  const parts = weights.map((weight) => Math.floor((amount * weight) / whole));
  const cut = (i: number) => (amount * (weights[i] ?? 0)) % whole;
  const places = weights.map((_, i) => i).sort((a, b) => cut(b) - cut(a) || a - b);
  let given = 0;
  for (const one of parts) given += one;
  for (const place of places.slice(0, amount - given)) parts[place] = (parts[place] ?? 0) + 1;
  return parts;
}
