import {
  FieldPath,
  firestore,
  type Query,
  type Timestamp,
  type Transaction,
  timestamp,
} from "../platform/firestore.ts";
import { canonical } from "../platform/ids.ts";
import { EMPTY, total } from "./balance.ts";
import { contentOf, isSigned } from "./chain.ts";
import { addDigests, digestOf, isHeadSigned, isManifestSigned, NO_DIGEST } from "./heads.ts";
import { inOrder, sum } from "./lots.ts";
import {
  type Account,
  accounts,
  type Head,
  type Hold,
  heads,
  holds,
  isSystemAccount,
  manifests,
  type TransactionRecord,
  transactions,
} from "./records.ts";
import { Misfit, next, type Standing } from "./replay.ts";

/**
 * The verifier: reads the books at one moment and checks that they are what the ledger has written. Whoever has changed, dropped, added
 * or put back anything without the ledger's key is found, with the first document that does not fit.
 */

const PAGE = 300;
/** Problems that are named; who finds so many has seen enough. */
const MAX_PROBLEMS = 50;
const MAX_MANIFEST_AGE_MILLIS = 2 * 86_400_000;

export interface Problem {
  /** The path of the document. */
  readonly document: string;
  readonly what: string;
}

export interface Verified {
  readonly problems: readonly Problem[];
  readonly accounts: number;
  /** Places in chains that were replayed. */
  readonly links: number;
  readonly transactions: number;
  /** By currency: what users have, which is what the house has given. */
  readonly totals: Readonly<Record<string, number>>;
  /** The moment that was looked at. */
  readonly readTime: Timestamp;
}

export interface VerifyOptions {
  /**
   * `all`: every transaction there has ever been. `since-heads`: chains from their last signed heads on, and neither transactions
   * outside of them nor holds and totals, which need all.
   */
  readonly scope: "all" | "since-heads";
  /** Whether heads must have been signed lately. */
  readonly expectsHeads?: boolean;
}

/** Checks the books. Bill: a read for each account, head, hold and transaction looked at, one more for each place in a chain. */
export async function verify({ scope, expectsHeads = false }: VerifyOptions): Promise<Verified> {
  const readTime = timestamp(Date.now());
  return await firestore().runTransaction(
    async (tx) => {
      const run = new Run(tx, scope);
      await run.chains();
      await run.heads(expectsHeads);
      if (scope === "all") {
        await run.everyTransaction();
        await run.everyHold();
        run.totals();
      }
      return { ...run.result(), readTime };
    },
    { readOnly: true },
  );
}

interface Linked {
  readonly id: string;
  readonly record: TransactionRecord;
}

class Run {
  readonly #tx: Transaction;
  readonly #scope: VerifyOptions["scope"];
  readonly #problems: Problem[] = [];
  #accounts = 0;
  #links = 0;
  #transactions = 0;
  /** Transactions that were met in chains, as `account transaction`. */
  readonly #met = new Set<string>();
  readonly #held = new Map<string, number>();
  /** By currency, what accounts say and what transactions have posted to users. */
  readonly #stated = new Map<string, number>();
  readonly #posted = new Map<string, number>();
  /** By hold, what transactions have left in it, and who its owner is. */
  readonly #remaining = new Map<string, number>();
  readonly #reversals = new Map<string, string>();
  #digest = NO_DIGEST;
  #heads = 0;

  constructor(tx: Transaction, scope: VerifyOptions["scope"]) {
    this.#tx = tx;
    this.#scope = scope;
  }

