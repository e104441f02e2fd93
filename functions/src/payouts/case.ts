import { FieldValue, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { log } from "../platform/log.ts";
import type { StripeProblem } from "../platform/stripe.ts";
import { wordsOf } from "./calls.ts";
import { type PayoutCase, payoutCases } from "./records.ts";

/** What operators know of a withdrawal: why they look at it, who has approved it, and what is wrong with it. */

const MAX_WORDS = 300;
/** So many failures in a row are worth a person's attention. */
const ALARMING_TIMES = 5;

/** Has operators look at a withdrawal. One write. */
export function openCase(tx: Transaction, id: string, { why, needed }: Pick<PayoutCase, "why" | "needed">): void {
  tx.set(payoutCases().doc(id), { why, needed, approvals: [], updatedAt: timestamp() });
}

/** Writes down what went wrong; always `again`. One read, one write. */
export async function trouble(id: string, problem: StripeProblem | string): Promise<"again"> {
  const what = (typeof problem === "string" ? problem : wordsOf(problem)).slice(0, MAX_WORDS);
  const times = await transact(async (tx) => {
    const reference = payoutCases().doc(id);
    const known = (await tx.get(reference)).data() ?? { why: [], needed: 0, approvals: [] };
    const count = ("problem" in known ? (known.problem?.times ?? 0) : 0) + 1;
    const at = timestamp();
    tx.set(reference, { ...known, problem: { what, times: count, at }, updatedAt: at });
    return count;
  });
  if (typeof problem === "string" || times % ALARMING_TIMES === 0) {
    log.error("withdrawal is stuck", new Error(what), { withdrawal: id, times });
  } else {
    log.warn("withdrawal not carried on", { withdrawal: id, what, times });
  }
  return "again";
}

/** What was wrong is not any more. One read, a write if something was. */
export async function clearTrouble(id: string): Promise<void> {
  await transact(async (tx) => {
    const reference = payoutCases().doc(id);
    const known = (await tx.get(reference)).data();
    if (known?.problem) tx.update(reference, { problem: FieldValue.delete(), updatedAt: timestamp() });
  });
}
