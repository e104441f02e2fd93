import { Failure, invalidInput } from "../platform/failure.ts";
import type { Timestamp } from "../platform/firestore.ts";
import { timestamp } from "../platform/firestore.ts";
import { deterministicId, fingerprint } from "../platform/ids.ts";
import {
  atTime,
  type Balance,
  checkAmount,
  clawBack,
  credit,
  debit,
  EMPTY,
  putAside,
  takeFromAside,
} from "./balance.ts";
import { contentOf, linkText, sign } from "./chain.ts";
import { currencyOf } from "./currencies.ts";
import { type Lot, type LotKind, sum } from "./lots.ts";
import {
  type Account,
  accountId,
  EXPIRED,
  heldBy,
  type Incoming,
  incomingSide,
  isSystemAccount,
  KINDS,
  type Kind,
  type Link,
  type Posting,
  sideOf,
  type TransactionRecord,
} from "./records.ts";

const MAX_POSTINGS = 100;
const MAX_TEXT = 500;
const MAX_EXPECTATIONS = 20;
/** What these kinds take from an account they take although it is frozen. */
const EVEN_IF_FROZEN: ReadonlySet<Kind> = new Set(["expiry", "adjustment"]);
/** What these move between users is no gift from one to the other. */
const NO_TRANSFER: ReadonlySet<Kind> = new Set(["refund", "chargeback", "adjustment"]);

/** An amount to be moved. A side is a user's id, `heldBy(user)`, or an account of the house, `system:…`. */
export interface NewPosting {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly currency: string;
  /** Which lots leave: of what is held they must be named; of a clawback those that go first; of the house what it gives. */
  readonly lots?: readonly Lot[];
  /** As what they enter, if not as they were. */
  readonly as?: LotKind;
}

/** A transaction to be made. */
export interface NewTransaction {
  /** The idempotency key: however often it is posted, it happens once. */
  readonly key: string;
  readonly kind: Kind;
  readonly postings: readonly NewPosting[];
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
  /** Takes what is not there as a debt instead of refusing: for refunds of what may have been spent. */
  readonly clawBack?: boolean;
  /** When it counts from, in milliseconds since the epoch, if not from when it is made. */
  readonly effectiveAt?: number;
  /** The id of the transaction that it takes back. */
  readonly reverses?: string;
  /** Accounts that are looked at although nothing is posted: what has expired in them leaves them. */
  readonly expires?: readonly { readonly owner: string; readonly currency: string }[];
  /** What must be so of accounts just before it, whether it touches them or not; else it is refused, `balance-changed`. */
  readonly expects?: readonly Expectation[];
}

/** A precondition on an account; one that does not exist yet has nothing, and is at 0. */
export interface Expectation {
  readonly owner: string;
  readonly currency: string;
  /** What can be spent, in smallest units; both ends included. */
  readonly available?: { readonly min?: number; readonly max?: number };
  /** The number of the account's last transaction: nothing at all has happened to it since. */
  readonly seq?: number;
}

/** A transaction as it goes into the books, and the accounts after it. */
export interface Entry {
  readonly id: string;
  readonly record: TransactionRecord;
  readonly accounts: ReadonlyMap<string, Account>;
  /** What hot accounts are given by it, past their documents; by id. */
  readonly incoming: ReadonlyMap<string, Incoming>;
}

/** Whether an account is hot: what it is only given then goes past its document. */
export type IsHot = (account: string) => boolean;

const NONE_IS_HOT: IsHot = () => false;

/** The id of the transaction with this key. */
export function transactionId(key: string): string {
  return deterministicId("transaction", key);
}

/** Tells a repeated request from another one under the same key. */
export function fingerprintOf({ key: _, ...request }: NewTransaction): string {
  return fingerprint({ metadata: {}, clawBack: false, ...request });
}

/** The accounts of users that a transaction touches: what has to be read before it is judged. */
export function accountsOf({
  postings,
  expires = [],
  expects = [],
}: Pick<NewTransaction, "postings" | "expires" | "expects">): string[] {
  const ids = postings.flatMap(({ from, to, currency }) => [from, to].flatMap((side) => userAccount(side, currency)));
  return [...new Set([...ids, ...[...expires, ...expects].map(({ owner, currency }) => accountId(owner, currency))])];
}

