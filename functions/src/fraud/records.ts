import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";
import { Score, Settings } from "./settings.ts";
import { Windows } from "./windows.ts";

const Whole = z.int().nonnegative();
const Hash = z.string();

/** `fraud/settings`: what operators have changed of how the rules judge. */
const FraudSettings = z.object({ settings: Settings, by: z.string(), updatedAt: Moment });

export const fraudSettings = () => collection("fraud", FraudSettings);

/**
 * `velocity/{hash of a user, device or card}`: what was seen of it, in as much room however much it was. Nothing of it names anybody; of
 * users it keeps hashes.
 */
export const Sightings = z.object({
  dimension: z.enum(["user", "device", "card"]),
  /** By what it was. */
  seen: z.partialRecord(z.enum(["purchase", "withdrawal", "gift", "sandbox"]), Windows),
  /** Of devices and cards: whose they were, the latest last. */
  users: z.array(Hash),
  /** Of users: the latest amounts by kind and currency, oldest first. */
  amounts: z.record(z.string(), z.array(Whole)),
  /** Of users: whose purchases a vendor has said to be theirs now. */
  transferredFrom: z.array(Hash),
  refunds: Whole,
  chargebacks: Whole,
  /** Which refunds were counted last, so that one that is told twice is not. */
  counted: z.array(z.string()),
  updatedAt: Moment,
  /** Firestore's TTL policy deletes it when nothing was seen for so long. */
  expiresAt: Moment,
});
export type Sightings = z.infer<typeof Sightings>;

export const velocity = () => collection("velocity", Sightings);

/** `receiptOwners/{hash of store and original transaction}`: who came with a receipt first. */
export const ReceiptOwner = z.object({
  user: Hash,
  /** Who else came with it, the latest last. */
  others: z.array(Hash),
  /** Whose an operator has found it to be, too. */
  accepted: z.array(Hash),
  updatedAt: Moment,
});
export type ReceiptOwner = z.infer<typeof ReceiptOwner>;

export const receiptOwners = () => collection("receiptOwners", ReceiptOwner);

export const Verdict = z.enum(["allow", "review", "block"]);
export type Verdict = z.infer<typeof Verdict>;

/** What a rule found. */
export const RecordedFinding = z.object({
  rule: z.string(),
  score: Score,
  reason: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Whether it went into the score: what is in shadow does not. */
  counted: z.boolean(),
});
export type RecordedFinding = z.infer<typeof RecordedFinding>;

/** `assessments/{hash of kind and subject}`: what was judged, once, with what was known then. */
export const AssessmentRecord = z.object({
  kind: z.enum(["purchase", "withdrawal", "gift"]),
  subject: z.string(),
  user: z.string(),
  amount: z.object({ amount: z.int(), currency: z.string() }).optional(),
  score: Score,
  verdict: Verdict,
  /** What the verdict would be, while `FRAUD` is `shadow`. */
  shadow: Verdict.optional(),
  findings: z.array(RecordedFinding),
  /** What it was counted under: documents of `velocity`. */
  sightings: z.array(Hash),
  /** The document of `receiptOwners` of its receipt. */
  receipt: Hash.optional(),
  at: Moment,
  /** Firestore's TTL policy deletes it then. */
  expiresAt: Moment,
});
export type AssessmentRecord = z.infer<typeof AssessmentRecord>;

export const assessments = () => collection("assessments", AssessmentRecord);

const Act = z.object({ by: z.string(), note: z.string(), at: Moment });

export const ReviewKind = z.enum(["purchase", "withdrawal", "gift", "refund-after-transfer", "score"]);
export type ReviewKind = z.infer<typeof ReviewKind>;
export const ReviewState = z.enum(["open", "approved", "rejected", "closed"]);
export type ReviewState = z.infer<typeof ReviewState>;

/** `reviews/{hash of kind and subject}`: something that a person has to look at. */
export const Review = z.object({
  kind: ReviewKind,
  /** `closed`: there is nothing to decide any more, as when the purchase was refunded. */
  state: ReviewState,
  /** The id of what it is about, as of a purchase. */
  subject: z.string(),
  user: z.string(),
  amount: z.object({ amount: z.int(), currency: z.string() }).optional(),
  score: Score,
  reasons: z.array(z.object({ rule: z.string(), score: Score, reason: z.string() })),
  facts: z.record(z.string(), z.json()),
  assignee: z.string().optional(),
  notes: z.array(Act),
  /** Who has approved it; two where two have to. */
  approvals: z.array(Act),
  decision: Act.optional(),
  /** How often operators did something to it: tells their deeds apart. */
  acts: Whole,
  openedAt: Moment,
  updatedAt: Moment,
});
export type Review = z.infer<typeof Review>;

export const reviews = () => collection("reviews", Review);
