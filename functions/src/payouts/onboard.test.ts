import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { PAYOUT_SETTINGS } from "../../testing/connect.ts";
import { DAY, HOME, usePayouts } from "../../testing/payouts.ts";
import { onboard, payoutAccount } from "./onboard.ts";
import { payoutAccounts } from "./records.ts";

useBackend(PAYOUT_SETTINGS);
const { stripe, accountOf } = usePayouts();

describe("onboarding", () => {
  test("makes one account however often it is asked for at once, and webhooks tell how it stands", async () => {
    const { uid } = someone();
    const links = await Promise.allSettled(Array.from({ length: 5 }, () => onboard({ uid }, HOME)));
    expect(links.some(({ status }) => status === "fulfilled")).toBe(true);
    expect((await onboard({ uid }, HOME)).url).toContain("/setup/e/");
    const made = (await stripe.client.accounts.list({ limit: 100 })).data.filter(
      ({ metadata }) => metadata?.uid === uid,
    );
    expect(made).toHaveLength(1);
    expect((await payoutAccount({ uid })).account).toMatchObject({ country: "US", state: "onboarding" });
    await stripe.simulate("POST", `accounts/${await accountOf(uid)}/complete`);
    await stripe.advance(1);
    expect((await payoutAccounts().doc(uid).get()).data()).toMatchObject({ state: "enabled", due: [] });
    await stripe.simulate("POST", `accounts/${await accountOf(uid)}/restrict`, { due: ["individual.id_number"] });
    await stripe.advance(1);
    expect((await payoutAccount({ uid })).account).toMatchObject({
      state: "restricted",
      due: ["individual.id_number"],
    });
  });

  test.each(["timeout-before", "timeout-after-success", "500", "500-after-success"])(
    "finds the account that an answer was lost of, or makes it, after a %s",
    async (mode) => {
      const { uid } = someone();
      await stripe.fault(mode, "/v1/accounts", { method: "POST" });
      await expect(onboard({ uid }, HOME)).rejects.toMatchObject({ details: { reason: "stripe-unavailable" } });
      await stripe.advance(2 * DAY);
      await onboard({ uid }, HOME);
      const made = (await stripe.client.accounts.list({ limit: 100 })).data.filter(
        ({ metadata }) => metadata?.uid === uid,
      );
      expect(made.map(({ id }) => id)).toEqual([await accountOf(uid)]);
    },
  );

  test("takes no address that is not https, and no other country afterwards", async () => {
    const { uid } = someone();
    await expect(onboard({ uid }, { ...HOME, returnUrl: "http://example.com/" })).rejects.toMatchObject({
      details: { field: "returnUrl" },
    });
    await onboard({ uid }, HOME);
    await expect(onboard({ uid }, { ...HOME, country: "DE" })).rejects.toMatchObject({ details: { field: "country" } });
  });

  test("ends when its owner cuts the account off", async () => {
    const { uid } = someone();
    await onboard({ uid }, HOME);
    await stripe.client.accounts.del(await accountOf(uid));
    await stripe.advance(1);
    expect((await payoutAccounts().doc(uid).get()).data()?.state).toBe("disabled");
    await expect(onboard({ uid }, HOME)).rejects.toMatchObject({ details: { reason: "payout-account-closed" } });
  });
});
