import type { Request } from "firebase-functions/v2/https";
import * as z from "zod";
import { now } from "./clock.ts";
import { Failure } from "./failure.ts";
import {
  collection,
  FieldPath,
  FieldValue,
  Filter,
  isAlreadyExists,
  isChangedMeanwhile,
  Moment,
  type Transaction,
  timestamp,
  transact,
} from "./firestore.ts";
import { deterministicId } from "./ids.ts";
import { log } from "./log.ts";
import { emit } from "./outbox.ts";
import { enqueue } from "./tasks.ts";

/**
 * Webhooks of vendors: authenticated, understood, carried out once, or kept until they can be (law: store first, then work).
 *
 * A webhook is tried at once. If that works, its record, `webhooks/{id}`, is created in the very transaction that has its effect; one
 * that comes again finds the record and does nothing. If it cannot be carried out now, it is kept with its body, answered
 * 200 all the same, tried again by a task for days, and at last parked for a person to look at.
 */

/** What happened to a webhook, in words that programs can rely on (`result`) and facts for people. */
export const Outcome = z.looseObject({ result: z.string() });
export type Outcome = z.infer<typeof Outcome>;

export const WebhookRecord = z.object({
  source: z.string(),
  /** The vendor's id of the event. */
  event: z.string(),
  type: z.string(),
  state: z.enum(["done", "retrying", "parked"]),
  outcome: Outcome,
  /** How often it was tried. */
  attempts: z.int().positive(),
  receivedAt: Moment,
  updatedAt: Moment,
  /** What is needed of the body to try again, while it is. */
  body: z.string().optional(),
  /** While it is retried: when to suspect that its task was lost. */
  retryAt: Moment.optional(),
  /** Why it could not be carried out: what has to change before it can. */
  waitingFor: z.string().optional(),
  /** What else would do. */
  orFor: z.string().optional(),
});
export type WebhookRecord = z.infer<typeof WebhookRecord>;

export const webhooks = () => collection("webhooks", WebhookRecord);

/** A webhook as its vendor's module understands it. */
export interface Incoming {
  /** The vendor's id of the event, the same for each delivery. */
  readonly id: string;
  readonly type: string;
  /** A body that reads the same, without what is personal and not needed. */
  readonly body: string;
  /**
   * Asks the vendor how things stand now, before the transaction begins: a webhook is a hint, and may be old. If it throws, the webhook
   * is kept.
   */
  look?(): Promise<void>;
  /**
   * Carries the event out inside a transaction: reads first, then writes. Called again when the transaction is.
   * @param retry whether an earlier try found a document that it wanted to create
   */
  carryOut(tx: Transaction, retry: boolean): Promise<Outcome>;
}

/** A vendor: how its webhooks are recognised and read. */
export interface WebhookSource {
  readonly name: string;
  /** Throws an `unauthenticated` failure if the request is not the vendor's. */
  authenticate(request: Request): void;
  /** Throws an `invalid-argument` failure, naming the field, if the body is not one of the vendor's. */
  read(body: unknown): Incoming;
}

/** Thrown by `carryOut`: not now, but perhaps later. The webhook is kept. */
export class Postponed extends Error {
  override readonly name = "Postponed";
  readonly reason: string;
  /** What has to change, as `product:gems_100`: whoever changes it can have these tried again. */
  readonly waitingFor: string;
  /** What else would do. */
  readonly orFor: string | undefined;

  constructor(reason: string, waitingFor: string, orFor?: string) {
    super(`${reason} (${waitingFor})`);
    this.reason = reason;
    this.waitingFor = waitingFor;
    this.orFor = orFor;
  }
}

/** What a vendor, or an operator who replays, gets for a webhook. */
export interface Receipt {
  readonly id: string;
  readonly state: WebhookRecord["state"] | "duplicate";
  readonly outcome: Outcome;
}

/** The queue of the function that tries kept webhooks again; exported under this name by `index.ts`. */
export const RETRY_QUEUE = "webhookRetries";

/** About three days with the queue's backoff, which `index.ts` declares beside the function. */
export const MAX_ATTEMPTS = 24;

const MAX_BODY_CHARACTERS = 256 * 1024;
/** A vendor's patience is short; past this the webhook is kept and tried by our own task. */
const FIRST_TRY_MILLIS = 8_000;

/** Receives one webhook. Failures are refusals; anything else that is thrown means that it could not even be kept. */
export async function receive(source: WebhookSource, request: Request): Promise<Receipt> {
  source.authenticate(request);
  const incoming = readBody(source, request.rawBody?.toString("utf8") ?? "");
  const id = recordId(source, incoming);
  try {
    return await withDeadline(settle(source, incoming, { id }));
  } catch (error) {
    if (!(error instanceof Postponed)) log.error("webhook not carried out", error, { id, type: incoming.type });
    return await keep(source, incoming, { id, error });
  }
}

