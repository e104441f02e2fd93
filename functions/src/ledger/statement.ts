import type * as z from "zod";
import { now } from "../platform/clock.ts";
import { config } from "../platform/config.ts";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { FieldPath, Timestamp, timestamp } from "../platform/firestore.ts";
import { isDocumentId } from "../platform/ids.ts";
import { total } from "./balance.ts";
import type { Statement, StatementRequest } from "./contract.ts";
import { currencyOf } from "./currencies.ts";
import { monthIn } from "./month.ts";
import { accountId, type Link, type TransactionRecord, transactions } from "./records.ts";
import { statementCsv } from "./statement-csv.ts";
import type { StatementPage, StatementRow } from "./statement-page.ts";

/** Transactions on one page; a month of more has several. */
const MAX_ROWS = 500;

type At = readonly [at: Timestamp, id: string];

/**
 * A page of a month of one of the caller's accounts as a file: what was there before, each transaction, what was there after, by the links
 * of the account's chain. Balances are what the account is worth: available and held, less what is owed. Months are those of TIME_ZONE.
 *
 * Bill: a read for each row, at most 500; for a page without any 2 reads, and one for each transaction of the account's last moment.
 */
export async function statement(
  caller: Caller,
  { month, currency, format, cursor }: z.output<typeof StatementRequest>,
): Promise<Statement> {
  const { decimals, name } = currencyOf(currency);
  const timeZone = config.timeZone.value();
  const { from, until } = monthIn(timeZone, month);
  if (from > now()) throw invalidInput("month", "This month has not begun.");
  const account = accountId(caller.uid, currency);
  const { rows, nextCursor } = await readRows(account, { from, until, cursor });
  const page: StatementPage = {
    ...(await balances(account, rows, from)),
    owner: caller.uid,
    month,
    currency,
    name,
    decimals,
    timeZone,
    rows,
    isContinued: nextCursor !== undefined,
  };
  const bytes = format === "csv" ? Buffer.from(statementCsv(page)) : await pdf(page);
  return {
    name: `statement-${month}-${currency}${cursor === undefined ? "" : "-continued"}.${format}`,
    contentType: format === "csv" ? "text/csv; charset=utf-8" : "application/pdf",
    base64: bytes.toString("base64"),
    opening: page.opening,
    closing: page.closing,
    transactions: rows.length,
    ...(nextCursor === undefined ? {} : { nextCursor }),
  };
}

/** The package is large, and most instances never need it. */
async function pdf(page: StatementPage): Promise<Buffer> {
  const { statementPdf } = await import("./statement-pdf.ts");
  return await statementPdf(page);
}

async function readRows(
  account: string,
  { from, until, cursor }: { from: number; until: number; cursor: string | undefined },
): Promise<{ rows: StatementRow[]; nextCursor?: string }> {
  let query = transactions()
    .where("accounts", "array-contains", account)
    .where("at", ">=", timestamp(from))
    .where("at", "<", timestamp(until))
    .orderBy("at")
    .orderBy(FieldPath.documentId())
    .limit(MAX_ROWS);
  if (cursor !== undefined) query = query.startAfter(...readCursor(cursor));
  const { docs } = await query.get();
  const rows = docs.map((document) => rowOf(document.id, document.data(), account));
  if (docs.length < MAX_ROWS) return { rows: rows.sort(byPlace) };
  const page = rows.slice(0, wholeUntil(rows));
  const last = docs[page.length - 1];
  return { rows: page.sort(byPlace), ...(last ? { nextCursor: cursorOf([last.data().at, last.id]) } : {}) };
}

/**
 * How many of the rows, which are in the order of their times, make up a piece of the chain without gaps: there a page can end. Transactions
 * that were committed together have one time, and of those that waited for each other the times may lie the other way round.
 */
function wholeUntil(rows: readonly StatementRow[]): number {
  let [whole, lowest, highest] = [rows.length, Number.POSITIVE_INFINITY, 0];
  for (const [i, { seq, at }] of rows.entries()) {
    lowest = Math.min(lowest, seq);
    highest = Math.max(highest, seq);
    const next = rows[i + 1];
    if (next && next.at !== at && highest - lowest === i) whole = i + 1;
  }
  return whole;
}

function byPlace(a: StatementRow, b: StatementRow): number {
  return a.seq - b.seq;
}

function rowOf(id: string, record: TransactionRecord, account: string): StatementRow {
  const link = record.links[account];
  return {
    id,
    kind: record.kind,
    reference: record.reference,
    at: record.at.toMillis(),
    seq: link?.seq ?? 0,
    change: worthGained(record.postings, account),
    balance: worth(link),
  };
}

/** What the account was worth before and after the rows, by its chain; without rows, as the transaction before them has left it. */
async function balances(
  account: string,
  rows: readonly StatementRow[],
  from: number,
): Promise<{ opening: number; closing: number }> {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first && last) return { opening: first.balance - first.change, closing: last.balance };
  const balance = worth(await linkBefore(account, from));
  return { opening: balance, closing: balance };
}

/** The account's last place in its chain before a time. What was committed together has one time, and then the place decides. */
async function linkBefore(account: string, time: number): Promise<Link | undefined> {
  const own = transactions().where("accounts", "array-contains", account);
  const newest = own.where("at", "<", timestamp(time)).orderBy("at", "desc").orderBy(FieldPath.documentId(), "desc");
  const { docs } = await newest.limit(2).get();
  const [last, other] = docs.map((document) => document.data());
  if (!last || !other?.at.isEqual(last.at)) return last?.links[account];
  const together = await own.where("at", "==", last.at).limit(MAX_ROWS).get();
  const links = together.docs.flatMap((document) => document.data().links[account] ?? []);
  return links.reduce((latest, link) => (link.seq > latest.seq ? link : latest));
}

function worth(link: Link | undefined): number {
  return link ? total(link) : 0;
}

/** What an account gained by postings, whichever side of it they moved. */
function worthGained(postings: TransactionRecord["postings"], account: string): number {
  const isOurs = (side: string) => side === account || side === `${account}/held`;
  return postings.reduce(
    (sum, { from, to, amount }) => sum + (isOurs(to) ? amount : 0) - (isOurs(from) ? amount : 0),
    0,
  );
}

function cursorOf([at, id]: At): string {
  return `${at.seconds}.${at.nanoseconds}.${id}`;
}

function readCursor(cursor: string): [Timestamp, string] {
  const [, seconds, nanoseconds, id = ""] = /^(\d{1,11})\.(\d{1,9})\.([\w-]{1,100})$/.exec(cursor) ?? [];
  if (!isDocumentId(id)) throw invalidInput("cursor", "This is not a cursor that a page has given.");
  return [new Timestamp(Number(seconds), Number(nanoseconds)), id];
}
