import { now } from "../platform/clock.ts";
import type { Timestamp } from "../platform/firestore.ts";
import { canonical, isDocumentId } from "../platform/ids.ts";
import { EMPTY, total } from "./balance.ts";
import { dayOf } from "./books.ts";
import { isIncomingSigned } from "./chain.ts";
import { type Counts, countAccount, countHold, countPlace, countTransaction, isGenuine } from "./counts.ts";
import { addDigests, digestOf, isHeadSigned, isManifestSigned, NO_DIGEST } from "./heads.ts";
import { isInState, leftOf } from "./holdings.ts";
import { inOrder } from "./lots.ts";
import { dataOf, Gap, type Problem, Reader, readingAt } from "./reading.ts";
import {
  type Account,
  accountId,
  accountOfIncoming,
  accounts,
  type Head,
  type Hold,
  heads,
  holds,
  incoming,
  isSystemAccount,
  manifests,
  type TransactionRecord,
  transactions,
} from "./records.ts";
import { Misfit, next, type Standing } from "./replay.ts";
import { nameUneven } from "./second-look.ts";
import { Tally } from "./tally.ts";
import { chain } from "./walk.ts";

/**
 * The verifier: reads the books at one moment and checks that they are what the ledger has written. Whoever has changed, dropped, added
 * or put back anything without the ledger's key is found, with the first document that does not fit.
 *
 * It goes page by page and keeps no more than tallies of what it has seen, so its memory does not grow with the books. What a tally finds is
 * named by a second look at the few documents it may be.
 */

/** Chains that are walked at the same time. */
const MAX_CHAINS = 8;
const UNSIGNED = "its signature is not of what it says";
const MAX_MANIFEST_AGE_MILLIS = 2 * 86_400_000;

export interface Verified {
  readonly problems: readonly Problem[];
  readonly accounts: number;
  /** Places in chains that were replayed. */
  readonly links: number;
  readonly transactions: number;
  readonly holds: number;
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

/**
 * Checks the books. Bill: a read for each account, head, hold and transaction looked at, and one more for each place in a chain, two in
 * one of more than a thousand; of `all` the half again where something does not fit. Has an hour for it, because Firestore keeps the state of
 * a moment for so long.
 */
export async function verify({ scope, expectsHeads = false }: VerifyOptions): Promise<Verified> {
  const { readTime } = await manifests().doc("current").get();
  const run = new Run(new Reader(readingAt(readTime)), scope);
  await run.chains();
  await run.heads(expectsHeads);
  if (scope === "all") {
    await run.everyTransaction();
    await run.everyHold();
    await run.everyIncoming();
    await run.secondLook();
    run.totals();
  }
  return { ...run.result(), readTime };
}

/** What was read of an account's chain together with that of others. */
interface Known {
  readonly head: Head | undefined;
  readonly newest: TransactionRecord | undefined;
}

class Run {
  readonly #reader: Reader;
  readonly #scope: VerifyOptions["scope"];
  /** Accounts whose chains break: what is said of their places is not counted. */
  readonly #broken = new Set<string>();
  readonly #counts: Counts<Tally> = {
    places: new Tally(),
    reversals: new Tally(),
    facts: new Tally(),
    held: new Tally(),
  };
  #accounts = 0;
  #links = 0;
  #transactions = 0;
  #holds = 0;
  #heads = 0;
  #headsOfAccounts = 0;
  /** By currency, what accounts say and what transactions have posted to users. */
  readonly #stated = new Map<string, number>();
  readonly #posted = new Map<string, number>();
  /** By hot account, what it was given less what was folded into it. */
  readonly #incoming = new Map<string, number>();

  constructor(reader: Reader, scope: VerifyOptions["scope"]) {
    this.#reader = reader;
    this.#scope = scope;
  }