  result(): Omit<Verified, "readTime"> {
    return {
      problems: this.#problems,
      accounts: this.#accounts,
      links: this.#links,
      transactions: this.#transactions,
      totals: Object.fromEntries([...this.#stated].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  /** Every account: its chain from the last signed head, or from the beginning, to where it says that it stands. */
  async chains(): Promise<void> {
    for await (const page of pages(this.#tx, accounts().orderBy(FieldPath.documentId()))) {
      const signed = await this.#headsOf(page.map(({ id }) => id));
      await Promise.all(page.map(({ id, data }) => this.#chain(id, data, signed.get(id))));
    }
  }

  /** The heads together: none was put back, and none is missing. */
  async heads(expectsHeads: boolean): Promise<void> {
    for await (const page of pages(this.#tx, heads().orderBy(FieldPath.documentId()))) {
      for (const { id, data } of page) {
        this.#heads++;
        this.#digest = addDigests(this.#digest, digestOf(id, data));
        if (!isHeadSigned(id, data)) this.#note(`heads/${id}`, "its signature is not of what it says");
      }
    }
    const path = "manifests/current";
    const manifest = (await this.#tx.get(manifests().doc("current"))).data();
    if (!manifest) {
      if (this.#heads > 0 || expectsHeads) this.#note(path, "it is missing");
      return;
    }
    if (!isManifestSigned(manifest)) this.#note(path, "its signature is not of what it says");
    if (manifest.digest !== this.#digest || manifest.accounts !== this.#heads) {
      this.#note(path, `it is not of the ${this.#heads} heads that there are`);
    }
    if (expectsHeads && manifest.signedAt.toMillis() < Date.now() - MAX_MANIFEST_AGE_MILLIS) {
      this.#note(path, `heads were last signed on ${manifest.day}`);
    }
  }

  /** Every transaction: signed, in the chains that it names, balanced, and reversed by what it says. */
  async everyTransaction(): Promise<void> {
    for await (const page of pages(this.#tx, transactions().orderBy(FieldPath.documentId()))) {
      for (const { id, data } of page) this.#transaction(id, data);
    }
    for (const [id, reversal] of this.#reversals) {
      this.#note(`transactions/${id}`, `it and ${reversal} do not name each other as reversal and reversed`);
    }
    for (const met of this.#met) {
      this.#note(
        `transactions/${met.slice(met.lastIndexOf(" ") + 1)}`,
        "it is in a chain and not among the transactions",
      );
    }
  }

  /** Every hold: what is left of it is what transactions have left, and its owner's account holds the sum. */
  async everyHold(): Promise<void> {
    for await (const page of pages(this.#tx, holds().orderBy(FieldPath.documentId()))) {
      for (const { id, data } of page) this.#hold(id, data);
    }
    for (const [id, amount] of this.#remaining) {
      if (amount !== 0) this.#note(`holds/${id}`, `it is missing, with ${amount} held`);
    }
    for (const [account, amount] of this.#held) {
      if (amount !== 0) this.#note(`accounts/${account}`, `it holds ${amount} that no hold accounts for`);
    }
  }

  /** Each currency: what users have is what was posted to them. */
  totals(): void {
    for (const currency of new Set([...this.#stated.keys(), ...this.#posted.keys()])) {
      const [stated, posted] = [this.#stated.get(currency) ?? 0, this.#posted.get(currency) ?? 0];
      if (stated !== posted) {
        this.#note("accounts", `together they have ${stated} ${currency}, and transactions have given them ${posted}`);
      }
    }
  }

  async #headsOf(ids: readonly string[]): Promise<Map<string, Head>> {
    if (ids.length === 0) return new Map();
    const found = await this.#tx.getAll(...ids.map((id) => heads().doc(id)));
    return new Map(
      found.flatMap((snapshot) => (snapshot.exists ? [[snapshot.id, snapshot.data() as Head] as const] : [])),
    );
  }

  async #chain(id: string, account: Account, head: Head | undefined): Promise<void> {
    this.#accounts++;
    add(this.#stated, account.currency, total(account));
    if (account.held > 0) add(this.#held, id, account.held);
    const path = `accounts/${id}`;
    if (head && head.seq > account.seq) {
      this.#note(path, `it stands at ${account.seq}, and stood at ${head.seq} when its head was signed`);
      return;
    }
    const from: Standing =
      head && this.#scope === "since-heads" && isHeadSigned(id, head) ? head : { ...EMPTY, seq: 0, hash: "" };
    const chain = await this.#walk(id, account, from.seq);
    if (!chain) return;
    const standing = this.#replay(id, { chain, from, head });
    if (!standing) return;
    if (!isSame(account, standing)) this.#note(path, "it does not say what its transactions have made of it");
  }

  /** Where a chain leads from a place; undefined if it breaks. */
  #replay(
    id: string,
    { chain, from, head }: { chain: readonly Linked[]; from: Standing; head: Head | undefined },
  ): Standing | undefined {
    let standing = from;
    for (const link of chain) {
      try {
        standing = next(id, standing, link);
      } catch (error) {
        if (!(error instanceof Misfit)) throw error;
        this.#note(`transactions/${link.id}`, error.message);
        return undefined;
      }
      if (head?.seq === standing.seq && head.hash !== standing.hash) {
        this.#note(`transactions/${link.id}`, `it is not what stood in its place when the head of ${id} was signed`);
        return undefined;
      }
    }
    return standing;
  }

  /** The transactions of an account behind a place, oldest first; undefined if one is missing. */
  async #walk(id: string, account: Account, behind: number): Promise<Linked[] | undefined> {
    const chain: Linked[] = [];
    let at = account.head.transaction;
    let from = `accounts/${id}`;
    for (let seq = account.seq; seq > behind; seq--) {
      const record = at === "" ? undefined : (await this.#tx.get(transactions().doc(at))).data();
      const link = record?.links[id];
      if (!record || !link || link.seq !== seq) {
        this.#note(at === "" ? from : `transactions/${at}`, `number ${seq} of ${id} should be here, and is not`);
        return undefined;
      }
      this.#links++;
      if (this.#scope === "all") this.#met.add(`${id} ${at}`);
      chain.push({ id: at, record });
      from = `transactions/${at}`;
      at = link.previous;
    }
    return chain.reverse();
  }

  #transaction(id: string, record: TransactionRecord): void {
    this.#transactions++;
    const path = `transactions/${id}`;
    if (!isSigned(contentOf(id, record), record.signature)) this.#note(path, "its signature is not of what it says");
    for (const account of Object.keys(record.links)) {
      if (!this.#met.delete(`${account} ${id}`)) this.#note(path, `it is in no place of the chain of ${account}`);
    }
    for (const { from, to, amount, currency } of record.postings) {
      add(this.#posted, currency, (isSystemAccount(to) ? 0 : amount) - (isSystemAccount(from) ? 0 : amount));
    }
    const held = record.postings.reduce(
      (change, { from, to, amount }) => change + (isHeld(to) ? amount : 0) - (isHeld(from) ? amount : 0),
      0,
    );
    if (held !== 0) add(this.#remaining, record.kind === "hold" ? id : String(record.metadata.hold), held);
    if (record.reverses !== undefined) pair(this.#reversals, record.reverses, id);
    if (record.reversedBy !== undefined) pair(this.#reversals, id, record.reversedBy);
  }

  #hold(id: string, hold: Hold): void {
    const left = hold.amount - hold.captured - hold.released;
    const booked = this.#remaining.get(id) ?? 0;
    this.#remaining.delete(id);
    const moved = Object.values(hold.moves).reduce((whole, { amount }) => whole + amount, 0);
    const isWhole = left === booked && sum(hold.lots) === left && moved === hold.captured + hold.released;
    if (!isWhole || (hold.state === "active") !== left > 0) {
      this.#note(`holds/${id}`, `it says that ${left} are left, and its transactions that ${booked} are`);
    }
    if (left !== 0) add(this.#held, `${hold.owner}:${hold.currency}`, -left);
  }

  #note(document: string, what: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ document, what });
  }
}

function isSame(account: Account, { seq, hash, available, held, owed, lots, frozen = false }: Standing): boolean {
  const stated = [account.seq, account.head.hash, account.available, account.held, account.owed];
  return (
    canonical(stated) === canonical([seq, hash, available, held, owed]) &&
    canonical(inOrder(account.lots)) === canonical(inOrder(lots)) &&
    (account.frozen ?? false) === frozen
  );
}

function isHeld(account: string): boolean {
  return account.endsWith("/held");
}

function add(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

/** Notes one half of a pair that has to be met twice, once from either side. */
function pair(pairs: Map<string, string>, reversed: string, reversal: string): void {
  if (pairs.get(reversed) === reversal) pairs.delete(reversed);
  else pairs.set(reversed, reversal);
}

/** All documents of a query, page by page, as they are at the transaction's time. */
async function* pages<Shape>(tx: Transaction, query: Query<Shape>): AsyncGenerator<{ id: string; data: Shape }[]> {
  let last: string | undefined;
  for (;;) {
    const page = last === undefined ? query : query.startAfter(last);
    const { docs } = await tx.get(page.limit(PAGE));
    yield docs.map((document) => ({ id: document.id, data: document.data() }));
    last = docs.at(-1)?.id;
    if (docs.length < PAGE) return;
  }
}
