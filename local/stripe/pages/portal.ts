import type Stripe from "stripe";
import { complete } from "../accounts.ts";
import { all, type Context, get, idOf, now } from "../context.ts";
import { change } from "../events.ts";
import type { Fields } from "../form.ts";
import { currentEnd, schedule } from "../renewals.ts";
import { OVER } from "../subscription-status.ts";
import { escaped, type Page, pageOf, seeOther } from "./html.ts";

/** Where a customer ends or resumes subscriptions, and where a seller gives their bank account. */

/** `/p/session/{portal session}` */
export function portalPage(context: Context, id: string, form: Fields | undefined): Page {
  const session = get(context, "billing_portal.session", id);
  const mine = all(context, "subscription").filter(
    ({ customer, status }) => customer === session.customer && !OVER.has(status),
  );
  const chosen = mine.find((subscription) => subscription.id === form?.["subscription"]);
  if (chosen !== undefined) {
    setEnding(context, chosen, form?.["action"] === "cancel");
    return { status: 303, location: session.url };
  }
  const back = session.return_url === null ? "" : `<p><a href="${escaped(session.return_url)}">Back</a></p>`;
  const rows = mine.map((subscription) => rowOf(subscription)).join("\n");
  return pageOf("Your subscriptions", `${rows === "" ? "<p>None.</p>" : rows}\n${back}`);
}

/** `/setup/e/{account}/{code}?return_url=…` */
export function onboardingPage(context: Context, id: string, form: Fields | undefined, returnUrl: string | null): Page {
  const account = get(context, "account", id);
  if (form !== undefined) {
    const number = form["account_number"];
    complete(context, account, {
      account_number: typeof number === "string" && number !== "" ? number : "000123456789",
    });
    return seeOther(returnUrl, "Done");
  }
  return pageOf(
    "Get paid",
    `<form method="post">
<label>Account number <input name="account_number" value="000123456789" required></label>
<button>Agree and submit</button>
</form>
<p>Test numbers only: <a href="https://docs.stripe.com/connect/testing">docs.stripe.com/connect/testing</a></p>`,
  );
}

/** Lets a subscription run out, or go on after all. */
function setEnding(context: Context, subscription: Stripe.Subscription, isEnding: boolean): void {
  change(
    context,
    subscription,
    (changed) => {
      changed.cancel_at_period_end = isEnding;
      changed.cancel_at = isEnding ? currentEnd(changed) : null;
      changed.canceled_at = isEnding ? now(context) : null;
    },
    "customer.subscription.updated",
  );
  schedule(context, subscription);
}

function rowOf(subscription: Stripe.Subscription): string {
  const [item] = subscription.items.data;
  const until = new Date(currentEnd(subscription) * 1_000).toISOString().slice(0, 10);
  const [action, label] = subscription.cancel_at_period_end ? ["resume", "Go on"] : ["cancel", "Cancel"];
  return `<form method="post"><p>${escaped(idOf(item?.price.product) ?? "")}: ${escaped(subscription.status)}, until ${until}</p>
<input type="hidden" name="subscription" value="${escaped(subscription.id)}">
<button name="action" value="${action}">${label}</button></form>`;
}
