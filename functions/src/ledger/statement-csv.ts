import { formatAmount } from "./amount.ts";
import { clockIn } from "./month.ts";
import { carried, type StatementPage } from "./statement-page.ts";

const HEADER = ["time", "transaction", "kind", "reference", "amount", "balance"];

/**
 * A page of a statement as comma-separated values. Text that a spreadsheet would take for a formula has an apostrophe before it.
 * Sources: RFC 4180; https://owasp.org/www-community/attacks/CSV_Injection
 */
export function statementCsv(page: StatementPage): string {
  const { rows, decimals, timeZone, opening, closing } = page;
  const amount = (value: number) => formatAmount(value, decimals);
  const rest = carried(page);
  const lines: string[][] = [
    HEADER,
    ["", "", "opening balance", "", "", amount(opening)],
    ...rows.map((row) => [
      clockIn(timeZone, row.at),
      text(row.id),
      text(row.kind),
      text(row.reference),
      amount(row.change),
      amount(row.balance),
    ]),
    ...(rest === 0 ? [] : [["", "", "carried over", "", amount(rest), ""]]),
    ["", "", "closing balance", "", "", amount(closing)],
  ];
  return lines.map((line) => `${line.map(quoted).join(",")}\r\n`).join("");
}

function text(value: string): string {
  return /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
