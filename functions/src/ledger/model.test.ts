import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import {
  kindOf,
  LedgerModel,
  type ModelHold,
  type ModelKind,
  type ModelLot,
  type ModelMove,
  type ModelTransaction,
  Refused,
  shares,
  worth,
} from "../../testing/ledger.ts";
import { now, setClock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { timestamp } from "../platform/firestore.ts";
import { EMPTY } from "./balance.ts";
import { Books } from "./books.ts";
import { currencyOf } from "./currencies.ts";
import { expireLots } from "./expiry.ts";
import { freeze } from "./freeze.ts";
import { capture, expireHolds, hold, release, renew } from "./holds.ts";
import { takeLots } from "./lots.ts";
import { post } from "./post.ts";
import { type Account, accounts, heldBy, holds, type TransactionRecord, transactions } from "./records.ts";
import { next, type Standing } from "./replay.ts";
import { accountsOf, type NewTransaction, transactionId } from "./request.ts";
import { reversalOf, reverse } from "./reverse.ts";
import { split } from "./split.ts";
import { verify } from "./verify.ts";

/**
 * Random histories are played to the ledger and to a model of it that shares nothing with it, testing/ledger.ts. Whatever happens, both
 * answer the same and hold the same in the end.
 */
useBackend();
const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const USERS = ["ada", "bo", "cy"] as const;
const JUDGED_RUNS = 2_500;
const PLAYED_RUNS = 200;
/** On a machine that is slow or busy there are fewer. */
const JUDGED_MILLIS = 15_000;
const PLAYED_MILLIS = 30_000;

type Reversal = "refund" | "chargeback" | "adjustment";

interface HoldMove {
  readonly key: string;
  readonly hold: string;
  readonly amount?: number;
  readonly reference: string;
}

/** What is put to the test: the ledger over the wire, or its judge in memory. */
interface Ledger {
  /** Whether it keeps what was asked for under a key. */
  readonly knowsKeys: boolean;
  /** Whether what is held goes before anything is owed; that is not for the judge to see to. */
  readonly freesHolds: boolean;
  make(request: NewTransaction): Promise<string>;
  hold(request: {
    key: string;
    owner: string;
    currency: string;
    amount: number;
    expiresAt: number;
    reference: string;
  }): Promise<string>;
  capture(
    request: HoldMove & { payees: readonly { to: string; weight: number }[]; feeBasisPoints: number },
  ): Promise<string>;
  release(request: HoldMove): Promise<string>;
  renew(hold: string, expiresAt: number): Promise<void>;
  reverse(transaction: string, kind: Reversal): Promise<string>;
  freeze(user: string, currency: string, frozen: boolean): Promise<void>;
  expire(): Promise<void>;
}

const over: Ledger = {
  knowsKeys: true,
  freesHolds: true,
  make: async (request) => {
    await post(request);
    return transactionId(request.key);
  },
  hold: async (request) => (await hold(request)).id,
  capture: async (request) => (await capture(request)).id,
  release: async (request) => (await release(request)).id,
  renew,
  reverse: async (transaction, kind) => (await reverse({ transaction, kind, reference: "back" })).id,
  freeze: async (user, currency, frozen) => {
    await freeze({ user, currency, frozen, note: "test", operator: "test" });
  },
  expire: async () => {
    await expireHolds();
    await expireLots();
  },
};

/** The judge, with what is around it in the shortest form: no documents, and holds as their lots. */
class Judge implements Ledger {
  readonly knowsKeys = false;
  readonly freesHolds = false;
  readonly accounts = new Map<string, Account>();
  readonly records = new Map<string, TransactionRecord>();
  readonly #holds = new Map<string, { owner: string; currency: string; lots: ModelLot[]; expiresAt: number }>();

  async make(request: NewTransaction): Promise<string> {
    const books = new Books(timestamp());
    for (const id of accountsOf(request)) books.load(id, this.accounts.get(id));
    const entry = books.enter(request);
    this.records.set(entry.id, entry.record);
    for (const [id, account] of entry.accounts) this.accounts.set(id, account);
    return entry.id;
  }

  async hold({ key, owner, currency, amount, expiresAt, reference }: Parameters<Ledger["hold"]>[0]): Promise<string> {
    const postings = [{ from: owner, to: heldBy(owner), amount, currency }];
    const id = await this.make({ key, kind: "hold", postings, reference });
    this.#holds.set(id, { owner, currency, lots: this.records.get(id)?.postings.at(-1)?.lots ?? [], expiresAt });
    return id;
  }

  async capture({ payees, feeBasisPoints, ...move }: Parameters<Ledger["capture"]>[0]): Promise<string> {
    return await this.#moveHold("capture", move, (amount) => {
      const fee = Math.floor((amount * feeBasisPoints) / 10_000);
      const parts = split(
        amount - fee,
        payees.map(({ weight }) => weight),
      );
      const as = { source: "earned" as const };
      return [...payees.map(({ to }, i) => ({ to, amount: parts[i] ?? 0, as })), { to: "system:fees", amount: fee }];
    });
  }

  async release(move: HoldMove): Promise<string> {
    const { owner = "" } = this.#holds.get(move.hold) ?? {};
    return await this.#moveHold("release", move, (amount) => [{ to: owner, amount }]);
  }

  async #moveHold(
    kind: "capture" | "release",
    { key, hold: id, amount: wanted, reference }: HoldMove,
    parts: (amount: number) => { to: string; amount: number; as?: { source: "earned" } }[],
  ): Promise<string> {
    const current = this.#holds.get(id) ?? expect.fail();
    const { owner, currency } = current;
    const left = worth(current.lots);
    const amount = wanted ?? left;
    if (left === 0) throw new Refused("hold-closed");
    if (!Number.isInteger(amount) || amount < 1) throw new Refused("invalid-amount");
    if (amount > left) throw new Refused("hold-too-small");
    let rest = current.lots;
    const postings = parts(amount)
      .filter((part) => part.amount > 0)
      .map((part) => {
        const { taken, left: others } = takeLots(rest, part.amount, currencyOf(currency).spendOrder);
        rest = others;
        const { as, ...payee } = part;
        const clearsAt = Math.max(...taken.map((lot) => lot.clearsAt ?? 0));
        const earned = as && part.to !== owner ? { as: clearsAt > now() ? { ...as, clearsAt } : as } : {};
        return { from: heldBy(owner), currency, lots: taken, ...payee, ...earned };
      });
    const made = await this.make({ key, kind, postings, reference });
    current.lots = rest;
    return made;
  }

  async renew(id: string, expiresAt: number): Promise<void> {
    const current = this.#holds.get(id) ?? expect.fail();
    if (expiresAt <= now()) throw new RangeError("past");
    if (current.lots.length === 0) throw new Refused("hold-closed");
    if (current.expiresAt === expiresAt) return;
    current.expiresAt = expiresAt;
    const { owner, currency } = current;
    const { seq } = this.accounts.get(`${owner}:${currency}`) ?? expect.fail();
    const expires = [{ owner, currency }];
    await this.make({ key: `renew ${id} ${seq}`, kind: "renew", postings: [], reference: "test", expires });
  }

  async reverse(transaction: string, kind: Reversal): Promise<string> {
    const original = this.records.get(transaction) ?? expect.fail();
    if (original.reversedBy !== undefined) return original.reversedBy;
    const id = await this.make(reversalOf(original, { transaction, kind, reference: "back" }));
    this.records.set(transaction, { ...original, reversedBy: id });
    return id;
  }

  async freeze(owner: string, currency: string, frozen: boolean): Promise<void> {
    const before = this.accounts.get(`${owner}:${currency}`);
    if ((before?.frozen ?? false) === frozen) return;
    const kind = frozen ? "freeze" : "unfreeze";
    const key = `freeze ${owner} ${currency} ${before?.seq}`;
    await this.make({ key, kind, postings: [], reference: "test", expires: [{ owner, currency }] });
  }

  async expire(): Promise<void> {
    const due = [...this.#holds].filter(([, { expiresAt, lots }]) => expiresAt <= now() && lots.length > 0);
    for (const [id] of due.sort(([, a], [, b]) => a.expiresAt - b.expiresAt)) {
      await this.release({ key: `expiry ${id}`, hold: id, reference: "expiry" });
    }
    for (const [id, { owner, currency, seq, lots }] of this.accounts) {
      if (!lots.some(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt <= now())) continue;
      const expires = [{ owner, currency }];
      await this.make({ key: `expiry ${id} ${seq}`, kind: "expiry", postings: [], reference: "expiry", expires });
    }
  }
}

