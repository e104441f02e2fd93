import { unavailable } from "../account.ts";
import { call } from "../calls.ts";
import type { Withdrawal } from "../records.ts";
import type { Found } from "./compare.ts";

/** What does not fit between a withdrawal and its transfer at Stripe. Refuses `stripe-unavailable`. */
export async function checkWithdrawal(id: string, withdrawal: Withdrawal): Promise<Found[]> {
  const { transfer = "", amount, fee, currency, state } = withdrawal;
  const looked = await call((stripe) => stripe.transfers.retrieve(transfer));
  const here = fee - amount;
  const about = { object: transfer, type: "transfer", currency, here, withdrawal: id };
  if (looked.outcome === "refused" && looked.code === "resource_missing") {
    return [{ ...about, kind: "missing-there", there: 0, what: `Stripe does not know the transfer of a withdrawal` }];
  }
  if (looked.outcome !== "done") throw unavailable(looked);
  const { reversed, amount: sent } = looked.value;
  if (-sent !== here) return [{ ...about, kind: "amount-differs", there: -sent, what: "of a transfer" }];
  if (state === "rejected" || state === "canceled") {
    return reversed ? [] : [{ ...about, kind: "state-differs", there: -sent, what: `a transfer, and it is ${state}` }];
  }
  if (reversed === (state === "returned")) return [];
  const what = reversed ? `the transfer is reversed, and it is ${state}` : "it is returned, and its transfer is not";
  return [{ ...about, kind: "state-differs", there: reversed ? 0 : -sent, what }];
}
