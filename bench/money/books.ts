import type { DatabaseProcess } from "../serving/processes.ts";
import { settings } from "../serving/processes.ts";

/**
 * Checks that the books hold what was acknowledged: every chain, signature and transaction fits, there are as many transactions as credits
 * that were acknowledged, and users have the sum of their amounts. What hot accounts were given is folded in first.
 * @returns also how long folding took for each
 */
export async function checkBooks(
  database: DatabaseProcess,
  { acknowledged, amount, currency }: { acknowledged: number; amount: number; currency: string },
): Promise<{ books: string; foldMillis: number }> {
  Object.assign(process.env, settings(database));
  database.setLatency(0);
  const { verify } = await import("../../functions/src/ledger/verify.ts");
  const { foldAll } = await import("../../functions/src/ledger/index.ts");
  const { firestore } = await import("../../functions/src/platform/firestore.ts");
  const began = performance.now();
  let folded = 0;
  for (let some = await foldAll(); some > 0; some = await foldAll()) folded += some;
  const foldMillis = folded === 0 ? 0 : (performance.now() - began) / folded;
  const { problems, transactions, totals } = await verify({ scope: "all" });
  const folds = await firestore().collection("transactions").where("kind", "==", "fold").count().get();
  await firestore().terminate();
  const { deleteApp, getApps } = await import("firebase-admin/app");
  await Promise.all(getApps().map(deleteApp));
  // Whoever connects next says for itself where to.
  delete process.env.FIRESTORE_EMULATOR_HOST;
  const made = transactions - folds.data().count;
  const held = totals[currency] ?? 0;
  const [problem] = problems;
  const misfit =
    (problem && `${problem.document}: ${problem.what}`) ??
    (made !== acknowledged ? `${made} transactions for ${acknowledged} credits` : undefined) ??
    (held !== amount ? `users have ${held} of ${amount}` : undefined);
  return { books: misfit ?? "fit", foldMillis };
}