/** A request under a key, which can be sent again as it was or as another one. */
interface Sent {
  readonly key: string;
  readonly send: (reference: string) => Promise<void>;
}

/** One history, played to both. */
class Play {
  readonly model: LedgerModel;
  readonly holdIds: string[] = [];
  readonly outcomes: string[] = [];
  readonly #ledger: Ledger;
  readonly #made: { id: string; model: ModelTransaction }[] = [];
  readonly #sent: Sent[] = [];
  readonly #accepted = new Map<string, { reference: string; id: string }>();
  #steps = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.model = new LedgerModel(START, { freesHolds: ledger.freesHolds });
  }

  async step(step: Step): Promise<void> {
    this.#steps++;
    await step(this);
  }

  async make(kind: ModelKind & NewTransaction["kind"], moves: readonly ModelMove[]): Promise<void> {
    await this.#keyed(
      (key, reference) => this.#ledger.make({ key, kind, postings: moves, reference }),
      () => this.model.make(kind, moves),
    );
  }

  async hold(owner: string, currency: string, amount: number, lasts: number): Promise<void> {
    const expiresAt = this.model.now + lasts * HOUR + this.#steps;
    await this.#keyed(
      async (key, reference) => {
        const id = await this.#ledger.hold({ key, owner, currency, amount, expiresAt, reference });
        if (!this.holdIds.includes(id)) this.holdIds.push(id);
        return id;
      },
      () => {
        if (expiresAt <= this.model.now) throw new Refused("too-late");
        return this.model.hold(owner, currency, amount, expiresAt);
      },
    );
  }

  async capture(which: number, amount: number | undefined, payees: readonly Payee[], fee: number): Promise<void> {
    const found = this.#hold(which);
    if (!found) return;
    const parts = (whole: number): [string, number][] => {
      const kept = Math.floor((whole * fee) / 10_000);
      const each = shares(
        whole - kept,
        payees.map(({ weight }) => weight),
      );
      return [...payees.map(({ to }, i): [string, number] => [to, each[i] ?? 0]), ["system:fees", kept]];
    };
    const some = amount === undefined ? {} : { amount };
    await this.#keyed(
      (key, reference) =>
        this.#ledger.capture({ key, hold: found.id, ...some, payees, feeBasisPoints: fee, reference }),
      () => this.model.moveHold(found.model, "capture", { amount, parts }),
    );
  }

  async release(which: number, amount: number | undefined): Promise<void> {
    const found = this.#hold(which);
    if (!found) return;
    const parts = (whole: number): [string, number][] => [[found.model.owner, whole]];
    await this.#keyed(
      (key, reference) =>
        this.#ledger.release({ key, hold: found.id, ...(amount === undefined ? {} : { amount }), reference }),
      () => this.model.moveHold(found.model, "release", { amount, parts }),
    );
  }

  async renew(which: number, lasts: number): Promise<void> {
    const found = this.#hold(which);
    if (!found) return;
    const expiresAt = this.model.now + lasts * HOUR + this.#steps;
    const { amount, captured, released } = found.model;
    const expected = captured + released === amount ? "hold-closed" : "ok";
    expect(await outcome(() => this.#ledger.renew(found.id, expiresAt))).toBe(expected);
    if (expected === "ok") this.model.renew(found.model, expiresAt);
  }

  async reverse(which: number, kind: Reversal): Promise<void> {
    const original = this.#made[which % Math.max(1, this.#made.length)];
    if (!original) return;
    let back: ModelTransaction | undefined;
    const expected = await outcome(async () => {
      back = this.model.reverse(original.model, kind);
    });
    let id = "";
    const actual = await outcome(async () => {
      id = await this.#ledger.reverse(original.id, kind);
    });
    this.#compare(actual, expected);
    if (back) this.#made.push({ id, model: back });
  }

  async freeze(user: string, currency: string, frozen: boolean): Promise<void> {
    await this.#ledger.freeze(user, currency, frozen);
    this.model.freeze(user, currency, frozen);
  }

  async expire(): Promise<void> {
    await this.#ledger.expire();
    this.model.expire();
  }

  /** Sends something again, as it was or changed. */
  async again(which: number, isChanged: boolean): Promise<void> {
    const sent = this.#sent[which % Math.max(1, this.#sent.length)];
    if (sent && this.#ledger.knowsKeys) await sent.send(isChanged ? "another" : "test");
  }

  /** Uses a key for something else altogether. */
  async misuse(which: number, hold: number): Promise<void> {
    const key = [...this.#accepted.keys()][which % Math.max(1, this.#accepted.size)];
    if (!key || !this.#ledger.knowsKeys) return;
    const postings = [{ from: "system:mint", to: "ada", amount: 7_777, currency: "COIN" }];
    const gift = () => this.#ledger.make({ key, kind: "grant", postings, reference: "misuse" });
    expect(await outcome(gift)).toBe("idempotency-key-reused");
    const found = this.#hold(hold);
    if (!found || found.model.captured + found.model.released === found.model.amount) return;
    const back = () => this.#ledger.release({ key, hold: found.id, reference: "misuse" });
    expect(await outcome(back)).toBe("idempotency-key-reused");
  }

  async #keyed(
    inLedger: (key: string, reference: string) => Promise<string>,
    inModel: () => ModelTransaction,
  ): Promise<void> {
    const key = `step ${this.#steps}`;
    const send = async (reference: string) => {
      const accepted = this.#accepted.get(key);
      let made: ModelTransaction | undefined;
      const expected = accepted
        ? accepted.reference === reference
          ? "ok"
          : "idempotency-key-reused"
        : await outcome(async () => {
            made = inModel();
          });
      let id = "";
      const actual = await outcome(async () => {
        id = await inLedger(key, reference);
      });
      this.#compare(actual, expected);
      if (actual === "ok" && accepted) expect(id).toBe(accepted.id);
      if (made) {
        this.#accepted.set(key, { reference, id });
        this.#made.push({ id, model: made });
      }
    };
    this.#sent.push({ key, send });
    await send("test");
  }

  #hold(which: number): { id: string; model: ModelHold } | undefined {
    const place = which % Math.max(1, this.holdIds.length);
    const [id, model] = [this.holdIds[place], this.model.holds[place]];
    return id && model ? { id, model } : undefined;
  }

  #compare(actual: string, expected: string): void {
    this.outcomes.push(actual);
    expect(actual, `step ${this.#steps}`).toBe(expected);
  }
}

/** `ok`, or for what reason not. */
async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "ok";
  } catch (error) {
    if (error instanceof Failure) return error.reason;
    if (error instanceof Refused) return error.message;
    if (error instanceof RangeError) return "too-late";
    throw error;
  }
}

