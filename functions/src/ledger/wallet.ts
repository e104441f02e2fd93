import type { Caller } from "../platform/endpoint.ts";
import type { Wallet } from "./contract.ts";
import { CURRENCIES } from "./currencies.ts";
import { accounts } from "./records.ts";

/** What the caller has of every currency; currencies they never had are left out. One read for each account. */
export async function wallet(caller: Caller): Promise<Wallet> {
  const found = await accounts().where("owner", "==", caller.uid).limit(Object.keys(CURRENCIES).length).get();
  const balances = found.docs.map((document) => {
    const { currency, available, held, owed } = document.data();
    return { currency, available, held, total: available + held, owed };
  });
  return { balances: balances.sort((a, b) => (a.currency < b.currency ? -1 : 1)) };
}
