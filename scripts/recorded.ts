import { createHash } from "node:crypto";

/** What became of a recorded webhook. */
export interface Replayed {
  readonly name: string;
  readonly type: string;
  /** HTTP status; 0: no answer. */
  readonly status: number;
  readonly state: string;
  /** In words, with the facts that belong to it. */
  readonly outcome: string;
}

/** Posts one recorded body as the vendor would. */
export async function replay(
  name: string,
  body: string,
  to: { url: string; authorization: string },
): Promise<Replayed> {
  const type = typeOf(body);
  try {
    const response = await fetch(to.url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: to.authorization },
      body,
    });
    const answer = (await response.json()) as Answer;
    return { name, type, status: response.status, state: answer.state ?? "refused", outcome: describe(answer) };
  } catch (error) {
    return { name, type, status: 0, state: "no answer", outcome: (error as Error).message };
  }
}

/** What the backend, or the simulator that told it, answers to a webhook. */
export interface Answer {
  readonly state?: string;
  readonly outcome?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly reason?: string; readonly message?: string; readonly field?: string };
}

/** Ids that published samples share although each means another event, purchase and person. */
const SHARED = ["id", "transaction_id", "original_transaction_id"];

/**
 * Gives a recorded body ids of its own, made from its name, so that samples that share placeholder ids do not get into each
 * other's way. The same name gives the same ids: replaying twice is still replaying.
 */
export function withDistinctIds(body: string, name: string): string {
  const recorded = JSON.parse(body) as { event?: Record<string, unknown> };
  if (!recorded.event) return body;
  const { event } = recorded;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 12);
  for (const field of SHARED) if (typeof event[field] === "string") event[field] = `${digest}-${event[field]}`;
  if (typeof event.app_user_id === "string") {
    const user = `replayed-${digest}`;
    Object.assign(event, { app_user_id: user, original_app_user_id: user, aliases: [user] });
  }
  return JSON.stringify(recorded);
}

function typeOf(body: string): string {
  try {
    const { event } = JSON.parse(body) as { event?: { type?: unknown } };
    return typeof event?.type === "string" ? event.type : "?";
  } catch {
    return "?";
  }
}

/** An answer of the backend in a line. */
export function describe({ state, outcome, error }: Answer): string {
  if (error) return [error.reason, error.field, error.message].filter(Boolean).join(": ");
  if (!outcome) return "";
  const { result, ...facts } = outcome;
  const told = Object.entries(facts)
    .filter(([name]) => name !== "purchase" && name !== "transaction")
    .map(([name, value]) => [name, textOf(value)])
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name} ${text}`);
  const done = state === "duplicate" ? `earlier ${result}` : result;
  return [done, told.join(", ")].filter(Boolean).join(": ");
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(" ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([name, amount]) => `${amount} ${name}`)
      .join(" + ");
  }
  return String(value);
}
