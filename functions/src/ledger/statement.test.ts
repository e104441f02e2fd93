import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now, setClock } from "../platform/clock.ts";
import { parseInput } from "../platform/endpoint.ts";
import { formatAmount } from "./amount.ts";
import { StatementRequest } from "./contract.ts";
import { hold } from "./holds.ts";
import { monthIn } from "./month.ts";
import { post } from "./post.ts";
import { transactionId } from "./request.ts";
import { statement } from "./statement.ts";

const backend = useBackend({ TIME_ZONE: "Europe/Berlin" });

/** 1 November 2026 in Berlin. */
const NOVEMBER = Date.parse("2026-10-31T23:00:00Z");
const DECEMBER = Date.parse("2026-11-30T23:00:00Z");

const ask = (month: string, more: object = {}) => parseInput(StatementRequest, { month, currency: "USD", ...more });
const text = ({ base64 }: { base64: string }) => Buffer.from(base64, "base64").toString();

/** Moves an amount into an account, or out of it, at a time. */
async function move(uid: string, amount: number, at: number, reference = "test"): Promise<void> {
  const unset = setClock(at);
  try {
    await moveNow(uid, amount, reference);
  } finally {
    unset();
  }
}
async function moveNow(uid: string, amount: number, reference = "test"): Promise<void> {
  const [from, to] = amount > 0 ? ["system:mint", uid] : [uid, "system:revenue"];
  const postings = [{ from, to, amount: Math.abs(amount), currency: "USD" }];
  await post({ key: randomUUID(), kind: amount > 0 ? "prize" : "spend", postings, reference });
}