  result(): Omit<Verified, "readTime"> {
    return {
      problems: this.#reader.problems,
      accounts: this.#accounts,
      links: this.#links,
      transactions: this.#transactions,
      holds: this.#holds,
      totals: Object.fromEntries([...this.#stated].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  /** Every account: its chain from the last signed head, or from the beginning, to where it says that it stands. */
  async chains(): Promise<void> {
    for await (const page of this.#reader.pages(accounts())) {
      const signed = await this.#headsOf(page.map(({ id }) => id));
      const moved = page.filter(({ id, data }) => data.seq > this.#begin(signed.get(id)).seq);
      const newest = await this.#transactionsOf(moved.map(({ data }) => data.head.transaction));
      const work = page.map(({ id, data }) => () => {
        return this.#account(id, data, { head: signed.get(id), newest: newest.get(data.head.transaction) });
      });
      for (let i = 0; i < work.length; i += MAX_CHAINS) {
        await Promise.all(work.slice(i, i + MAX_CHAINS).map((one) => one()));
      }
    }
  }

  /** The heads together: none was put back, and none is missing. */
  async heads(expectsHeads: boolean): Promise<void> {
    let digest = NO_DIGEST;
    for await (const page of this.#reader.pages(heads())) {
      for (const { id, data } of page) {
        this.#heads++;
        digest = addDigests(digest, digestOf(id, data));
        if (!isHeadSigned(id, data)) this.#reader.note(`heads/${id}`, UNSIGNED);
      }
    }
    if (this.#heads > this.#headsOfAccounts) await this.#nameLost();
    await this.#manifest(digest, expectsHeads);
  }

  async #manifest(digest: string, expectsHeads: boolean): Promise<void> {
    const path = "manifests/current";
    const manifest = await this.#reader.get(manifests().doc("current"));
    if (manifest === "problem") return;
    if (!manifest) {
      if (this.#heads > 0 || expectsHeads) this.#reader.note(path, "it is missing");
      return;
    }
    if (!isManifestSigned(manifest)) this.#reader.note(path, UNSIGNED);
    if (manifest.digest !== digest || manifest.accounts !== this.#heads) {
      this.#reader.note(path, `it is not of the ${this.#heads} heads that there are`);
    }
    if (expectsHeads && manifest.signedAt.toMillis() < now() - MAX_MANIFEST_AGE_MILLIS) {
      this.#reader.note(path, `heads were last signed on ${manifest.day}`);
    }
  }

  /** Every transaction: signed, in the chains that it names, balanced, and reversed by what it says. */
  async everyTransaction(): Promise<void> {
    for await (const page of this.#reader.pages(transactions())) {
      for (const { id, data } of page) this.#transaction(id, data);
    }
  }

  /** Every hold: it is what transactions have made of it, and its owner's account holds the sum. */
  async everyHold(): Promise<void> {
    for await (const page of this.#reader.pages(holds())) {
      for (const { id, data } of page) this.#hold(id, data);
    }
  }

  /** What hot accounts were given and has not been folded in: as much as the house holds for them. */
  async everyIncoming(): Promise<void> {
    for await (const page of this.#reader.pages(incoming())) {
      for (const { id, data } of page) {
        if (!isIncomingSigned(id, data)) this.#reader.note(`incoming/${id}`, UNSIGNED);
        add(this.#incoming, data.account, -data.amount);
      }
    }
    for (const [account, amount] of this.#incoming) {
      if (amount !== 0) {
        this.#reader.note(
          "incoming",
          `the house holds ${amount} for ${account} that is not there; negative: that nobody gave`,
        );
      }
    }
  }

  /** Each currency: what users have is what was posted to them. */
  totals(): void {
    for (const currency of new Set([...this.#stated.keys(), ...this.#posted.keys()])) {
      const [stated, posted] = [this.#stated.get(currency) ?? 0, this.#posted.get(currency) ?? 0];
      if (stated !== posted) {
        this.#reader.note(
          "accounts",
          `together they have ${stated} ${currency}, and transactions have given them ${posted}`,
        );
      }
    }
  }

  /** The second look at what did not come to nothing. */
  async secondLook(): Promise<void> {
    await nameUneven(this.#reader, this.#counts, this.#broken);
  }

  /** Heads of accounts that are no more. */
  async #nameLost(): Promise<void> {
    for await (const page of this.#reader.pages(heads())) {
      const found = await this.#reader.read((tx) => tx.getAll(...page.map(({ id }) => accounts().doc(id))));
      for (const { exists, ref } of found)
        if (!exists) this.#reader.note(ref.path, "it is missing, and its head was signed");
    }
  }

  /** The signed heads of accounts. */
  async #headsOf(ids: readonly string[]): Promise<Map<string, Head>> {
    const found = await this.#reader.read((tx) => tx.getAll(...ids.map((id) => heads().doc(id))));
    const signed = new Map<string, Head>();
    for (const snapshot of found) {
      if (snapshot.exists) this.#headsOfAccounts++;
      const head = await this.#reader.noting(async () => dataOf(snapshot));
      if (!head || head === "problem") continue;
      if (isHeadSigned(snapshot.id, head)) signed.set(snapshot.id, head);
      else this.#reader.note(snapshot.ref.path, UNSIGNED);
    }
    return signed;
  }

  /** Where replaying begins. */
  #begin(head: Head | undefined): Standing {
    return head && this.#scope === "since-heads" ? head : { ...EMPTY, seq: 0, hash: "" };
  }

  /** Those that can be read. */
  async #transactionsOf(ids: readonly string[]): Promise<Map<string, TransactionRecord>> {
    const wanted = [...new Set(ids)].filter(isDocumentId);
    if (wanted.length === 0) return new Map();
    const found = await this.#reader.read((tx) => tx.getAll(...wanted.map((id) => transactions().doc(id))));
    const all = new Map<string, TransactionRecord>();
    for (const snapshot of found) {
      const record = await this.#reader.noting(async () => dataOf(snapshot));
      if (record && record !== "problem") all.set(snapshot.id, record);
    }
    return all;
  }

  async #account(id: string, account: Account, known: Known): Promise<void> {
    this.#accounts++;
    add(this.#stated, account.currency, total(account));
    countAccount(this.#counts, id, account);
    const isWhole = await this.#reader.noting(() => this.#chain(id, account, known));
    if (isWhole === "problem") this.#broken.add(id);
  }

  /** Throws {@link Gap} where the chain breaks, or the account is not what it makes of it. */
  async #chain(id: string, account: Account, { head, newest: record }: Known): Promise<void> {
    const path = `accounts/${id}`;
    if (accountId(account.owner, account.currency) !== id) throw new Gap(path, "it says that it is another's");
    if (head && head.seq > account.seq) {
      throw new Gap(path, `it stands at ${account.seq}, and stood at ${head.seq} when its head was signed`);
    }
    let standing = this.#begin(head);
    const part = this.#counts.places.part();
    const stretch = { account: id, newest: account.head.transaction, seq: account.seq, behind: standing.seq, record };
    let { day } = account;
    for await (const link of chain(this.#reader.read, stretch)) {
      this.#links++;
      day = dayOf(link.record.at);
      countPlace(part, id, link.id);
      standing = after(id, standing, link);
      if (head?.seq === standing.seq && head.hash !== standing.hash) {
        throw new Gap(`transactions/${link.id}`, `it is not what stood in its place when the head of ${id} was signed`);
      }
    }
    // By its day an account is found when heads are signed.
    if (day !== account.day) throw new Gap(path, `it says that its last transaction is of ${account.day}`);
    if (!isSame(account, standing)) throw new Gap(path, "it does not say what its transactions have made of it");
    this.#counts.places.put(part);
  }

  #transaction(id: string, record: TransactionRecord): void {
    this.#transactions++;
    for (const { from, to, amount, currency } of record.postings) {
      addIncoming(this.#incoming, to, amount);
      addIncoming(this.#incoming, from, -amount);
      add(this.#posted, currency, (isSystemAccount(to) ? 0 : amount) - (isSystemAccount(from) ? 0 : amount));
    }
    const path = `transactions/${id}`;
    if (!isGenuine(id, record)) {
      this.#reader.note(path, UNSIGNED);
      return;
    }
    if (canonical([...record.accounts].sort()) !== canonical(touchedBy(record))) {
      this.#reader.note(path, "it does not name the accounts that it touches");
    }
    countTransaction(this.#counts, { id, record }, this.#broken);
  }

  #hold(id: string, hold: Hold): void {
    this.#holds++;
    if (!isInState(hold)) this.#reader.note(`holds/${id}`, `it is ${hold.state}, with ${leftOf(hold)} left`);
    countHold(this.#counts, id, hold);
  }
}

/** Where an account stands after a transaction; throws {@link Gap} if it does not follow. */
function after(account: string, standing: Standing, link: { id: string; record: TransactionRecord }): Standing {
  try {
    return next(account, standing, link);
  } catch (error) {
    if (error instanceof Misfit) throw new Gap(`transactions/${link.id}`, error.message);
    throw error;
  }
}

function isSame(account: Account, { seq, hash, available, held, owed, lots, frozen = false }: Standing): boolean {
  const stated = [account.seq, account.head.hash, account.available, account.held, account.owed];
  const ends = account.lots.flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : [expiresAt]));
  const nextExpiry = ends.length > 0 ? Math.min(...ends) : undefined;
  return (
    canonical(stated) === canonical([seq, hash, available, held, owed]) &&
    canonical(inOrder(account.lots)) === canonical(inOrder(lots)) &&
    account.nextExpiryAt?.toMillis() === nextExpiry &&
    (account.frozen ?? false) === frozen
  );
}

function add(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

function addIncoming(sums: Map<string, number>, side: string, amount: number): void {
  const account = accountOfIncoming(side);
  if (account !== undefined) add(sums, account, amount);
}

/**
 * The accounts that a transaction has a place in the chain of, and those that it gives past their documents. A fold moves what histories
 * show already, and is in them only for what expired by it.
 */
function touchedBy({ kind, links, postings }: TransactionRecord): string[] {
  if (kind === "fold" && postings.length === 1) return [];
  const given = postings.flatMap(({ to }) => accountOfIncoming(to) ?? []);
  return [...new Set([...Object.keys(links), ...given])].sort();
}
