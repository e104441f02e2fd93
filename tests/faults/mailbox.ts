import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll } from "vitest";
import { stripe } from "../../functions/src/platform/stripe.ts";
import { type StripeServer, startStripe } from "../../local/stripe/server.ts";
import type { Answer, Served } from "./functions.ts";

/** A webhook of Stripe's as it came, signed, to be delivered as often as a test likes. */
export interface Letter {
  readonly path: string;
  readonly type: string;
  readonly body: string;
  readonly signature: string;
}

/** The Stripe simulator, whose webhooks are taken in and delivered by tests. To be used after `useStage`. */
export function useStripeMail() {
  let server: StripeServer | undefined;
  const letters: Letter[] = [];
  const receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const { type } = JSON.parse(body) as { type: string };
    letters.push({ path: request.url ?? "", type, body, signature: String(request.headers["stripe-signature"]) });
    response.writeHead(200).end("{}");
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    server = await startStripe({
      apiKey: process.env.STRIPE_API_KEY ?? "",
      webhooks: {
        platform: { url: `${url}/stripe`, secret: process.env.STRIPE_WEBHOOK_SECRET ?? "" },
        connect: { url: `${url}/stripe-connect`, secret: process.env.STRIPE_CONNECT_WEBHOOK_SECRET ?? "" },
      },
    });
    process.env.STRIPE_URL = `http://127.0.0.1:${server.port}`;
  });
  afterAll(async () => {
    receiver.closeAllConnections();
    receiver.close();
    await server?.close();
  });
  return {
    client: () => stripe(),
    /** What people, banks and networks do: see local/stripe. */
    simulate: async (path: string, body: object = {}): Promise<void> => {
      const url = `http://127.0.0.1:${server?.port}/simulator/${path}`;
      const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      if (!response.ok) throw new Error(await response.text());
    },
    /** The latest webhook of a type about something, as an object's id. Throws if there is none. */
    letter: async (type: string, about: string): Promise<Letter> => {
      await server?.flush();
      const found = letters.findLast((letter) => letter.type === type && letter.body.includes(about));
      if (!found) throw new Error(`there is no ${type} about ${about}`);
      return found;
    },
    /** Has the house have money at Stripe that can be sent on at once. */
    fund: async (amount: number): Promise<void> => {
      await (await stripe()).paymentIntents.create({
        amount,
        currency: "usd",
        payment_method: "pm_card_bypassPending",
        confirm: true,
        return_url: "https://game.example.com/",
      });
    },
  };
}

export function deliver(to: Served, { path, body, signature }: Letter): Promise<Answer | undefined> {
  return to.post(path, body, { "stripe-signature": signature });
}
