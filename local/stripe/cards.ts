/** Stripe's test cards and what happens with each, by number and by the names of their payment methods: https://docs.stripe.com/testing */

export interface Decline {
  readonly code:
    | "card_declined"
    | "expired_card"
    | "incorrect_cvc"
    | "incorrect_number"
    | "processing_error"
    | "authentication_required";
  readonly declineCode?: string;
  readonly message: string;
  /** Stripe's own rules stopped it, not the bank. */
  readonly isBlocked?: boolean;
}

export interface TestCard {
  readonly number: string;
  readonly brand: string;
  readonly country: string;
  readonly funding: string;
  readonly decline?: Decline;
  /** Whether the holder must authenticate: always, unless the card was set up for payments without them, or (never asked) not. */
  readonly authentication?: "always" | "unless-set-up" | "set-up";
  readonly isBypassingPending?: boolean;
  readonly refund?: "fails" | "is-pending";
  readonly dispute?: { readonly reason: string; readonly isInquiry?: boolean };
  readonly hasFraudWarning?: boolean;
  readonly risk?: "elevated" | "highest";
  readonly failedChecks?: readonly ("cvc" | "line1" | "postal")[];
  readonly canAttach?: boolean;
  /** How a bank debit ends; a card has none. */
  readonly debit?: "succeeds" | "fails" | "disputed";
}

type Behavior = Omit<TestCard, "number" | "brand" | "country" | "funding"> & { readonly country?: string };

const GENERIC: Decline = { code: "card_declined", declineCode: "generic_decline", message: "Your card was declined." };
const INSUFFICIENT: Decline = {
  code: "card_declined",
  declineCode: "insufficient_funds",
  message: "Your card has insufficient funds.",
};
const PROCESSING: Decline = {
  code: "processing_error",
  declineCode: "processing_error",
  message: "An error occurred while processing your card. Try again in a little bit.",
};
const BLOCKED: Decline = {
  code: "card_declined",
  declineCode: "fraudulent",
  message: "Your card was declined.",
  isBlocked: true,
};

/** https://docs.stripe.com/testing#cards and the sections after it: number, names, behavior. */
const BEHAVING: readonly [number: string, names: readonly string[], behavior: Behavior][] = [
  ["4000000000000002", ["chargeDeclined", "visa_chargeDeclined"], { decline: GENERIC }],
  [
    "4000000000009995",
    ["chargeDeclinedInsufficientFunds", "visa_chargeDeclinedInsufficientFunds"],
    { decline: INSUFFICIENT },
  ],
  [
    "4000000000009987",
    ["chargeDeclinedLostCard", "visa_chargeDeclinedLostCard"],
    { decline: { ...GENERIC, declineCode: "lost_card" } },
  ],
  [
    "4000000000009979",
    ["chargeDeclinedStolenCard", "visa_chargeDeclinedStolenCard"],
    { decline: { ...GENERIC, declineCode: "stolen_card" } },
  ],
  [
    "4000000000000069",
    ["chargeDeclinedExpiredCard"],
    { decline: { code: "expired_card", declineCode: "expired_card", message: "Your card has expired." } },
  ],
  [
    "4000000000000127",
    ["chargeDeclinedIncorrectCvc"],
    {
      decline: {
        code: "incorrect_cvc",
        declineCode: "incorrect_cvc",
        message: "Your card's security code is incorrect.",
      },
    },
  ],
  ["4000000000000119", ["chargeDeclinedProcessingError"], { decline: PROCESSING }],
  [
    "4000000000006975",
    ["chargeDeclinedVelocityLimitExceeded", "visa_chargeDeclinedVelocityLimitExceeded"],
    {
      decline: {
        ...GENERIC,
        declineCode: "card_velocity_exceeded",
        message: "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
      },
    },
  ],
  ["4000000000000341", ["chargeCustomerFail"], { decline: GENERIC, canAttach: true }],
  ["4100000000000019", ["radarBlock"], { decline: BLOCKED, risk: "highest" }],
  ["4000000000004954", ["riskLevelHighest"], { decline: BLOCKED, risk: "highest" }],
  ["4000000000009235", ["riskLevelElevated"], { risk: "elevated" }],
  ["4000000000000101", ["cvcCheckFail"], { failedChecks: ["cvc"] }],
  ["4000000000000036", ["avsZipFail"], { failedChecks: ["postal"] }],
  ["4000000000000028", ["avsLine1Fail"], { failedChecks: ["line1"] }],
  ["4000000000000010", ["avsFail"], { failedChecks: ["line1", "postal"] }],
  ["4000000000000259", ["createDispute"], { dispute: { reason: "fraudulent" } }],
  ["4000000000002685", ["createDisputeProductNotReceived"], { dispute: { reason: "product_not_received" } }],
  ["4000000000001976", ["createDisputeInquiry"], { dispute: { reason: "fraudulent", isInquiry: true } }],
  ["4000000000005423", ["createIssuerFraudRecord"], { hasFraudWarning: true }],
  ["4000000000007726", ["pendingRefund"], { refund: "is-pending" }],
  ["4000000000005126", ["refundFail"], { refund: "fails" }],
  ["4000000000000077", ["bypassPending"], { isBypassingPending: true }],
  ["4000003720000278", ["bypassPendingInternational"], { isBypassingPending: true, country: "IE" }],
  ["4000002500003155", ["authenticationRequiredOnSetup"], { authentication: "unless-set-up", country: "FR" }],
  ["4000002760003184", ["authenticationRequired"], { authentication: "always", country: "DE" }],
  ["4000003800000446", ["authenticationRequiredSetupForOffSession"], { authentication: "set-up", country: "IT" }],
  [
    "4000008260003178",
    ["authenticationRequiredChargeDeclinedInsufficientFunds"],
    { authentication: "always", decline: INSUFFICIENT, country: "GB" },
  ],
  ["4000000000003220", ["threeDSecure2Required", "threeDSecureRequired"], { authentication: "always" }],
  ["4000008400001629", ["threeDSecureRequiredChargeDeclined"], { authentication: "always", decline: GENERIC }],
  ["4000008400001280", ["threeDSecureRequiredProcessingError"], { authentication: "always", decline: PROCESSING }],
  ["4000000000003055", ["threeDSecureOptional"], {}],
];

