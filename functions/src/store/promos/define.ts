import { randomBytes } from "node:crypto";
import type * as z from "zod";
import { currencyOf } from "../../ledger/index.ts";
import { plain, writeDown } from "../../platform/audit.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { invalidInput } from "../../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { fingerprint } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { prepareStock } from "../../platform/stock.ts";
import { checkSame } from "../shop/once.ts";
import { codeId, codeOf } from "./code.ts";
import type { DefinePromo, GenerateCodes, GeneratedCodes } from "./contract.ts";
import { type Campaign, campaigns, type Promo, promos } from "./records.ts";

const PAGE = 200;
const SEED_BYTES = 32;

/** Makes a code that many may redeem, or changes what it is good for; what was redeemed counts on. */
export async function definePromo(
  caller: Caller,
  { code, campaign, promo, maxRedemptions }: z.output<typeof DefinePromo>,
): Promise<{ id: string }> {
  checkReward(promo);
  const id = codeId(code);
  await transact(async (tx) => {
    const spreadOut = maxRedemptions === undefined ? undefined : await prepareStock(tx, promoPath(id), maxRedemptions);
    const limit = maxRedemptions === undefined ? {} : { maxRedemptions };
    tx.set(promos().doc(id), { campaign, promo, ...limit, single: false });
    spreadOut?.();
    writeDown(tx, {
      key: `${id} ${now()}`,
      by: caller.uid,
      action: "store/define-promo",
      subject: `promos/${id}`,
      details: { campaign, ...limit, promo: plain(promo) },
    });
  });
  log.info("promo defined", { campaign, promo: id, by: caller.uid });
  return { id };
}

/**
 * Makes a page of codes that are good for one time each: up to 200, as many writes, one for the campaign and one for `audit/`. They follow from the
 * campaign's secret, so a page can be had again; with another promo or count it is refused, `idempotency-key-reused`.
 */
export async function generateCodes(caller: Caller, request: z.output<typeof GenerateCodes>): Promise<GeneratedCodes> {
  checkReward(request.promo);
  const { cursor, count } = request;
  const codes = await transact(async (tx) => {
    const { page, isNew } = await makePage(tx, request);
    if (isNew) {
      writeDown(tx, {
        key: `${request.campaign} ${cursor}`,
        by: caller.uid,
        action: "store/generate-codes",
        subject: `campaigns/${request.campaign}`,
        details: { from: cursor, codes: page.length, promo: plain(request.promo) },
      });
    }
    return page;
  });
  log.info("codes generated", { campaign: request.campaign, from: cursor, codes: codes.length, by: caller.uid });
  const next = cursor + codes.length;
  return { codes, ...(next < count ? { nextCursor: next } : {}) };
}

/** Where redemptions of a code are counted. */
export function promoPath(id: string): string {
  return `promos/${id}`;
}

async function makePage(
  tx: Transaction,
  { campaign: id, promo, count, cursor }: z.output<typeof GenerateCodes>,
): Promise<{ page: string[]; isNew: boolean }> {
  const asked = fingerprint({ promo, count });
  const known = (await tx.get(campaigns().doc(id))).data();
  if (known) checkSame(asked, known.fingerprint);
  const campaign: Campaign = known ?? {
    promo,
    count,
    made: 0,
    seed: randomBytes(SEED_BYTES).toString("base64url"),
    fingerprint: asked,
    createdAt: timestamp(),
  };
  if (cursor > campaign.made || cursor >= count) throw invalidInput("cursor", "No page before has given this cursor.");
  const end = Math.min(cursor + PAGE, count);
  const codes = Array.from({ length: end - cursor }, (_, i) => codeOf(campaign.seed, cursor + i));
  for (const code of codes.slice(Math.max(0, campaign.made - cursor))) {
    tx.create(promos().doc(codeId(code)), { campaign: id, promo, single: true });
  }
  if (end > campaign.made) tx.set(campaigns().doc(id), { ...campaign, made: end });
  return { page: codes, isNew: end > campaign.made };
}

function checkReward({ gives }: Promo): void {
  if (gives.kind !== "reward") return;
  for (const [currency, amount] of Object.entries(gives.reward.coins)) {
    if (amount > currencyOf(currency).maximumBalance) {
      throw invalidInput(`promo.gives.reward.coins.${currency}`, "No account can hold that much.");
    }
  }
}