describe("a statement", () => {
  test("shows a month of the business's time zone with what was there before and after, for a read a row", async () => {
    const ada = someone();
    await move(ada.uid, 10_00, NOVEMBER - 1);
    await move(ada.uid, 5_05, NOVEMBER);
    await move(ada.uid, -7, DECEMBER - 1);
    await move(ada.uid, 100_00, DECEMBER);
    const { result, bill } = await backend.billed(() => statement(ada, ask("2026-11")));
    expect(bill).toMatchObject({ reads: 2, writes: 0 });
    expect(result).toMatchObject({
      opening: 10_00,
      closing: 14_98,
      transactions: 2,
      name: "statement-2026-11-USD.csv",
    });
    const lines = text(result).split("\r\n");
    expect(lines).toHaveLength(6);
    expect(lines[1]).toBe(",,opening balance,,,10.00");
    expect(lines[2]).toMatch(/^2026-11-01 00:00:00,[\w'-]+,prize,test,5\.05,15\.05$/);
    expect(lines[3]).toMatch(/^2026-11-30 23:59:59,[\w'-]+,spend,test,-0\.07,14\.98$/);
    expect(lines[4]).toBe(",,closing balance,,,14.98");
  });

  test("of a month in which nothing happened shows what was there", async () => {
    const ada = someone();
    await move(ada.uid, 10_00, NOVEMBER - 1);
    expect(await statement(ada, ask("2026-11"))).toMatchObject({ opening: 10_00, closing: 10_00, transactions: 0 });
    expect(await statement(ada, ask("2026-09"))).toMatchObject({ opening: 0, closing: 0, transactions: 0 });
  });

  test("hands a spreadsheet no formulas, and quotes what has to be quoted", async () => {
    const ada = someone();
    await move(ada.uid, 1, NOVEMBER, '=HYPERLINK("http://x","y")');
    await move(ada.uid, 1, NOVEMBER + 1, "+1,2");
    const [, , formula, sum] = text(await statement(ada, ask("2026-11"))).split("\r\n");
    expect(formula).toContain(`"'=HYPERLINK(""http://x"",""y"")"`);
    expect(sum).toContain(`"'+1,2"`);
  });

  test("as PDF is one, over as many sheets as it takes", async () => {
    const ada = someone();
    for (let i = 0; i < 80; i++) await move(ada.uid, 1 + i, NOVEMBER + i, "prize · 賞");
    const file = await statement(ada, ask("2026-11", { format: "pdf" }));
    const pdf = Buffer.from(file.base64, "base64").toString("latin1");
    expect([pdf.slice(0, 5), file.contentType]).toEqual(["%PDF-", "application/pdf"]);
    expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(2);
  });

  test("of more than a page goes on where it left off, and its pages fit together", async () => {
    const ada = someone();
    // Many at a time, and the clock does not always go forward.
    for (let second = 0; second < 11; second++) {
      const unset = setClock(NOVEMBER + 1_000 * (second % 3 === 2 ? second - 1.5 : second));
      await Promise.all(Array.from({ length: 60 }, (_, i) => moveNow(ada.uid, 1 + i)));
      unset();
    }
    const first = await statement(ada, ask("2026-11"));
    const second = await statement(ada, ask("2026-11", { cursor: first.nextCursor }));
    expect(first.transactions).toBeLessThan(500);
    expect([first.transactions + second.transactions, second.nextCursor]).toEqual([660, undefined]);
    expect([first.opening, second.closing]).toEqual([0, (11 * 60 * 61) / 2]);
    expect(second.opening).toBe(first.closing);
    expect(text(first) + text(second)).not.toContain("carried over");
  }, 60_000);

  test("is refused for what is no month, has not begun, or no currency of ours", async () => {
    expect(() => ask("2026-13")).toThrow(expect.objectContaining({ reason: "invalid-input" }));
    await expect(statement(someone(), ask("2098-01"))).rejects.toMatchObject({ reason: "invalid-input" });
    await expect(statement(someone(), ask("2026-01", { currency: "XXX" }))).rejects.toMatchObject({
      reason: "unknown-currency",
    });
    await expect(statement(someone(), ask("2026-01", { cursor: "x" }))).rejects.toMatchObject({
      reason: "invalid-input",
    });
  });

  test("of a month without transactions opens where the chain stood, whatever the ids of what was made at its last moment", async () => {
    const { uid } = someone();
    // The last has the first id, so that an order by ids would end elsewhere.
    const keys = Array.from({ length: 3 }, () => randomUUID()).sort((a, b) =>
      transactionId(a) < transactionId(b) ? 1 : -1,
    );
    const unset = setClock(NOVEMBER);
    for (const key of keys) {
      const postings = [{ from: "system:mint", to: uid, amount: 100, currency: "USD" }];
      await post({ key, kind: "grant", postings, reference: "test" });
    }
    unset();
    const later = setClock(DECEMBER + 86_400_000);
    const { result, bill } = await backend.billed(() => statement({ uid }, ask("2026-12")));
    later();
    expect(result).toMatchObject({ opening: 300, closing: 300, transactions: 0 });
    expect(bill).toMatchObject({ reads: 6 });
  });

  test("closes with what the next one opens with, and adds up to what its rows say, whatever happened", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.integer({ min: -500, max: 900 }),
            fc.integer({ min: 0, max: 75 }),
            fc.constantFrom("move", "hold", "claw back"),
          ),
          { maxLength: 12 },
        ),
        async (moves) => {
          const { uid } = someone();
          for (const [amount, day, how] of [...moves].sort(([, a], [, b]) => a - b)) {
            const unset = setClock(NOVEMBER + day * 86_400_000);
            await book(uid, amount, how).catch((error) => expect(error.reason).toBe("insufficient-funds"));
            unset();
          }
          const unset = setClock(DECEMBER + 60 * 86_400_000);
          const months = [];
          for (const month of ["2026-11", "2026-12", "2027-01"]) months.push(await statement({ uid }, ask(month)));
          unset();
          expect(months[0]?.opening).toBe(0);
          for (const [i, one] of months.entries()) {
            expect(text(one)).not.toContain("carried over");
            expect(one.closing - one.opening).toBe(sumOf(text(one)));
            expect(one.closing).toBe(months[i + 1]?.opening ?? one.closing);
          }
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});

test("months begin where the clocks of their zone say, also where they change on that very day", () => {
  const iso = (zone: string, month: string) => new Date(monthIn(zone, month).from).toISOString();
  expect(iso("Etc/UTC", "2026-11")).toBe("2026-11-01T00:00:00.000Z");
  expect(iso("Europe/Berlin", "2026-07")).toBe("2026-06-30T22:00:00.000Z");
  expect(iso("America/New_York", "2026-11")).toBe("2026-11-01T04:00:00.000Z");
  expect(iso("America/New_York", "2026-12")).toBe("2026-12-01T05:00:00.000Z");
  expect(iso("Pacific/Auckland", "2027-01")).toBe("2026-12-31T11:00:00.000Z");
  expect(monthIn("Asia/Tokyo", "2026-12").until).toBe(monthIn("Asia/Tokyo", "2027-01").from);
});

test.each([
  [0, 2, "0.00"],
  [5, 2, "0.05"],
  [-5, 2, "-0.05"],
  [-1234, 2, "-12.34"],
  [1234, 0, "1234"],
  [Number.MAX_SAFE_INTEGER, 2, "90071992547409.91"],
])("%i in %i decimals is %s", (amount, decimals, shown) => {
  expect(formatAmount(amount, decimals)).toBe(shown);
});

/** Something that happens to an account; what is held stays with it, and what is clawed back may be owed. */
async function book(uid: string, amount: number, how: string): Promise<void> {
  if (amount === 0) return;
  const [key, currency, reference] = [randomUUID(), "USD", "test"];
  if (how === "hold") {
    await hold({ key, owner: uid, amount: Math.abs(amount), currency, expiresAt: now() + 86_400_000, reference });
  } else if (how === "claw back") {
    const postings = [{ from: uid, to: "system:mint", amount: Math.abs(amount), currency }];
    await post({ key, kind: "chargeback", postings, reference, clawBack: true });
  } else {
    await moveNow(uid, amount);
  }
}

/** The amounts of a statement's rows together, in cents. */
function sumOf(csv: string): number {
  const rows = csv.split("\r\n").slice(2, -2);
  return rows.reduce((sum, row) => sum + Math.round(Number(row.split(",").at(-2)) * 100), 0);
}
