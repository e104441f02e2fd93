import type * as z from "zod";
import { currencyOf, isMoney } from "../../ledger/index.ts";
import { Failure, invalidInput } from "../../platform/failure.ts";
import type { Transaction } from "../../platform/firestore.ts";
import { fingerprint } from "../../platform/ids.ts";
import { prepareStock } from "../../platform/stock.ts";
import type { Board, BoardSettings } from "../settings.ts";
import { placesOf } from "./places.ts";

interface Defining {
  /** Of the board. */
  readonly id: string;
  readonly settings: z.output<typeof BoardSettings>;
  readonly before: Board | undefined;
  readonly at: number;
}

/**
 * Lays out the places of a tournament, as part of a Firestore transaction: a read and a write for each of their parts, 20 at most. What can
 * be joined already stays as it is. Refuses `tournament-fixed`, `unknown-currency`.
 */
export async function prepareTournament(
  tx: Transaction,
  { id, settings: { tournament }, before, at }: Defining,
): Promise<() => void> {
  const known = before?.tournament;
  if (known && at >= known.opensAt) {
    if (fingerprint(known) !== fingerprint(tournament)) throw fixed();
    return () => undefined;
  }
  for (const field of ["fee", "guaranteed"] as const) {
    const currency = tournament?.[field]?.currency;
    if (currency !== undefined) checkVirtual(currency, `board.tournament.${field}.currency`);
  }
  if (tournament?.capacity === undefined) return () => undefined;
  return await prepareStock(tx, placesOf(id), tournament.capacity);
}

/** Money is not played for: that is a matter of licences. */
function checkVirtual(currency: string, field: string): void {
  currencyOf(currency);
  if (isMoney(currency)) throw invalidInput(field, "must be a virtual currency");
}

function fixed(): Failure {
  return new Failure("failed-precondition", "The tournament can be joined already.", { reason: "tournament-fixed" });
}