type Step = (play: Play) => Promise<void>;
interface Payee {
  readonly to: string;
  readonly weight: number;
}

const user = fc.constantFrom(...USERS);
const currency = fc.constantFrom("COIN", "COIN", "COIN", "USD", "GEM");
const amount = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 120 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -5, 1.5, Number.NaN) },
);
const some = fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined });
const index = fc.nat(50);
const hours = fc.integer({ min: 1, max: 30 });
const lot = fc.record({
  source: fc.constantFrom("promotional" as const, "earned" as const, "bought" as const),
  clears: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  expires: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
});
const payees = fc.array(fc.record({ to: fc.oneof(user, fc.constant("system:jackpot")), weight: fc.nat(5) }), {
  minLength: 1,
  maxLength: 3,
});

const give = fc
  .tuple(user, currency, amount, lot, fc.constantFrom("grant" as const, "purchase" as const, "prize" as const))
  .map(
    ([to, currency, amount, { source, clears, expires }, kind]): Step =>
      (play) => {
        const [clearsAt, expiresAt] = [clears, expires].map((half) => half && START + half * 12 * HOUR);
        const as = { source, ...(clearsAt ? { clearsAt } : {}), ...(expiresAt ? { expiresAt } : {}) };
        return play.make(kind, [{ from: "system:mint", to, amount, currency, as }]);
      },
  );
