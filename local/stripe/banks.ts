/**
 * Test numbers of bank accounts. Debits: https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test-account-numbers,
 * payouts: https://docs.stripe.com/connect/testing#payouts
 */

/** How a bank debit ends, by account number; of others it succeeds. */
const DEBITS: Readonly<Record<string, Debit>> = {
  "000123456789": { end: "succeeds", name: "success" },
  "000111111113": { end: "fails", code: "account_closed", name: "accountClosed" },
  "000111111116": { end: "fails", code: "no_account", name: "noAccount" },
  "000222222227": { end: "fails", code: "insufficient_funds", name: "insufficientFunds" },
  "000333333335": { end: "fails", code: "debit_not_authorized", name: "debitNotAuthorized" },
  "000666666661": { end: "disputed", name: "dispute" },
};

export interface Debit {
  readonly end: "succeeds" | "fails" | "disputed";
  readonly code?: string;
  /** As in `pm_usBankAccount_success`. */
  readonly name: string;
}

/** Why payouts to a bank account fail, by account number: https://docs.stripe.com/api/payouts/failures */
const PAYOUT_FAILURES: Readonly<Record<string, string>> = {
  "000111111113": "account_closed",
  "000111111116": "no_account",
  "000222222227": "insufficient_funds",
  "000333333335": "debit_not_authorized",
  "000444444440": "invalid_currency",
};

/** IBANs end alike in every country; Stripe shows those of Germany. */
const IBAN_FAILURES: Readonly<Record<string, string>> = {
  DE62370400440532013001: "no_account",
  DE89370400440532013002: "account_closed",
  DE89370400440532013003: "insufficient_funds",
  DE89370400440532013004: "debit_not_authorized",
  DE89370400440532013005: "invalid_currency",
};

/** The account number behind `btok_us` and its like. */
const TOKENS: Readonly<Record<string, string>> = {
  btok_us: "000123456789",
  btok_us_verified: "000123456789",
  btok_us_accountClosed: "000111111113",
  btok_us_noAccount: "000111111116",
};

export function debitOf(accountNumber: string): Debit {
  return DEBITS[accountNumber] ?? { end: "succeeds", name: "success" };
}

/** The account number behind `pm_usBankAccount_success` and its like. */
export function bankByName(token: string): string | undefined {
  const name = /^pm_usBankAccount_(\w+)$/.exec(token)?.[1];
  return Object.entries(DEBITS).find(([, debit]) => debit.name === name)?.[0];
}

export function bankByToken(token: string): string | undefined {
  return Object.hasOwn(TOKENS, token) ? TOKENS[token] : undefined;
}

/** The failure code of payouts to this bank account, or undefined if they arrive. */
export function payoutFailureOf(accountNumber: string): string | undefined {
  return PAYOUT_FAILURES[accountNumber] ?? IBAN_FAILURES[accountNumber];
}
