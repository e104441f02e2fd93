/** A page of a statement, before it is written as a file. Amounts are in smallest units. */
export interface StatementPage {
  readonly owner: string;
  /** As 2026-11. */
  readonly month: string;
  readonly currency: string;
  readonly name: string;
  readonly decimals: number;
  readonly timeZone: string;
  readonly opening: number;
  readonly closing: number;
  readonly rows: readonly StatementRow[];
  /** Whether another page follows. */
  readonly isContinued: boolean;
}

export interface StatementRow {
  readonly id: string;
  readonly kind: string;
  readonly reference: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The place in the account's chain. */
  readonly seq: number;
  readonly change: number;
  /** What the account was worth afterwards. */
  readonly balance: number;
}

/**
 * What moved between the rows and is not among them: a transaction that was made in the very moment in which the page or the month turned,
 * and stands on the other side of it. Nothing else, or the books do not fit.
 */
export function carried({ opening, closing, rows }: StatementPage): number {
  return closing - opening - rows.reduce((sum, { change }) => sum + change, 0);
}
