import { Failure } from "../platform/failure.ts";
import type { Timestamp } from "../platform/firestore.ts";
import { timestamp } from "../platform/firestore.ts";
import { atTime, type Balance, EMPTY } from "./balance.ts";
import { contentOf, linkText, sign, signedIncoming } from "./chain.ts";
import { Draft } from "./draft.ts";
import { type Account, accountId, type Incoming, type Kind, type Link, type TransactionRecord } from "./records.ts";
import {
  checkRequest,
  type Expectation,
  fingerprintOf,
  type IsHot,
  type NewTransaction,
  onlyGiven,
  transactionId,
} from "./request.ts";

/** A transaction as it goes into the books, and the accounts after it. */
export interface Entry {
  readonly id: string;
  readonly record: TransactionRecord;
  readonly accounts: ReadonlyMap<string, Account>;
  /** What hot accounts are given by it, past their documents; by id. */
  readonly incoming: ReadonlyMap<string, Incoming>;
}

/** The id of a request's transaction, and its {@link fingerprintOf}. */
interface Known {
  readonly id: string;
  readonly fingerprint: string;
}

const NONE_IS_HOT: IsHot = () => false;

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
   * Makes a transaction. Refuses `insufficient-funds`, `insufficient-redeemable`, `balance-too-large`, `account-frozen`, `not-spendable`,
   * `not-transferable`, `balance-changed` and what {@link checkRequest} does.
   * @param isHot whoever says that an account is hot has to write the entry's `incoming`
   * @param known what follows from the request and was worked out when it was checked
   */
  enter(request: NewTransaction, isHot: IsHot = NONE_IS_HOT, known: Known = knownOf(request)): Entry {
    for (const expected of request.expects ?? []) this.#expect(expected);
    const draft = new Draft(this.#accounts, request, { at: this.#at, hot: onlyGiven(request, isHot) });
    for (const { owner, currency } of request.expires ?? []) draft.open(owner, currency);
    for (const posting of request.postings) draft.post(posting);
    const { id, fingerprint } = known;
    const content: Omit<TransactionRecord, "links" | "signature"> = {
      kind: request.kind,
      postings: draft.postings,
      reference: request.reference,
      metadata: request.metadata ?? {},
      fingerprint,
      accounts: draft.histories(),
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
    const incoming = new Map(draft.incoming.map(([posting, given]) => signedIncoming(`${id}_${posting}`, given)));
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

function knownOf(request: NewTransaction): Known {
  checkRequest(request);
  return { id: transactionId(request.key), fingerprint: fingerprintOf(request) };
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

/** The day of a moment in UTC, as 2026-01-31. */
export function dayOf(at: Timestamp): string {
  return at.toDate().toISOString().slice(0, 10);
}

/** Whether an account is frozen after a transaction of a kind. */
export function isFrozenAfter(kind: Kind, before = false): boolean {
  return kind === "freeze" || (before && kind !== "unfreeze");
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
    day: dayOf(at),
    updatedAt: at,
  };
}