const plain = fc
  .tuple(user, currency, amount, fc.constantFrom("grant" as const, "purchase" as const, "prize" as const))
  .map(
    ([to, currency, amount, kind]): Step =>
      (play) =>
        play.make(kind, [{ from: "system:mint", to, amount, currency }]),
  );
/** Nearly all that an account can hold of it. */
const riches = user.map(
  (to): Step =>
    (play) =>
      play.make("grant", [{ from: "system:mint", to, amount: 999_999_950, currency: "GEM" }]),
);
const spend = fc
  .tuple(user, currency, amount, fc.constantFrom("spend" as const, "payout" as const, "adjustment" as const))
  .map(
    ([from, currency, amount, kind]): Step =>
      (play) =>
        play.make(kind, [{ from, to: "system:revenue", amount, currency }]),
  );
const send = fc.tuple(user, user, currency, amount).map(
  ([from, to, currency, amount]): Step =>
    (play) =>
      play.make("transfer", [{ from, to, amount, currency }]),
);
const several = fc
  .array(fc.tuple(user, fc.oneof(user, fc.constant("system:fees")), amount), { minLength: 2, maxLength: 4 })
  .map(
    (moves): Step =>
      (play) =>
        play.make(
          "transfer",
          moves.map(([from, to, amount]) => ({ from, to, amount, currency: "COIN" })),
        ),
  );
