import { type Hold, isSystemAccount, type TransactionRecord } from "./records.ts";

/**
 * What transactions say of holds, and what holds say of themselves, as amounts by fact: of each hold how much it was made of, when it ends, what is left
 * of it by kind of lot, and each of its moves. Where both say the same, the sums of all facts are nothing.
 */
export interface Fact {
  readonly hold: string;
  readonly fact: string;
  readonly amount: number;
}

const ENDS = "ends";

function wholeOf(value: unknown): number {
  return Number.isSafeInteger(value) ? Number(value) : 0;
}

/** What a transaction adds. */
export function* factsOf(id: string, { kind, postings, metadata }: TransactionRecord): Generator<Fact> {
  if (kind === "renew") yield { hold: String(metadata.hold), fact: ENDS, amount: wholeOf(metadata.by) };
  const parts = postings.filter(({ from, to }) => isHeld(from) || isHeld(to));
  if (parts.length === 0) return;
  const moved = parts.reduce((whole, { amount }) => whole + amount, 0);
  const hold = kind === "hold" ? id : String(metadata.hold);
  if (kind === "hold") {
    yield { hold, fact: `made of ${parts[0]?.from}`, amount: moved };
    yield { hold, fact: ENDS, amount: wholeOf(metadata.expiresAt) };
  } else {
    yield { hold, fact: `moved by ${id}`, amount: moved };
    yield { hold, fact: kind === "release" ? "release" : "capture", amount: moved };
  }
  for (const { to, lots } of parts) {
    const sign = isHeld(to) ? 1 : -1;
    for (const lot of lots) yield { hold, fact: lotFact(lot), amount: sign * lot.amount };
  }
}

/** What a hold says of itself. */
export function* factsOfHold(id: string, hold: Hold): Generator<Fact> {
  yield { hold: id, fact: `made of ${hold.owner}:${hold.currency}`, amount: hold.amount };
  for (const lot of hold.lots) yield { hold: id, fact: lotFact(lot), amount: lot.amount };
  for (const [move, { amount }] of Object.entries(hold.moves)) yield { hold: id, fact: `moved by ${move}`, amount };
  yield { hold: id, fact: ENDS, amount: hold.expiresAt.toMillis() };
  yield { hold: id, fact: "capture", amount: hold.captured };
  yield { hold: id, fact: "release", amount: hold.released };
}

/** What a hold still holds, by what it says. */
export function leftOf({ amount, captured, released }: Hold): number {
  return amount - captured - released;
}

/** Whether a hold's state is that of what is left of it. */
export function isInState(hold: Hold): boolean {
  if (leftOf(hold) > 0) return hold.state === "active";
  return hold.state === (hold.captured > 0 ? "captured" : "released");
}

function isHeld(side: string): boolean {
  return !isSystemAccount(side) && side.endsWith("/held");
}

function lotFact({ source, clearsAt, expiresAt }: Hold["lots"][number]): string {
  return `left ${source} ${clearsAt ?? ""} ${expiresAt ?? ""}`;
}
