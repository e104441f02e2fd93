import type { Customer, Purchase } from "./customers.ts";
import type { Delivery } from "./deliveries.ts";

const MAX_ROWS = 100;

/** A page to look at: who has what, and what was told of it. */
export function page(customers: readonly Customer[], deliveries: readonly Delivery[]): string {
  const bought = customers.flatMap((customer) => customer.purchases.map((purchase) => rowOf(customer, purchase)));
  const told = deliveries.map(({ body, attempts }) => [
    body.event.type,
    body.event.id,
    attempts.length === 0 ? "held back" : attempts.map(({ status }) => status || "no answer").join(", "),
    attempts.at(-1)?.answer ?? "",
  ]);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>RevenueCat, simulated</title>
<style>body{font:14px system-ui;margin:2rem}table{border-collapse:collapse}td,th{padding:.3rem .6rem;text-align:left;border-bottom:1px solid #ddd;max-width:40rem;overflow-wrap:anywhere}</style>
<h1>RevenueCat, simulated</h1>
<h2>Purchases</h2>
${table(["customer", "product", "transaction", "ends", "state"], bought)}
<h2>Webhooks</h2>
${table(["type", "event", "answers", "last answer"], told)}
</html>
`;
}

function rowOf({ ids }: Customer, purchase: Purchase): string[] {
  const { product, transaction, expiresAt } = purchase;
  const ends = expiresAt === undefined ? "never" : new Date(expiresAt).toISOString();
  return [[...ids].join(" = "), product, transaction, ends, stateOf(purchase)];
}

function stateOf({ refundedAt, billingIssueAt, resumesAt, unsubscribedAt, successor }: Purchase): string {
  const states = [
    refundedAt === undefined ? "" : "refunded",
    billingIssueAt === undefined ? "" : "billing issue",
    resumesAt === undefined ? "" : "will pause",
    unsubscribedAt === undefined ? "" : "will not renew",
    successor === undefined ? "" : `will be ${successor}`,
  ];
  return states.filter((state) => state !== "").join(", ") || "paid";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  const newest = rows.toReversed().slice(0, MAX_ROWS);
  return `<table>${line("th", head)}${newest.map((row) => line("td", row)).join("")}</table>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
