import type Stripe from "stripe";
import { shownAmount } from "../amounts.ts";
import { pay, successUrl } from "../checkout.ts";
import { type Context, get, idOf } from "../context.ts";
import { StripeError } from "../errors.ts";
import type { Fields } from "../form.ts";
import { newPaymentMethod } from "../payment-methods.ts";
import { authenticate } from "../payments.ts";
import { escaped, type Page, pageOf, seeOther } from "./html.ts";

/** Where a person pays a Checkout session, and where they say to their bank that it is they. */

/** `/c/pay/{session}` */
export function checkoutPage(context: Context, id: string, form: Fields | undefined): Page {
  const session = get(context, "checkout.session", id);
  if (session.status === "complete") return seeOther(successUrl(session), "Paid");
  if (session.status === "expired") return pageOf("Expired", "<p>This link has expired.</p>", 410);
  return form === undefined ? shown(context, session) : submitted(context, session, form);
}

/** `/3ds/{intent}` */
export function authenticationPage(context: Context, id: string, form: Fields | undefined): Page {
  const intent = get(context, "payment_intent", id);
  if (intent.status === "requires_action" && form === undefined) {
    return pageOf(
      "3D Secure",
      `<p>Your bank asks whether you pay ${escaped(shownAmount(intent.amount, intent.currency))}.</p>
<form method="post"><button name="outcome" value="complete">Complete</button> <button name="outcome" value="fail">Fail</button></form>`,
    );
  }
  const returnUrl = intent.next_action?.redirect_to_url?.return_url;
  if (intent.status === "requires_action") authenticate(context, intent, form?.["outcome"] === "complete");
  return seeOther(afterAuthentication(context, intent, returnUrl), "3D Secure");
}

function shown(context: Context, session: Stripe.Checkout.Session, error = ""): Page {
  const items = context.simulator.carts.get(session.id)?.items ?? [];
  const rows = items.map(
    (item) =>
      `<li>${escaped(item.description ?? "")} × ${item.quantity ?? 1}: ${escaped(shownAmount(item.amount_total, item.currency))}</li>`,
  );
  const sum = session.amount_total === null ? "" : shownAmount(session.amount_total, session.currency ?? "usd");
  const cancel = session.cancel_url === null ? "" : `<p><a href="${escaped(session.cancel_url)}">Back</a></p>`;
  return pageOf(
    `Pay ${sum}`,
    `<ul>${rows.join("")}</ul>
${error === "" ? "" : `<p class="error" role="alert">${escaped(error)}</p>`}
<form method="post">
<label>Email <input name="email" type="email" autocomplete="email" value="${escaped(session.customer_email ?? "")}" required></label>
<label>Card number <input name="number" inputmode="numeric" autocomplete="cc-number" placeholder="4242 4242 4242 4242" required></label>
<label>Name on the card <input name="name" autocomplete="cc-name"></label>
<button>Pay</button>
</form>
${cancel}
<p>Test cards only: <a href="https://docs.stripe.com/testing">docs.stripe.com/testing</a></p>`,
    error === "" ? 200 : 402,
  );
}

function submitted(context: Context, session: Stripe.Checkout.Session, form: Fields): Page {
  try {
    const method = newPaymentMethod(context, { type: "card", card: { number: textOf(form["number"]) ?? "" } });
    pay(context, session, { method: method.id, email: textOf(form["email"]), name: textOf(form["name"]) });
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    return shown(context, session, error.message);
  }
  const url = pendingAuthentication(context, session);
  return url === undefined ? seeOther(successUrl(session), "Thank you") : { status: 303, location: url };
}

/** Where the payer has to authenticate, if they do. */
export function pendingAuthentication(context: Context, session: Stripe.Checkout.Session): string | undefined {
  const { purposes, store } = context.simulator;
  const known =
    idOf(session.payment_intent) ?? [...purposes].findLast(([, purpose]) => purpose.session === session.id)?.[0];
  const intent = known === undefined ? undefined : store.find("payment_intent", known, context.account);
  return intent?.next_action?.redirect_to_url?.url ?? undefined;
}

function afterAuthentication(
  context: Context,
  intent: Stripe.PaymentIntent,
  returnUrl: string | null | undefined,
): string | undefined {
  const sessionId = context.simulator.purposes.get(intent.id)?.session;
  if (sessionId !== undefined) {
    const session = get(context, "checkout.session", sessionId);
    return session.status === "complete" ? successUrl(session) : (session.url ?? undefined);
  }
  if (typeof returnUrl !== "string" || !URL.canParse(returnUrl)) return undefined;
  const url = new URL(returnUrl);
  url.searchParams.set("payment_intent", intent.id);
  url.searchParams.set("payment_intent_client_secret", intent.client_secret ?? "");
  url.searchParams.set("redirect_status", intent.status === "requires_payment_method" ? "failed" : "succeeded");
  return url.toString();
}

function textOf(value: Fields[string] | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