const setAside = fc.tuple(user, currency, amount, hours).map(
  ([owner, currency, amount, lasts]): Step =>
    (play) =>
      play.hold(owner, currency, amount, lasts),
);
const pay = fc.tuple(index, some, payees, fc.constantFrom(0, 250, 1_000, 10_000)).map(
  ([which, amount, to, fee]): Step =>
    (play) => {
      const weighed = to.map(({ to, weight }) => ({ to, weight: weight + 1 }));
      return play.capture(which, amount, weighed, fee);
    },
);
const back = fc.tuple(index, fc.constantFrom("refund" as const, "chargeback" as const, "adjustment" as const)).map(
  ([which, kind]): Step =>
    (play) =>
      play.reverse(which, kind),
);
const wait = hours.map(
  (hours): Step =>
    async (play) => {
      play.model.now += hours * HOUR;
    },
);

const history = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: give },
    { weight: 3, arbitrary: plain },
    { weight: 1, arbitrary: riches },
    { weight: 4, arbitrary: spend },
    { weight: 4, arbitrary: send },
    { weight: 2, arbitrary: several },
    { weight: 5, arbitrary: setAside },
    { weight: 5, arbitrary: pay },
    {
      weight: 3,
      arbitrary: fc.tuple(index, some).map(
        ([i, amount]): Step =>
          (play) =>
            play.release(i, amount),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(index, hours).map(
        ([i, lasts]): Step =>
          (play) =>
            play.renew(i, lasts),
      ),
    },
    { weight: 5, arbitrary: back },
    { weight: 3, arbitrary: wait },
    { weight: 2, arbitrary: fc.constant<Step>((play) => play.expire()) },
    {
      weight: 1,
      arbitrary: fc.tuple(user, currency, fc.boolean()).map(
        ([...what]): Step =>
          (play) =>
            play.freeze(...what),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(index, fc.boolean()).map(
        ([...what]): Step =>
          (play) =>
            play.again(...what),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(index, index).map(
        ([...what]): Step =>
          (play) =>
            play.misuse(...what),
      ),
    },
  ),
  { minLength: 5, maxLength: 25, size: "max" },
);

/** Plays a history with the clock of the model. */
async function played(steps: readonly Step[], ledger: Ledger): Promise<Play> {
  const play = new Play(ledger);
  const restore = setClock(() => play.model.now);
  try {
    for (const step of steps) await play.step(step);
    return play;
  } finally {
    restore();
  }
}

const inOrder = (lots: readonly ModelLot[]) => [...lots].sort((a, b) => (kindOf(a) < kindOf(b) ? -1 : 1));

function expectSameAccounts(found: ReadonlyMap<string, Account>, { accounts: expected }: LedgerModel): void {
  const seen = [...found].map(([id, { available, held, owed, frozen = false, lots }]) => [
    id,
    { available, held, owed, frozen, lots: inOrder(lots) },
  ]);
  const said = [...expected].map(([id, { held, owed, frozen, lots }]) => [
    id,
    { available: worth(lots), held, owed, frozen, lots: inOrder(lots) },
  ]);
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(said));
}