/** Those hot accounts to which a transaction gives and from which it takes nothing. */
export function onlyGiven(request: NewTransaction, isHot: IsHot): ReadonlySet<string> {
  if (request.clawBack) return new Set();
  const given = new Set<string>();
  const lookedAt = [...(request.expires ?? []), ...(request.expects ?? [])];
  const touched = new Set(lookedAt.map(({ owner, currency }) => accountId(owner, currency)));
  for (const { from, to, currency } of request.postings) {
    for (const account of userAccount(from, currency)) touched.add(account);
    for (const account of userAccount(to, currency)) (sideOf(to).isHeld ? touched : given).add(account);
  }
  return new Set([...given].filter((account) => !touched.has(account) && isHot(account)));
}

function userAccount(side: string, currency: string): string[] {
  return isSystemAccount(side) ? [] : [accountId(sideOf(side).name, currency)];
}

/** Refuses what no account needs to be read for: amounts, currencies, sides and sizes that cannot be. */
export function checkRequest({ postings, reference, expects = [] }: NewTransaction): void {
  if (postings.length > MAX_POSTINGS) {
    throw new Failure("invalid-argument", `A transaction has at most ${MAX_POSTINGS} postings.`, {
      reason: "too-many-postings",
    });
  }
  if (expects.length > MAX_EXPECTATIONS) throw invalidInput("expects", `must be ${MAX_EXPECTATIONS} at most`);
  if (reference.length > MAX_TEXT) throw invalidInput("reference", `must have ${MAX_TEXT} characters at most`);
  for (const { from, to, amount, currency } of postings) {
    checkAmount(amount);
    currencyOf(currency);
    if (from === to) throw new Failure("invalid-argument", "A posting needs two accounts.", { reason: "same-account" });
  }
}

/**
 * Accounts in memory, on which transactions are made one after the other as if there were no database: what may be, what it makes of the
 * accounts, and its places in their chains. A transaction that is refused leaves everything as it was.
 */
export class Books {
  readonly #at: Timestamp;
  readonly #accounts = new Map<string, Account | undefined>();

  /** @param at the time of the transactions that will be made */
  constructor(at: Timestamp = timestamp()) {
    this.#at = at;
  }

  /** Puts an account in as it is stored; undefined if there is none yet. */
  load(id: string, account: Account | undefined): void {
    this.#accounts.set(id, account);
  }

  /** An account as the transactions so far have left it. */
  account(id: string): Account | undefined {
    return this.#accounts.get(id);
  }

  /** Whether an account that was put in is hot. */
  isHot(id: string): boolean {
    return this.#accounts.get(id)?.hot ?? false;
  }