/** Payments succeed: number, names, brand, funding. https://docs.stripe.com/testing#cards */
const BRANDS: readonly [number: string, names: readonly string[], brand: string, funding: string][] = [
  ["4242424242424242", ["visa", "us"], "visa", "credit"],
  ["4000056655665556", ["visa_debit"], "visa", "debit"],
  ["5555555555554444", ["mastercard"], "mastercard", "credit"],
  ["2223003122003222", [], "mastercard", "credit"],
  ["5200828282828210", ["mastercard_debit"], "mastercard", "debit"],
  ["5105105105105100", ["mastercard_prepaid"], "mastercard", "prepaid"],
  ["378282246310005", ["amex", "threeDSecureNotSupported"], "amex", "credit"],
  ["371449635398431", [], "amex", "credit"],
  ["6011111111111117", ["discover"], "discover", "credit"],
  ["6011000990139424", [], "discover", "credit"],
  ["3056930009020004", ["diners"], "diners", "credit"],
  ["36227206271667", [], "diners", "credit"],
  ["3566002020360505", ["jcb"], "jcb", "credit"],
  ["6200000000000005", ["unionpay"], "unionpay", "credit"],
];

/** https://docs.stripe.com/testing#international-cards */
const COUNTRIES: Readonly<Record<string, string>> = {
  AT: "4000000400000008",
  AU: "4000000360000006",
  BE: "4000000560000004",
  BG: "4000001000000000",
  BR: "4000000760000002",
  CA: "4000001240000000",
  CH: "4000007560000009",
  CN: "4000001560000002",
  CZ: "4000002030000002",
  DE: "4000002760000016",
  DK: "4000002080000001",
  EE: "4000002330000009",
  ES: "4000007240000007",
  FI: "4000002460000001",
  FR: "4000002500000003",
  GB: "4000008260000000",
  GR: "4000003000000030",
  HK: "4000003440000004",
  HU: "4000003480000005",
  IE: "4000003720000005",
  IN: "4000003560000008",
  IT: "4000003800000008",
  JP: "4000003920000003",
  LU: "4000004420000006",
  MX: "4000004840008001",
  NL: "4000005280000002",
  NO: "4000005780000007",
  NZ: "4000005540000008",
  PL: "4000006160000005",
  PT: "4000006200000007",
  RO: "4000006420000001",
  SE: "4000007520000008",
  SG: "4000007020000003",
};

const BY_NUMBER = new Map<string, TestCard>();
const BY_NAME = new Map<string, TestCard>();

function register(card: TestCard, names: readonly string[]): void {
  BY_NUMBER.set(card.number, card);
  for (const name of names) BY_NAME.set(name, card);
}

for (const [number, names, brand, funding] of BRANDS) register({ number, brand, funding, country: "US" }, names);
for (const [country, number] of Object.entries(COUNTRIES)) {
  register({ number, brand: "visa", funding: "credit", country }, [country.toLowerCase()]);
}
for (const [number, names, { country = "US", ...behavior }] of BEHAVING) {
  register({ number, brand: "visa", funding: "credit", country, ...behavior }, names);
}

/** The card behind `pm_card_visa` or `tok_visa`, if there is one of that name. */
export function cardByName(token: string): TestCard | undefined {
  const name = /^(?:pm_card|tok)_(\w+)$/.exec(token)?.[1];
  return name === undefined ? undefined : BY_NAME.get(name);
}

/** The card of a number, spaces aside; undefined for a number that is none of a test card. */
export function cardByNumber(number: string): TestCard | undefined {
  return BY_NUMBER.get(number.replaceAll(/[\s-]/g, ""));
}

/** Whether the last digit is right: https://en.wikipedia.org/wiki/Luhn_algorithm */
export function isPlausible(number: string): boolean {
  const digits = number.replaceAll(/[\s-]/g, "");
  if (!/^\d{12,19}$/.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
