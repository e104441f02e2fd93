import type { DatabaseProcess } from "./processes.ts";
import { settings } from "./processes.ts";

/**
 * Checks that the books hold what was acknowledged: every chain, signature and transaction fits, there are as many transactions as credits
 * that were acknowledged, and users have the sum of their amounts.
 */
export async function checkBooks(
  database: DatabaseProcess,
  { acknowledged, amount, currency }: { acknowledged: number; amount: number; currency: string },
): Promise<string> {
  Object.assign(process.env, settings(database.port));
  database.setLatency(0);
  const { verify } = await import("../../functions/src/ledger/verify.ts");
  const { firestore } = await import("../../functions/src/platform/firestore.ts");
  const { problems, transactions, totals } = await verify({ scope: "all" });
  await firestore().terminate();
  const { deleteApp, getApps } = await import("firebase-admin/app");
  await Promise.all(getApps().map(deleteApp));
  const [problem] = problems;
  if (problem) return `${problem.document}: ${problem.what}`;
  if (transactions !== acknowledged) return `${transactions} transactions for ${acknowledged} credits`;
  const held = totals[currency] ?? 0;
  return held === amount ? "fit" : `users have ${held} of ${amount}`;
}
