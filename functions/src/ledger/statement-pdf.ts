import PDFDocument from "pdfkit";
import { now } from "../platform/clock.ts";
import { formatAmount } from "./amount.ts";
import { clockIn } from "./month.ts";
import { carried, type StatementPage } from "./statement-page.ts";

const MARGIN = 40;
const LINE = 14;
const TEXT = 8;
const TITLE = 14;
/** Where each column begins, and how wide it is, in points on A4. */
const COLUMNS = [
  { x: 40, width: 100, align: "left" },
  { x: 145, width: 60, align: "left" },
  { x: 210, width: 175, align: "left" },
  { x: 390, width: 75, align: "right" },
  { x: 470, width: 85, align: "right" },
] as const;
const HEADER = ["Time", "Kind", "Reference", "Amount", "Balance"];

type Line = readonly string[];

/** A page of a statement as a PDF of as many sheets as it takes. */
export async function statementPdf(page: StatementPage): Promise<Buffer> {
  const document = new PDFDocument({
    size: "A4",
    margin: MARGIN,
    info: { Title: `Statement ${page.month} ${page.currency}`, CreationDate: new Date(now()) },
  });
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    document.on("data", (chunk: Buffer) => chunks.push(chunk));
    document.on("end", () => resolve(Buffer.concat(chunks)));
    document.on("error", reject);
  });
  const { month, name, currency, owner, timeZone } = page;
  document.fontSize(TITLE).text(`Statement ${month}, ${name} (${currency})`);
  document
    .fontSize(TEXT)
    .text(printable(`Account of ${owner}. Times are those of ${timeZone}.`))
    .moveDown();
  write(document, HEADER, "Helvetica-Bold");
  for (const line of linesOf(page)) {
    if (document.y > document.page.height - MARGIN - LINE) {
      document.addPage();
      write(document, HEADER, "Helvetica-Bold");
    }
    write(document, line, "Helvetica");
  }
  document.end();
  return await done;
}

function linesOf(page: StatementPage): Line[] {
  const { rows, decimals, timeZone, opening, closing, isContinued } = page;
  const amount = (value: number) => formatAmount(value, decimals);
  const rest = carried(page);
  return [
    ["", "", "Opening balance", "", amount(opening)],
    ...rows.map((row) => [clockIn(timeZone, row.at), row.kind, row.reference, amount(row.change), amount(row.balance)]),
    ...(rest === 0 ? [] : [["", "", "Carried over", amount(rest), ""]]),
    ["", "", isContinued ? "Carried to the next page" : "Closing balance", "", amount(closing)],
  ];
}

function write(document: PDFKit.PDFDocument, line: Line, font: string): void {
  const { y } = document;
  document.font(font).fontSize(TEXT);
  for (const [i, { x, width, align }] of COLUMNS.entries()) {
    document.text(printable(line[i] ?? ""), x, y, { width, height: LINE, align, ellipsis: true, lineBreak: false });
  }
  document.x = MARGIN;
  document.y = y + LINE;
}

/** The fonts that every reader has know the characters of Latin-1 and no others. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\xa0-\xff]/gu, "?");
}
