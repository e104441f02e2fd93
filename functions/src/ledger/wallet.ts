import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { atTime, type Balance, redeemable } from "./balance.ts";
import type { Wallet } from "./contract.ts";
import { CURRENCIES } from "./currencies.ts";
import { incomingOf } from "./hot.ts";
import { sum } from "./lots.ts";
import { accounts } from "./records.ts";

/** What the caller has of every currency; currencies they never had are left out. One read for each account, and one
 * more for every 1,000 that a hot one was given and has not been folded in. */
export async function wallet(caller: Caller): Promise<Wallet> {
  const found = await accounts().where("owner", "==", caller.uid).limit(Object.keys(CURRENCIES).length).get();
  const balances = found.docs.map(async (document) => {
    const account = document.data();
    const { balance } = atTime(account, now());
    const { available, held, owed } = balance;
    return {
      currency: account.currency,
      available,
      held,
      total: available + held,
      owed,
      redeemable: redeemable(balance, account.currency),
      ...nextExpiry(balance),
      ...(account.hot ? { incoming: await incomingOf(document.id) } : {}),
    };
  });
  return { balances: (await Promise.all(balances)).sort((a, b) => (a.currency < b.currency ? -1 : 1)) };
}

function nextExpiry({ lots }: Balance): Pick<Wallet["balances"][number], "nextExpiry"> {
  const at = Math.min(...lots.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY));
  if (at === Number.POSITIVE_INFINITY) return {};
  return { nextExpiry: { at, amount: sum(lots.filter(({ expiresAt }) => expiresAt === at)) } };
}
