import type { Request } from "firebase-functions/v2/https";
import Stripe from "stripe";
import * as z from "zod";
import { secrets } from "../platform/config.ts";
import { parseInput } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { Timestamp, type Transaction } from "../platform/firestore.ts";
import { isDocumentId } from "../platform/ids.ts";
import type { Incoming, Outcome, WebhookSource } from "../platform/webhooks.ts";
import { type AccountFact, applyFact, lookAtAccount, unavailable } from "./account.ts";
import { call } from "./calls.ts";
import { changeWithin } from "./change.ts";
import { payoutAccounts, withdrawals } from "./records.ts";
import { outcomeOf } from "./steps.ts";

/**
 * Stripe's webhooks about users' accounts: `account.*` and `payout.*` of connected accounts, and `transfer.*`, which are events of our own
 * account, so that a second endpoint of Stripe's sends them here; its secret stands beside the first, by a comma. An event is a hint: what it
 * is about is looked at anew. Source: https://docs.stripe.com/connect/webhooks
 */

const Body = z.looseObject({
  id: z.string().min(1).max(200),
  type: z.string().min(1).max(200),
  /** The connected account that it is of. */
  account: z.string().max(200).optional(),
  data: z.object({ object: z.looseObject({ id: z.string().max(200).optional() }) }),
});
type Body = z.infer<typeof Body>;

const MAX_SECRETS = 4;

export const stripeConnect: WebhookSource = {
  name: "stripe-connect",

  authenticate(request: Request): void {
    const payload = request.rawBody ?? Buffer.alloc(0);
    const header = request.get("stripe-signature") ?? "";
    const known = secrets.stripeConnectWebhookSecret.value().split(",").slice(0, MAX_SECRETS);
    if (known.some((secret) => secret !== "" && isSigned(payload, header, secret))) return;
    throw new Failure("unauthenticated", "The signature is not Stripe's.", { reason: "wrong-signature" });
  },

  read(body) {
    const event = parseInput(Body, body);
    const { id, type, account, data } = event;
    // Of the object its id is enough: the rest is looked at, and may be personal.
    const kept = { id, type, ...(account === undefined ? {} : { account }), data: { object: { id: data.object.id } } };
    return { id, type, body: JSON.stringify(kept), ...workOf(event) };
  },
};

/** https://docs.stripe.com/webhooks#verify-manually */
function isSigned(payload: Buffer, header: string, secret: string): boolean {
  try {
    Stripe.webhooks.constructEvent(payload, header, secret.trim());
    return true;
  } catch {
    return false;
  }
}

function workOf({ type, account, data }: Body): Pick<Incoming, "look" | "carryOut"> {
  const object = data.object.id ?? "";
  if (account !== undefined && (type.startsWith("account.") || type.startsWith("capability.")))
    return ofAccount(account);
  if (account !== undefined && type.startsWith("payout.")) return ofPayout(account, object);
  if (account === undefined && type.startsWith("transfer.")) return ofTransfer(object);
  return { carryOut: async () => ({ result: "ignored", reason: "type-not-handled" }) };
}

function ofAccount(account: string): Pick<Incoming, "look" | "carryOut"> {
  let fact: AccountFact | undefined;
  return {
    look: async () => {
      fact = await lookAtAccount(account);
    },
    carryOut: async (tx) => {
      const { docs } = await tx.get(payoutAccounts().where("account", "==", account).limit(1));
      const uid = docs[0]?.id;
      if (uid === undefined || !fact) return { result: "ignored", reason: "unknown-account" };
      const isNews = await applyFact(tx, uid, fact);
      return isNews ? { result: "account", user: uid, state: fact.state } : { result: "stale", user: uid };
    },
  };
}

function ofPayout(account: string, id: string): Pick<Incoming, "look" | "carryOut"> {
  let payout: Stripe.Payout | undefined;
  return {
    look: async () => {
      const looked = await call((stripe) => stripe.payouts.retrieve(id, {}, { stripeAccount: account }));
      if (looked.outcome === "unknown") throw unavailable(looked);
      payout = looked.outcome === "done" ? looked.value : undefined;
    },
    carryOut: async (tx) => await settle(tx, account, payout),
  };
}

async function settle(tx: Transaction, account: string, payout: Stripe.Payout | undefined): Promise<Outcome> {
  const withdrawal = withdrawalOf(payout);
  if (!payout || withdrawal === undefined) return { result: "ignored", reason: "not-of-a-withdrawal" };
  const wanted = outcomeOf(payout);
  if (!wanted) return { result: "on-its-way", withdrawal };
  const known = (await tx.get(withdrawals().doc(withdrawal))).data();
  if (known?.account !== account) return { result: "ignored", reason: "unknown-withdrawal" };
  const next = await changeWithin(tx, withdrawal, wanted);
  return next ? { result: wanted.to, withdrawal } : { result: "known", withdrawal, state: known.state };
}

/** The engine sees transfers by itself; that one was reversed before its payout, by hand at Stripe, it sees when the payout fails. */
function ofTransfer(id: string): Pick<Incoming, "look" | "carryOut"> {
  let transfer: Stripe.Transfer | undefined;
  return {
    look: async () => {
      const looked = await call((stripe) => stripe.transfers.retrieve(id));
      if (looked.outcome === "unknown") throw unavailable(looked);
      transfer = looked.outcome === "done" ? looked.value : undefined;
    },
    carryOut: async (tx) => {
      const withdrawal = withdrawalOf(transfer);
      if (!transfer || withdrawal === undefined) return { result: "ignored", reason: "not-of-a-withdrawal" };
      const known = (await tx.get(withdrawals().doc(withdrawal))).data();
      // Another deployment may share the account at Stripe, and people copy metadata.
      if (known?.account !== destinationOf(transfer)) return { result: "ignored", reason: "unknown-withdrawal" };
      const next = await changeWithin(tx, withdrawal, changeBy(transfer));
      return { result: next ? next.state : "known", withdrawal };
    },
  };
}

/** The withdrawal that an object of Stripe's names. */
function withdrawalOf(object: Stripe.Payout | Stripe.Transfer | undefined): string | undefined {
  const named = object?.metadata?.withdrawal;
  return named !== undefined && isDocumentId(named) ? named : undefined;
}

function destinationOf({ destination }: Stripe.Transfer): string | undefined {
  return typeof destination === "string" ? destination : destination?.id;
}

function changeBy({ id, reversed, created }: Stripe.Transfer): Parameters<typeof changeWithin>[2] {
  if (reversed) return { to: "returned", from: ["reversing"] };
  const transferredAt = Timestamp.fromMillis(created * 1_000);
  return { to: "transferred", from: ["transferring"], patch: { transfer: id, transferredAt } };
}
