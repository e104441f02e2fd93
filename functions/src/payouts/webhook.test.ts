import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { someone, useBackend, webhookRequest } from "../../testing/backend.ts";
import { PAYOUT_SETTINGS, useStripe } from "../../testing/connect.ts";
import { now, setClock } from "../platform/clock.ts";
import { timestamp, transact } from "../platform/firestore.ts";
import { receive, webhooks } from "../platform/webhooks.ts";
import { applyFact } from "./account.ts";
import { onboard } from "./onboard.ts";
import { payoutAccounts } from "./records.ts";
import { stripeConnect } from "./webhook.ts";

useBackend(PAYOUT_SETTINGS);
const stripe = useStripe(async () => stripeConnect);

const HOME = { country: "US", returnUrl: "https://example.com/back", refreshUrl: "https://example.com/again" };
let n = 0;
const event = (type: string, account: string | undefined, object: object) =>
  JSON.stringify({ id: `evt_${n++}`, object: "event", type, ...(account ? { account } : {}), data: { object } });
/** A request that is signed as Stripe signs. */
const signed = (payload: string, secret: string, header?: string) => {
  const given = header ?? Stripe.webhooks.generateTestHeaderString({ payload, secret });
  const request = webhookRequest(payload);
  return Object.assign(request, {
    get: (name: string) => (name.toLowerCase() === "stripe-signature" ? given : undefined),
  });
};
const tell = (payload: string) => receive(stripeConnect, signed(payload, "whsec_connect"));

describe("a webhook about users' accounts", () => {
  test("is taken with either secret, and not with a wrong one, another body, or an old signature", async () => {
    const payload = event("test", "acct_1", { id: "x" });
    for (const secret of ["whsec_connect", "whsec_platform"]) {
      expect(await receive(stripeConnect, signed(payload, secret))).toMatchObject({ outcome: { result: "ignored" } });
    }
    const old = Stripe.webhooks.generateTestHeaderString({
      payload,
      secret: "whsec_connect",
      timestamp: Math.floor(Date.now() / 1_000) - 3_600,
    });
    const wrong = [
      signed(payload, "whsec_other"),
      signed(payload, "whsec_connect", old),
      signed(payload, "whsec_connect", ""),
      signed(`${payload} `, "", Stripe.webhooks.generateTestHeaderString({ payload, secret: "whsec_connect" })),
    ];
    for (const request of wrong) {
      await expect(receive(stripeConnect, request)).rejects.toMatchObject({ details: { reason: "wrong-signature" } });
    }
  });

  test("is kept without what is personal when Stripe cannot be asked", async () => {
    await stripe.fault("500", "/v1/accounts", { method: "GET" });
    const receipt = await tell(event("account.updated", "acct_1", { id: "acct_1", email: "ada@example.com" }));
    expect(receipt.state).toBe("retrying");
    const kept = (await webhooks().doc(receipt.id).get()).data();
    expect(kept?.body).toContain("acct_1");
    expect(kept?.body).not.toContain("ada@example.com");
  });

  test("of an account, a payout or a transfer that is nobody's here is ignored", async () => {
    expect((await tell(event("account.updated", "acct_none", { id: "acct_none" }))).outcome).toMatchObject({
      result: "ignored",
    });
    expect((await tell(event("payout.paid", "acct_none", { id: "po_none" }))).outcome).toMatchObject({
      result: "ignored",
    });
    expect((await tell(event("transfer.created", undefined, { id: "tr_none" }))).outcome).toMatchObject({
      result: "ignored",
    });
  });

  test("of a transfer that names a withdrawal which is not there, not possible or another account's is ignored", async () => {
    await stripe.fund(10_000);
    const { uid } = someone();
    await onboard({ uid }, HOME);
    const destination = (await payoutAccounts().doc(uid).get()).data()?.account ?? "";
    await stripe.simulate("POST", `accounts/${destination}/complete`);
    for (const withdrawal of ["not-here", "a/b", ""]) {
      const { id } = await stripe.client.transfers.create({
        amount: 100,
        currency: "usd",
        destination,
        metadata: { withdrawal },
      });
      expect(await tell(event("transfer.created", undefined, { id }))).toMatchObject({
        state: "done",
        outcome: { result: "ignored" },
      });
    }
  });

  test("tells nothing that a later look has not told: what Stripe says now counts, and the look that began last", async () => {
    const { uid } = someone();
    await onboard({ uid }, HOME);
    const account = (await payoutAccounts().doc(uid).get()).data()?.account ?? "";
    await stripe.simulate("POST", `accounts/${account}/complete`);
    await stripe.advance(1);
    // An event from before says that nothing was submitted; the account is looked at all the same.
    const receipt = await tell(event("account.updated", account, { id: account, details_submitted: false }));
    expect(receipt.outcome).toMatchObject({ result: "account", user: uid, state: "enabled" });
    const old = { account, state: "restricted", due: [], bank: undefined, asOf: now() - 60_000 } as const;
    expect(await transact((tx) => applyFact(tx, uid, old))).toBe(false);
    expect((await payoutAccounts().doc(uid).get()).data()?.state).toBe("enabled");
  });

  test("that somebody's bank has changed has them wait", async () => {
    process.env.PAYOUT_COOLING_OFF_HOURS = "72";
    const { uid } = someone();
    await payoutAccounts()
      .doc(uid)
      .set({
        country: "US",
        state: "enabled",
        account: "acct_bank",
        bank: "one",
        creation: { n: 1, at: timestamp() },
        due: [],
        usage: {},
        coolingOffUntil: timestamp(now() - 1),
        createdAt: timestamp(),
        updatedAt: timestamp(),
      });
    const fact = { account: "acct_bank", state: "enabled", due: [], asOf: now() } as const;
    const back = setClock(now());
    await transact((tx) => applyFact(tx, uid, { ...fact, bank: "one" }));
    expect((await payoutAccounts().doc(uid).get()).data()?.bankChangedAt).toBeUndefined();
    await transact((tx) => applyFact(tx, uid, { ...fact, bank: "two" }));
    expect((await payoutAccounts().doc(uid).get()).data()).toMatchObject({
      bankChangedAt: timestamp(now()),
      coolingOffUntil: timestamp(now() + 72 * 3_600_000),
    });
    back();
    process.env.PAYOUT_COOLING_OFF_HOURS = "0";
  });
});
