import { Failure } from "../platform/failure.ts";
import type { Timestamp } from "../platform/firestore.ts";
import {
  atTime,
  type Balance,
  clawBack,
  credit,
  debit,
  debitRedeemable,
  EMPTY,
  putAside,
  takeFromAside,
} from "./balance.ts";
import { earnedAt } from "./clearing.ts";
import { currencyOf } from "./currencies.ts";
import { cleared, type Lot, type LotKind, sum } from "./lots.ts";
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
  type Posting,
  sideOf,
} from "./records.ts";
import type { NewPosting, NewTransaction } from "./request.ts";

/** What these kinds take from an account they take although it is frozen. */
const EVEN_IF_FROZEN: ReadonlySet<Kind> = new Set(["expiry", "adjustment"]);
/** What these move between users is no gift from one to the other. */
const NO_TRANSFER: ReadonlySet<Kind> = new Set(["refund", "chargeback", "adjustment"]);

/** One transaction in the making. */
export class Draft {
  readonly postings: Posting[] = [];
  readonly balances = new Map<string, Balance>();
  /** By the place of the posting. */
  readonly incoming: [posting: number, given: Omit<Incoming, "signature">][] = [];
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

  /** The accounts in whose histories it is. A fold moves what they show already, and is in them only for what expired by it. */
  histories(): string[] {
    if (this.#request.kind === "fold" && this.postings.length === 1) return [];
    return [...new Set([...this.balances.keys(), ...this.incoming.map(([, { account }]) => account)])];
  }

  /** Gives to a hot account: nobody looks at it, and the house holds the amount for it. */
  #postIncoming(account: string, posting: NewPosting): void {
    this.#post({ ...posting, to: incomingSide(account) });
    const { amount, currency, lots, as } = this.postings.at(-1) as Posting;
    const given = { account, currency, amount, lots: as ? [{ ...as, amount }] : lots, at: this.#at };
    this.incoming.push([this.postings.length - 1, given]);
  }

  #post({ from, to, amount, currency, lots: wanted, as, only }: NewPosting): void {
    for (const side of [from, to]) this.open(side, currency);
    const lots = this.#take(from, { amount, currency, wanted, as, only });
    this.#put(to, { amount, currency, lots, as });
    this.postings.push({
      from: idOf(from, currency),
      to: idOf(to, currency),
      amount,
      currency,
      lots,
      ...(as ? { as } : {}),
      ...owedOf(amount - sum(lots), wanted),
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
      only,
    }: {
      amount: number;
      currency: string;
      wanted?: readonly Lot[] | undefined;
      as?: LotKind | undefined;
      only?: NewPosting["only"] | undefined;
    },
  ): Lot[] {
    const { kind, clawBack: clawsBack = false } = this.#request;
    if (isSystemAccount(side)) return wanted ? [...wanted] : [{ ...(as ?? this.#givenAs(currency)), amount }];
    const { name, isHeld } = sideOf(side);
    const id = accountId(name, currency);
    const balance = this.balances.get(id) ?? EMPTY;
    if (isHeld) {
      if (!wanted || sum(wanted) !== amount) throw new RangeError(`the lots that leave ${side} are not ${amount}`);
      this.balances.set(id, takeFromAside(balance, amount));
      return [...wanted];
    }
    if (this.#accounts.get(id)?.frozen && !clawsBack && !EVEN_IF_FROZEN.has(kind)) throw frozen();
    if (currencyOf(currency).spendable === false && !clawsBack && kind !== "adjustment") throw notSpendable(currency);
    const take = only === "redeemable" ? debitRedeemable : debit;
    const taken = clawsBack
      ? clawBack(balance, amount, currency, this.#asOfNow(wanted))
      : take(balance, amount, currency);
    this.balances.set(id, taken.balance);
    return taken.lots;
  }

  /** As what the house gives, if it does not say. */
  #givenAs(currency: string): LotKind {
    const source = KINDS[this.#request.kind];
    return source === "earned" ? earnedAt(this.#now, currency) : { source };
  }

  /** What was given may have cleared since. */
  #asOfNow(given: readonly Lot[] = []): Lot[] {
    return cleared(given, this.#now);
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
    const maximum = this.#request.pastMaximum ? Number.MAX_SAFE_INTEGER : undefined;
    this.balances.set(id, isHeld ? putAside(balance, amount) : credit(balance, entering, currency, maximum));
  }
}

/** Of what kind is what was not there, if it is of one. */
function owedOf(missing: number, wanted: readonly Lot[] = []): { owed?: LotKind } {
  const [lot, ...others] = wanted;
  if (missing <= 0 || !lot || others.length > 0) return {};
  const { amount: _, ...owed } = lot;
  return { owed };
}

function idOf(side: string, currency: string): string {
  if (isSystemAccount(side)) return side;
  const { name, isHeld } = sideOf(side);
  const id = accountId(name, currency);
  return isHeld ? heldBy(id) : id;
}

function notSpendable(currency: string): Failure {
  return new Failure("failed-precondition", "This currency cannot be spent.", { reason: "not-spendable", currency });
}

function frozen(): Failure {
  return new Failure("failed-precondition", "The account is frozen.", { reason: "account-frozen" });
}