  /**
   * Makes a transaction. Refuses `insufficient-funds`, `balance-too-large`, `account-frozen`, `not-transferable`, `balance-changed` and
   * what {@link checkRequest} does.
   * @param isHot whoever says that an account is hot has to write the entry's `incoming`
   * @param print the request's {@link fingerprintOf}, if it is known
   */
  enter(request: NewTransaction, isHot: IsHot = NONE_IS_HOT, print: string = fingerprintOf(request)): Entry {
    checkRequest(request);
    for (const expected of request.expects ?? []) this.#expect(expected);
    const draft = new Draft(this.#accounts, request, { at: this.#at, hot: onlyGiven(request, isHot) });
    for (const { owner, currency } of request.expires ?? []) draft.open(owner, currency);
    for (const posting of request.postings) draft.post(posting);
    const id = transactionId(request.key);
    const content: Omit<TransactionRecord, "links" | "signature"> = {
      kind: request.kind,
      postings: draft.postings,
      reference: request.reference,
      metadata: request.metadata ?? {},
      fingerprint: print,
      accounts: historiesOf(request.kind, draft),
      at: this.#at,
      ...(request.effectiveAt === undefined ? {} : { effectiveAt: timestamp(request.effectiveAt) }),
      ...(request.reverses === undefined ? {} : { reverses: request.reverses }),
    };
    const signed = contentOf(id, content);
    const links: Record<string, Link> = {};
    const accounts = new Map<string, Account>();
    for (const [account, balance] of draft.balances) {
      const before = this.#accounts.get(account);
      const link = linkOf({ account, before, balance, content: signed });
      links[account] = link;
      accounts.set(account, accountAfter(account, before, { id, kind: content.kind, link, balance, at: this.#at }));
    }
    for (const [account, after] of accounts) this.#accounts.set(account, after);
    const incoming = new Map(draft.incoming.map(([posting, given]) => [`${id}_${posting}`, given]));
    return { id, record: { ...content, links, signature: sign(signed) }, accounts, incoming };
  }

  #expect({ owner, currency, available: { min = 0, max = Number.POSITIVE_INFINITY } = {}, seq }: Expectation): void {
    const account = this.#accounts.get(accountId(owner, currency));
    const { available } = atTime(account ?? EMPTY, this.#at.toMillis()).balance;
    const at = account?.seq ?? 0;
    if (available >= min && available <= max && (seq === undefined || seq === at)) return;
    throw new Failure("failed-precondition", "The account is not as it was expected to be.", {
      reason: "balance-changed",
      currency,
      available,
      seq: at,
    });
  }
}

/** One transaction in the making. */
class Draft {
  readonly postings: Posting[] = [];
  readonly balances = new Map<string, Balance>();
  /** By the place of the posting. */
  readonly incoming: [posting: number, given: Incoming][] = [];
  readonly #hot: ReadonlySet<string>;
  readonly #at: Timestamp;
  readonly #accounts: ReadonlyMap<string, Account | undefined>;
  readonly #request: NewTransaction;
  readonly #now: number;

  constructor(
    accounts: ReadonlyMap<string, Account | undefined>,
    request: NewTransaction,
    { at, hot }: { at: Timestamp; hot: ReadonlySet<string> },
  ) {
    this.#accounts = accounts;
    this.#request = request;
    this.#at = at;
    this.#now = at.toMillis();
    this.#hot = hot;
  }

  post(posting: NewPosting): void {
    const { from, to, currency } = posting;
    this.#checkTransfer(from, to, currency);
    const account = accountId(to, currency);
    if (this.#hot.has(account)) this.#postIncoming(account, posting);
    else this.#post(posting);
  }

  /** Gives to a hot account: nobody looks at it, and the house holds the amount for it. */
  #postIncoming(account: string, posting: NewPosting): void {
    this.#post({ ...posting, to: incomingSide(account) });
    const { amount, currency, lots, as } = this.postings.at(-1) as Posting;
    const given = { account, currency, amount, lots: as ? [{ ...as, amount }] : lots, at: this.#at };
    this.incoming.push([this.postings.length - 1, given]);
  }

  #post({ from, to, amount, currency, lots: wanted, as }: NewPosting): void {
    for (const side of [from, to]) this.open(side, currency);
    const lots = this.#take(from, { amount, currency, wanted, as });
    this.#put(to, { amount, currency, lots, as });
    this.postings.push({
      from: idOf(from, currency),
      to: idOf(to, currency),
      amount,
      currency,
      lots,
      ...(as ? { as } : {}),
    });
  }

  #checkTransfer(from: string, to: string, currency: string): void {
    const isBetweenUsers = !isSystemAccount(from) && !isSystemAccount(to) && !sideOf(from).isHeld;
    if (!isBetweenUsers || sideOf(to).name === from || NO_TRANSFER.has(this.#request.kind)) return;
    if (currencyOf(currency).transferable) return;
    throw new Failure("failed-precondition", "This currency cannot be sent to others.", {
      reason: "not-transferable",
      currency,
    });
  }

  /** Looks at an account for the first time: what has expired in it leaves it now. */
  open(side: string, currency: string): void {
    if (isSystemAccount(side)) return;
    const id = accountId(sideOf(side).name, currency);
    if (this.balances.has(id)) return;
    const { balance, lots } = atTime(this.#accounts.get(id) ?? EMPTY, this.#now);
    this.balances.set(id, balance);
    if (lots.length > 0) this.postings.push({ from: id, to: EXPIRED, amount: sum(lots), currency, lots });
  }

  #take(
    side: string,
    {
      amount,
      currency,
      wanted,
      as,
    }: { amount: number; currency: string; wanted?: readonly Lot[] | undefined; as?: LotKind | undefined },
  ): Lot[] {
    const { kind, clawBack: clawsBack = false } = this.#request;
    if (isSystemAccount(side)) return wanted ? [...wanted] : [{ ...(as ?? { source: KINDS[kind] }), amount }];
    const { name, isHeld } = sideOf(side);
    const id = accountId(name, currency);
    const balance = this.balances.get(id) ?? EMPTY;
    if (isHeld) {
      if (!wanted || sum(wanted) !== amount) throw new RangeError(`the lots that leave ${side} are not ${amount}`);
      this.balances.set(id, takeFromAside(balance, amount));
      return [...wanted];
    }
    if (this.#accounts.get(id)?.frozen && !clawsBack && !EVEN_IF_FROZEN.has(kind)) throw frozen();
    const taken = clawsBack ? clawBack(balance, amount, currency, wanted) : debit(balance, amount, currency);
    this.balances.set(id, taken.balance);
    return taken.lots;
  }

  #put(
    side: string,
    {
      amount,
      currency,
      lots,
      as,
    }: { amount: number; currency: string; lots: readonly Lot[]; as?: LotKind | undefined },
  ): void {
    if (isSystemAccount(side)) return;
    const { name, isHeld } = sideOf(side);
    const id = accountId(name, currency);
    const balance = this.balances.get(id) ?? EMPTY;
    // Of a clawback that found too little, whoever is to have it has it all the same.
    const missing = amount - sum(lots);
    const found = missing > 0 ? [...lots, { source: KINDS[this.#request.kind], amount: missing }] : lots;
    const entering = as ? [{ ...as, amount }] : found;
    this.balances.set(id, isHeld ? putAside(balance, amount) : credit(balance, entering, currency));
  }
}

/** A fold moves what histories show already, and is in them only for what expired by it. */
function historiesOf(kind: Kind, { postings, balances, incoming }: Draft): string[] {
  if (kind === "fold" && postings.length === 1) return [];
  return [...new Set([...balances.keys(), ...incoming.map(([, { account }]) => account)])];
}

function idOf(side: string, currency: string): string {
  if (isSystemAccount(side)) return side;
  const { name, isHeld } = sideOf(side);
  const id = accountId(name, currency);
  return isHeld ? heldBy(id) : id;
}

/** Whether an account is frozen after a transaction of a kind. */
export function isFrozenAfter(kind: Kind, before = false): boolean {
  return kind === "freeze" || (before && kind !== "unfreeze");
}

function frozen(): Failure {
  return new Failure("failed-precondition", "The account is frozen.", { reason: "account-frozen" });
}

function linkOf(of: { account: string; before: Account | undefined; balance: Balance; content: string }): Link {
  const { account, before, balance, content } = of;
  const seq = (before?.seq ?? 0) + 1;
  const { available, held, owed } = balance;
  return {
    seq,
    previous: before?.head.transaction ?? "",
    available,
    held,
    owed,
    hash: sign(linkText({ account, seq, previous: before?.head.hash ?? "", content, after: balance })),
  };
}

function accountAfter(
  account: string,
  before: Account | undefined,
  { id, kind, link, balance, at }: { id: string; kind: Kind; link: Link; balance: Balance; at: Timestamp },
): Account {
  const { available, held, owed, lots } = balance;
  const expiries = lots.flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : [expiresAt]));
  const separator = account.lastIndexOf(":");
  return {
    owner: account.slice(0, separator),
    currency: account.slice(separator + 1),
    available,
    held,
    owed,
    lots: [...lots],
    ...(expiries.length > 0 ? { nextExpiryAt: timestamp(Math.min(...expiries)) } : {}),
    ...(isFrozenAfter(kind, before?.frozen) ? { frozen: true } : {}),
    ...(before?.hot ? { hot: true } : {}),
    seq: link.seq,
    head: { transaction: id, hash: link.hash },
    day: at.toDate().toISOString().slice(0, 10),
    updatedAt: at,
  };
}
