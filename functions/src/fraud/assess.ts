import { now } from "../platform/clock.ts";
import { config } from "../platform/config.ts";
import { getAll, isAlreadyExists, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { settingsNow } from "./configure.ts";
import { gather, isOwner, type Known } from "./gather.ts";
import { type Judgement, judge } from "./judge.ts";
import {
  type AssessmentRecord,
  assessments,
  type ReceiptOwner,
  receiptOwners,
  type Sightings,
  type Verdict,
  velocity,
} from "./records.ts";
import type { Settings } from "./settings.ts";
import { latest, nothingSeen, withSubject } from "./sightings.ts";
import { assessmentId, DIMENSIONS, type Dimension, receiptId, type Subject, sightingsId, userHash } from "./subject.ts";

/** What was judged of a subject. */
export interface Assessment {
  readonly id: string;
  /** 0 to 100. */
  readonly score: number;
  /** What is to be done: nothing but `allow` while the rules are in shadow. */
  readonly verdict: Verdict;
  /** Why, the gravest first; only what was counted. */
  readonly reasons: readonly { readonly rule: string; readonly score: number; readonly reason: string }[];
}

const KEEP_MILLIS = 400 * 86_400_000;
const MAX_OTHERS = 20;

/** Whether purchases, withdrawals and gifts are judged at all. */
export function isWatching(): boolean {
  return config.fraud.value() !== "off";
}

/**
 * Judges a subject before what it asks for is done, writes that down and counts the subject among what was seen. The same subject again
 * has the same assessment, whatever is known by then. Undefined while `FRAUD` is `off`: everything goes.
 *
 * Bill: a read for the user, the device, the card and the receipt, as far as they are known; a write for each of the first three, for the
 * assessment, and for the receipt when it is new. Once a minute a read for the settings. A subject that was judged before costs a read
 * more and no writes. Off: nothing.
 */
export async function assess(subject: Subject): Promise<Assessment | undefined> {
  if (!isWatching()) return undefined;
  const settings = await settingsNow();
  const id = assessmentId(subject);
  try {
    return assessmentOf(id, await transact((tx) => judgeOnce(tx, subject, settings)));
  } catch (error) {
    // A subject is new almost always, so that it is not looked for first.
    if (!isAlreadyExists(error)) throw error;
    const known = (await assessments().doc(id).get()).data();
    if (!known) throw error;
    return assessmentOf(id, known);
  }
}

async function judgeOnce(tx: Transaction, subject: Subject, settings: Settings): Promise<AssessmentRecord> {
  const places = placesOf(subject);
  const receipt = receiptOf(subject);
  const seen = await getAll<Sightings>(tx, velocity(), [...places.values()]);
  const owner = receipt === undefined ? undefined : await tx.get(receiptOwners().doc(receipt));
  const known: Known = new Map(
    [...places].map(([dimension, id]) => [dimension, seen.get(id) ?? nothingSeen(dimension)]),
  );
  const record = recordOf(subject, judge(gather(subject, known, owner?.data()), settings), {
    sightings: [...places.values()],
    ...(receipt === undefined ? {} : { receipt }),
  });

  tx.create(assessments().doc(assessmentId(subject)), record);
  for (const [dimension, id] of places) {
    tx.set(velocity().doc(id), withSubject(known.get(dimension) ?? nothingSeen(dimension), subject));
  }
  const claimed = claim(subject, owner?.data(), known);
  if (receipt !== undefined && claimed) tx.set(receiptOwners().doc(receipt), claimed);
  return record;
}

/** The documents of the user, the device and the card, as far as they are known. */
function placesOf(subject: Subject): Map<Dimension, string> {
  return new Map(
    DIMENSIONS.flatMap((dimension) => {
      const value = subject[dimension];
      return value === undefined || value === "" ? [] : [[dimension, sightingsId(dimension, value)] as const];
    }),
  );
}

function receiptOf({ store, originalTransaction }: Subject): string | undefined {
  return store === undefined || originalTransaction === undefined ? undefined : receiptId(store, originalTransaction);
}

/** Whose the receipt is now; undefined if that does not change. Who only shares it has no claim to it. */
function claim(subject: Subject, owner: ReceiptOwner | undefined, known: Known): ReceiptOwner | undefined {
  const user = userHash(subject.user);
  if (subject.isFamilyShared || owner?.user === user || owner?.accepted.includes(user)) return undefined;
  const { others = [], accepted = [] } = owner ?? {};
  if (!owner || isOwner(subject, owner, known.get("user") ?? nothingSeen("user"))) {
    return { user, others, accepted, updatedAt: timestamp() };
  }
  if (others.includes(user)) return undefined;
  return { ...owner, others: latest(others, user, MAX_OTHERS), updatedAt: timestamp() };
}

function recordOf(
  subject: Subject,
  judgement: Judgement,
  places: Pick<AssessmentRecord, "sightings" | "receipt">,
): AssessmentRecord {
  const { score, verdict, findings } = judgement;
  const isShadow = config.fraud.value() === "shadow";
  return {
    kind: subject.kind,
    subject: subject.id,
    user: subject.user,
    ...(subject.amount ? { amount: { ...subject.amount } } : {}),
    score,
    verdict: isShadow ? "allow" : verdict,
    ...(isShadow ? { shadow: verdict } : {}),
    findings: [...findings],
    ...places,
    at: timestamp(),
    expiresAt: timestamp(now() + KEEP_MILLIS),
  };
}

function assessmentOf(id: string, { score, verdict, findings }: AssessmentRecord): Assessment {
  const counted = findings.filter((finding) => finding.counted);
  return { id, score, verdict, reasons: counted.map(({ rule, score: own, reason }) => ({ rule, score: own, reason })) };
}
