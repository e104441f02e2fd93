import * as z from "zod";
import { addBank, newAccount, preferBank, removeBank } from "../accounts.ts";
import { type Context, get, now, within } from "../context.ts";
import { invalid } from "../errors.ts";
import { change, emit } from "../events.ts";
import { randomText } from "../ids.ts";
import { isWithin, listOf, pageOf } from "../list.ts";
import {
  clearable,
  currency,
  defined,
  flag,
  id,
  metadata,
  newMetadata,
  none,
  page,
  range,
  reviseMetadata,
  text,
} from "../params.ts";
import { type Route, route } from "../router.ts";

/** https://docs.stripe.com/api/accounts, https://docs.stripe.com/api/account_links, https://docs.stripe.com/api/external_accounts */

const LINK_SECONDS = 300;

const bank = z.preprocess(
  (value) => (typeof value === "string" ? { account_number: value } : value),
  z.strictObject({
    object: z.literal("bank_account").optional(),
    account_holder_name: text.optional(),
    account_holder_type: text.optional(),
    account_number: text,
    country: text.optional(),
    currency: currency.optional(),
    routing_number: text.optional(),
  }),
);
const settings = z.strictObject({
  payouts: z
    .strictObject({
      schedule: z
        .strictObject({ interval: z.enum(["manual", "daily"]).optional(), delay_days: text.optional() })
        .optional(),
      debit_negative_balances: flag.optional(),
      statement_descriptor: text.optional(),
    })
    .optional(),
});
const details = {
  business_profile: z.record(z.string(), z.unknown()).optional(),
  business_type: z.enum(["company", "government_entity", "individual", "non_profit"]).optional(),
  capabilities: z.record(z.string(), z.strictObject({ requested: flag })).optional(),
  email: clearable(text).optional(),
  external_account: bank.optional(),
  individual: z.unknown().optional(),
  company: z.unknown().optional(),
  metadata: metadata.optional(),
  settings: settings.optional(),
  tos_acceptance: z.unknown().optional(),
};
const Create = z.strictObject({
  ...details,
  controller: z.unknown().optional(),
  country: text.optional(),
  type: z.enum(["express", "custom", "standard"]).optional(),
});
const Update = z.strictObject(details);
const Link = z.strictObject({
  account: id,
  collect: text.optional(),
  collection_options: z.unknown().optional(),
  refresh_url: text.optional(),
  return_url: text.optional(),
  type: z.enum(["account_onboarding", "account_update"]),
});

export const accounts: readonly Route[] = [
  route("POST", "/v1/accounts", Create, (context, given) => {
    const account = newAccount(within(context, undefined), {
      type: given.type,
      country: given.country,
      email: given.email,
      capabilities: requested(given.capabilities),
      businessType: given.business_type,
      metadata: newMetadata(given.metadata),
      interval: given.settings?.payouts?.schedule?.interval,
    });
    if (given.external_account !== undefined) addBank(context, account, given.external_account);
    return account;
  }),
  route("GET", "/v1/account", none, (context) => own(context)),
  route("GET", "/v1/accounts/:id", none, (context, _, id) => byId(context, id)),
  route("POST", "/v1/accounts/:id", Update, (context, given, id) => {
    const account = byId(context, id);
    if (given.external_account !== undefined) addBank(context, account, given.external_account);
    return change(
      within(context, id),
      account,
      (changed) => {
        Object.assign(changed, defined({ email: given.email, business_type: given.business_type }));
        Object.assign(changed.business_profile ?? {}, given.business_profile);
        changed.capabilities = {
          ...Object.fromEntries(requested(given.capabilities).map((name) => [name, "inactive"])),
          ...changed.capabilities,
        };
        const { interval } = given.settings?.payouts?.schedule ?? {};
        if (interval !== undefined && changed.settings?.payouts !== undefined)
          changed.settings.payouts.schedule.interval = interval;
        reviseMetadata(changed, given.metadata);
      },
      "account.updated",
    );
  }),
  route("DELETE", "/v1/accounts/:id", none, (context, _, id) => {
    const account = byId(context, id);
    for (const { available, pending } of context.simulator.ledger.balance(within(context, id)).values()) {
      if (available !== 0 || pending !== 0) throw invalid("This account still has a balance and cannot be deleted.");
    }
    emit(within(context, id), "account.application.deauthorized", account);
    return context.simulator.store.bury("account", id);
  }),
  route(
    "GET",
    "/v1/accounts",
    z.strictObject({ ...page, created: range.optional() }),
    (context, { created, ...params }) =>
      listOf(within(context, undefined), "account", params, "/v1/accounts", (account) =>
        isWithin(account.created ?? 0, created),
      ),
  ),
  route("POST", "/v1/account_links", Link, (context, given) => {
    const account = byId(context, given.account);
    const target = new URLSearchParams(
      defined({ return_url: given.return_url ?? "", refresh_url: given.refresh_url ?? "" }),
    );
    return {
      object: "account_link",
      created: now(context),
      expires_at: now(context) + LINK_SECONDS,
      url: `${context.simulator.origin()}/setup/e/${account.id}/${randomText(12)}?${target.toString()}`,
    };
  }),
  route("POST", "/v1/accounts/:id/login_links", none, (context, _, id) => {
    if (!byId(context, id).details_submitted)
      throw invalid("Cannot create a login link for an account that has not completed onboarding.");
    return {
      object: "login_link",
      created: now(context),
      url: `${context.simulator.origin()}/setup/e/${id}/${randomText(12)}`,
    };
  }),
  route(
    "POST",
    "/v1/accounts/:id/external_accounts",
    z.strictObject({ external_account: bank, default_for_currency: flag.optional(), metadata: metadata.optional() }),
    (context, given, id) => addBank(context, byId(context, id), given.external_account),
  ),
  route(
    "GET",
    "/v1/accounts/:id/external_accounts",
    z.strictObject({ ...page, object: text.optional() }),
    (context, params, id) =>
      pageOf(byId(context, id).external_accounts?.data ?? [], params, `/v1/accounts/${id}/external_accounts`),
  ),
  route(
    "POST",
    "/v1/accounts/:id/external_accounts/:bank",
    z.strictObject({ default_for_currency: z.literal("true") }),
    (context, _, id, bankId) => preferBank(context, byId(context, id), bankId),
  ),
  route("DELETE", "/v1/accounts/:id/external_accounts/:bank", none, (context, _, id, bankId) =>
    removeBank(context, byId(context, id), bankId),
  ),
  route("GET", "/v1/accounts/:id/external_accounts/:bank", none, (context, _, id, bankId) =>
    get(within(context, byId(context, id).id), "bank_account", bankId),
  ),
];

/** A connected account sees itself only. */
function byId(context: Context, id: string) {
  if (context.account !== undefined && context.account !== id) {
    throw invalid("A connected account has no access to other accounts.", { code: "account_invalid" });
  }
  return get(within(context, undefined), "account", id);
}

function own(context: Context): object {
  if (context.account !== undefined) return byId(context, context.account);
  return {
    id: "acct_platform",
    object: "account",
    charges_enabled: true,
    country: "US",
    default_currency: "usd",
    details_submitted: true,
    email: "platform@example.com",
    payouts_enabled: true,
    type: "standard",
  };
}

function requested(capabilities: Record<string, { requested: boolean }> | undefined): string[] {
  if (capabilities === undefined) return ["transfers", "card_payments"];
  return Object.entries(capabilities)
    .filter(([, { requested: isWanted }]) => isWanted)
    .map(([name]) => name);
}
