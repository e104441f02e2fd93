import { now } from "../../platform/clock.ts";
import { config } from "../../platform/config.ts";
import { transact } from "../../platform/firestore.ts";
import { log } from "../../platform/log.ts";
import { find, idOf } from "./ask.ts";
import { lookAt } from "./look.ts";
import { invoiceOfPayment } from "./payment.ts";

/** Which payment an object of Stripe's balance is about, by the kind that its id names: a charge, a refund, a dispute. */
const PAYMENTS: readonly { readonly id: RegExp; payment(id: string): Promise<string | undefined> }[] = [
  {
    id: /^(ch|py)_\w+$/,
    payment: async (id) => idOf((await find((client) => client.charges.retrieve(id)))?.payment_intent),
  },
  {
    id: /^(re|pyr)_\w+$/,
    payment: async (id) => idOf((await find((client) => client.refunds.retrieve(id)))?.payment_intent),
  },
  {
    id: /^(dp|du)_\w+$/,
    payment: async (id) => idOf((await find((client) => client.disputes.retrieve(id)))?.payment_intent),
  },
];

/**
 * Settles what the comparison of our books with Stripe's has found missing here, as its webhook would have: the object's payment is looked up
 * as it stands now, so that it makes no difference how often this is told. What is about no payment of ours changes nothing.
 *
 * Bill: what the webhooks of the payment cost, and of its invoice if it has one.
 */
export async function settleMissed({ object, type }: { object: string; type: string }): Promise<void> {
  const payment = await PAYMENTS.find(({ id }) => id.test(object))?.payment(object);
  const intent = payment && (await find((client) => client.paymentIntents.retrieve(payment)));
  if (!intent || (!intent.livemode && !config.grantSandboxPurchases.value())) {
    log.warn("missed object is no payment of ours", { object, type });
    return;
  }
  const { id, livemode: isLive, metadata } = intent;
  const invoice = metadata.order === undefined ? await invoiceOfPayment(id) : undefined;
  const subjects = [
    ...(invoice === undefined ? [] : [{ kind: "invoice", id: invoice } as const]),
    { kind: "payment", id, isBack: true } as const,
  ];
  for (const subject of subjects) {
    const settle = await lookAt(subject, { isLive, asOf: now() });
    const outcome = await transact(async (tx) => await settle(tx));
    log.info("missed object settled", { object, type, as: subject.kind, result: outcome.result });
  }
}