/** How a kept webhook comes to be tried again: by its task, which counts, or by an operator, which does not. */
export type Trial = "task" | "operator";

/** Tries a kept webhook again; a task's last try parks it. Throws {@link Postponed} or what went wrong if it is to be tried once more. */
export async function retry(sources: readonly WebhookSource[], id: string, trial: Trial): Promise<Receipt> {
  const record = (await webhooks().doc(id).get()).data();
  if (!record) throw new Failure("not-found", `There is no webhook "${id}".`, { reason: "unknown-webhook" });
  if (record.state === "done" || record.body === undefined) return { id, state: "duplicate", outcome: record.outcome };
  // A second task, queued when the first was taken for lost, has nothing more to try.
  if (trial === "task" && record.state === "parked") return { id, state: "parked", outcome: record.outcome };
  const source = sources.find(({ name }) => name === record.source);
  if (!source) throw new Error(`no source "${record.source}" for webhook ${id}`);
  try {
    return await settle(source, source.read(JSON.parse(record.body)), { id, isKept: true });
  } catch (error) {
    return await failed(id, error, trial);
  }
}

/** A body that is refused is the vendor's to send again, and ours to hear of: it may be a purchase. */
function readBody(source: WebhookSource, text: string): Incoming {
  try {
    return source.read(parseBody(text));
  } catch (error) {
    if (error instanceof Failure)
      log.error("webhook refused", error, { source: source.name, field: error.details.field });
    throw error;
  }
}

function recordId(source: WebhookSource, { id }: Incoming): string {
  return `${source.name}_${/^[\w-]{1,200}$/.test(id) ? id : deterministicId(id)}`;
}

function parseBody(body: string): unknown {
  if (body.length > MAX_BODY_CHARACTERS) {
    throw new Failure("invalid-argument", "The body is too large.", { reason: "body-too-large" });
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new Failure("invalid-argument", "The body is not JSON.", { reason: "invalid-input", field: "" });
  }
}

/**
 * Carries a webhook out and records it, in one transaction; or finds that this was done before, which costs a read and nothing else.
 * @param isKept whether it is known to have been kept
 */
async function settle(
  source: WebhookSource,
  incoming: Incoming,
  { id, isKept = false }: { id: string; isKept?: boolean },
): Promise<Receipt> {
  const known = isKept ? undefined : (await webhooks().doc(id).get()).data();
  if (known?.state === "done") return { id, state: "duplicate", outcome: known.outcome };
  await incoming.look?.();
  const isNew = !isKept && known === undefined;
  try {
    return await attempt(source, incoming, { id, isNew, retry: false });
  } catch (error) {
    // Something that it creates was there: its own work of a commit whose answer was lost, or another's. Look before creating.
    if (!isAlreadyExists(error)) throw error;
    return await attempt(source, incoming, { id, isNew: false, retry: true });
  }
}

function attempt(
  source: WebhookSource,
  incoming: Incoming,
  { id, isNew, retry }: { id: string; isNew: boolean; retry: boolean },
): Promise<Receipt> {
  return transact(async (tx) => {
    const reference = webhooks().doc(id);
    const record = isNew ? undefined : (await tx.get(reference)).data();
    if (record?.state === "done") return { id, state: "duplicate", outcome: record.outcome };
    const outcome = await incoming.carryOut(tx, retry);
    const done: WebhookRecord = {
      source: source.name,
      event: incoming.id,
      type: incoming.type,
      state: "done",
      outcome,
      attempts: (record?.attempts ?? 0) + 1,
      receivedAt: record?.receivedAt ?? timestamp(),
      updatedAt: timestamp(),
    };
    if (record) tx.set(reference, done);
    else tx.create(reference, done);
    return { id, state: "done", outcome };
  });
}

/** Keeps a webhook that could not be carried out, and has it tried again. */
async function keep(
  source: WebhookSource,
  incoming: Incoming,
  { id, error }: { id: string; error: unknown },
): Promise<Receipt> {
  const outcome = outcomeOf(error);
  const kept: WebhookRecord = {
    source: source.name,
    event: incoming.id,
    type: incoming.type,
    state: "retrying",
    outcome,
    attempts: 1,
    receivedAt: timestamp(),
    updatedAt: timestamp(),
    retryAt: timestamp(now() + LOST_AFTER_MILLIS),
    body: incoming.body,
    ...waiting(error),
  };
  let state: Receipt["state"] = "retrying";
  try {
    await webhooks().doc(id).create(kept);
  } catch (problem) {
    if (!isAlreadyExists(problem)) throw problem;
    const known = (await webhooks().doc(id).get()).data();
    if (known?.state === "done") return { id, state: "duplicate", outcome: known.outcome };
    state = known?.state ?? state;
  }
  await schedule(id, "first");
  return { id, state, outcome };
}