/** What was posted to the house is what the model says; and together with what users have it is nothing. */
function expectBalanced(records: Iterable<TransactionRecord>, { house, accounts: users }: LedgerModel): void {
  const posted = new Map<string, number>();
  const add = (side: string, currency: string, amount: number) => {
    if (side.startsWith("system:"))
      posted.set(`${side} ${currency}`, (posted.get(`${side} ${currency}`) ?? 0) + amount);
  };
  for (const { postings } of records) {
    for (const { from, to, amount, currency } of postings) {
      add(from, currency, -amount);
      add(to, currency, amount);
    }
  }
  expect(Object.fromEntries(posted)).toEqual(Object.fromEntries(house));
  for (const code of ["COIN", "GEM", "USD"]) {
    let net = 0;
    for (const [id, amount] of posted) net += id.endsWith(code) ? amount : 0;
    for (const [id, { lots, held, owed }] of users) net += id.endsWith(code) ? worth(lots) + held - owed : 0;
    expect(net, code).toBe(0);
  }
}

/** Every account is what its transactions, one after the other, make of it. */
function expectChained({ accounts: all, records }: Judge): void {
  for (const [id, account] of all) {
    const chain = [...records].filter(([, { links }]) => links[id]);
    let standing: Standing = { ...EMPTY, seq: 0, hash: "" };
    for (const [transaction, record] of chain) standing = next(id, standing, { id: transaction, record });
    const { available, held, owed, seq, frozen = false } = account;
    expect(standing).toMatchObject({ available, held, owed, seq, frozen, hash: account.head.hash });
  }
}

async function clear(): Promise<void> {
  const path = `emulator/v1/projects/${process.env.GCLOUD_PROJECT}/databases/(default)/documents`;
  await fetch(`http://${process.env.FIRESTORE_EMULATOR_HOST}/${path}`, { method: "DELETE" });
}

describe("whatever happens, and in whatever order, the ledger does what the model says", () => {
  test("as its judge in memory decides it", { timeout: 120_000 }, async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const judge = new Judge();
        const { model, outcomes } = await played(steps, judge);
        for (const one of outcomes) seen.add(one);
        expectSameAccounts(judge.accounts, model);
        expectBalanced(judge.records.values(), model);
        expectChained(judge);
      }),
      { numRuns: JUDGED_RUNS, interruptAfterTimeLimit: JUDGED_MILLIS },
    );
    // The histories are worth something: they come to all of these.
    for (const reason of ["ok", "insufficient-funds", "account-frozen", "not-transferable", "balance-too-large"])
      expect(seen).toContain(reason);
  });

  test("as it is kept, and the verifier agrees", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        await clear();
        const { model, holdIds } = await played(steps, over);
        const stored = await accounts().get();
        expectSameAccounts(new Map(stored.docs.map((one) => [one.id, one.data()])), model);
        const made = await transactions().get();
        expectBalanced(
          made.docs.map((one) => one.data()),
          model,
        );
        await expectSameHolds(holdIds, model);
        expect((await verify({ scope: "all" })).problems).toEqual([]);
      }),
      { numRuns: PLAYED_RUNS, interruptAfterTimeLimit: PLAYED_MILLIS },
    );
  });
});

async function expectSameHolds(ids: readonly string[], { holds: expected }: LedgerModel): Promise<void> {
  const found = new Map((await holds().get()).docs.map((one) => [one.id, one.data()]));
  expect(found.size).toBe(expected.length);
  for (const [i, { owner, currency, amount, captured, released, lots, expiresAt }] of expected.entries()) {
    const stored = found.get(ids[i] ?? "") ?? expect.fail();
    const isOver = captured + released === amount;
    const state = isOver ? (captured > 0 ? "captured" : "released") : "active";
    expect(stored).toMatchObject({ owner, currency, amount, captured, released, state });
    expect(inOrder(stored.lots)).toEqual(inOrder(lots));
    expect(stored.expiresAt.toMillis()).toBe(expiresAt);
  }
}
