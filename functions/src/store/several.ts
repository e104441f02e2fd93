import { currencyOf } from "../ledger/index.ts";
import { invalidInput } from "../platform/failure.ts";
import { checkGivable, Reward, repeated } from "../rewards/index.ts";

/**
 * What so many of a product give together; entitlements that last for a time then last that many times as long. What could not be given is
 * refused before anybody pays for it: `invalid-input`, `too-many-instances`.
 */
export async function several(grant: Reward, count: number): Promise<Reward> {
  const all = Reward.safeParse(repeated(grant, count));
  if (!all.success || !fits(all.data)) throw invalidInput("count", "So many cannot be given at once.");
  await checkGivable(all.data);
  return all.data;
}

function fits({ coins }: Reward): boolean {
  return Object.entries(coins).every(([currency, amount]) => amount <= currencyOf(currency).maximumBalance);
}