/** Has a kept webhook tried, at once. A task that cannot be queued is made up for by {@link sweep}. */
async function schedule(id: string, round: string): Promise<void> {
  try {
    await enqueue(RETRY_QUEUE, { name: deterministicId(id, round), data: { id } });
  } catch (error) {
    log.error("webhook retry not queued", error, { id });
  }
}

/** Notes a failed try, unless another has succeeded meanwhile. The queue tries again as long as this throws. */
async function failed(id: string, error: unknown, trial: Trial): Promise<Receipt> {
  const outcome = outcomeOf(error);
  const receipt = await transact(async (tx): Promise<Receipt> => {
    const record = (await tx.get(webhooks().doc(id))).data();
    if (!record || record.state === "done") return { id, state: "duplicate", outcome: record?.outcome ?? outcome };
    const attempts = record.attempts + (trial === "task" ? 1 : 0);
    const state = attempts >= MAX_ATTEMPTS ? "parked" : "retrying";
    tx.update(webhooks().doc(id), {
      state,
      attempts,
      outcome,
      updatedAt: timestamp(),
      retryAt: state === "parked" ? FieldValue.delete() : timestamp(now() + LOST_AFTER_MILLIS),
      waitingFor: FieldValue.delete(),
      orFor: FieldValue.delete(),
      ...waiting(error),
    });
    if (state === "parked") emit(tx, { type: "webhook.parked", key: id, data: { webhook: id, type: record.type } });
    return { id, state, outcome };
  });
  if (receipt.state === "retrying") throw error;
  if (receipt.state === "parked") log.error("webhook parked", error, { id });
  return receipt;
}

function waiting(error: unknown): Pick<WebhookRecord, "waitingFor" | "orFor"> {
  if (!(error instanceof Postponed)) return {};
  const { waitingFor, orFor } = error;
  return { waitingFor, ...(orFor === undefined ? {} : { orFor }) };
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Postponed) return { result: "waiting", reason: error.reason, for: error.waitingFor };
  return { result: "failed", reason: error instanceof Failure ? error.reason : "internal" };
}

const PAGE = 200;
const MAX_PAGES = 100;
/** Longer than the longest backoff of the queue: whatever was not tried for so long has lost its task. */
const LOST_AFTER_MILLIS = 7 * 3_600_000;

/** Has every kept webhook tried again that waits for something that has just changed. Returns how many. */
export async function retryWaitingFor(waitingFor: string, round: string): Promise<number> {
  const isFor = Filter.or(Filter.where("waitingFor", "==", waitingFor), Filter.where("orFor", "==", waitingFor));
  const kept = webhooks().where(isFor).orderBy(FieldPath.documentId()).limit(PAGE);
  let count = 0;
  let last: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { docs } = await (last === undefined ? kept : kept.startAfter(last)).get();
    await Promise.all(docs.map(({ id }) => schedule(id, round)));
    count += docs.length;
    last = docs.at(-1)?.id;
    if (docs.length < PAGE) return count;
  }
  log.error("not every waiting webhook was queued", new Error(`more than ${PAGE * MAX_PAGES} wait`), { waitingFor });
  return count;
}

/** Queues kept webhooks anew that no task seems to be at work on. For a schedule. */
export async function sweep(): Promise<number> {
  const lost = await webhooks().where("retryAt", "<", timestamp()).orderBy("retryAt").limit(PAGE).get();
  const next = timestamp(now() + LOST_AFTER_MILLIS);
  await Promise.all(
    lost.docs.map(async ({ id, ref, updateTime }) => {
      await schedule(id, `sweep ${Math.floor(now() / LOST_AFTER_MILLIS)}`);
      try {
        await ref.update({ retryAt: next }, { lastUpdateTime: updateTime });
      } catch (error) {
        // Its task, or the vendor's next delivery, has been quicker.
        if (!isChangedMeanwhile(error)) throw error;
      }
    }),
  );
  return lost.size;
}

/** Gives a promise up when the vendor would. What it does goes on; it is idempotent, like all of it. */
async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${FIRST_TRY_MILLIS} ms`)), FIRST_TRY_MILLIS);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
