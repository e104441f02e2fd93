import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, keyReused } from "../platform/failure.ts";
import { getAll, isAlreadyExists, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { deterministicId, fingerprint } from "../platform/ids.ts";
import type { Started, StartRequest } from "./contract.ts";
import { KEEP_MILLIS, MAX_OPEN, type Play, play, type Session, sessions } from "./records.ts";
import { stateOf } from "./session.ts";
import { signToken } from "./token.ts";

/** How many sessions a user begins in a day (UTC). */
export const MAX_PER_DAY = 500;
const DAY_MILLIS = 86_400_000;

type Request = z.output<typeof StartRequest>;
type Latest = Play["latest"];

/**
 * Begins a session, once for its key. Of a user's sessions five are open at a time: the next closes the oldest, which then is refused,
 * `too-many-sessions`.
 *
 * Bill: 1 read and 2 writes; repeated 2 reads. When the latest five may all be open, these are read, too; and when they are, closing
 * one is another write. Refuses `rate-limited` past 500 a day, and `idempotency-key-reused`.
 */
export async function start({ uid }: Caller, request: Request): Promise<Started> {
  const id = deterministicId("game", uid, request.key);
  try {
    const session = await transact((tx) => begin(tx, { id, user: uid, request }));
    return seen(id, session);
  } catch (error) {
    if (!(error instanceof Failure || isAlreadyExists(error))) throw error;
    const known = (await sessions().doc(id).get()).data();
    if (!known) throw error;
    if (known.fingerprint !== fingerprint(request)) throw keyReused();
    return seen(id, known);
  }
}

interface Beginning {
  readonly id: string;
  readonly user: string;
  readonly request: Request;
}

async function begin(tx: Transaction, { id, user, request }: Beginning): Promise<Session> {
  const before = (await tx.get(play(user))).data();
  const counted = countedIn(before);
  const { latest, closed } = await madeRoom(tx, before?.latest ?? []);
  const at = now();
  const session: Session = {
    user,
    game: request.game,
    ...(request.board === undefined ? {} : { board: request.board }),
    state: "open",
    fingerprint: fingerprint(request),
    startedAt: timestamp(at),
    tokenExpiresAt: timestamp(at + request.lifetimeSeconds * 1_000),
    expiresAt: timestamp(at + KEEP_MILLIS),
  };
  tx.create(sessions().doc(id), session);
  tx.set(play(user), { ...counted, latest: [...latest, { session: id, tokenExpiresAt: session.tokenExpiresAt }] });
  if (closed !== undefined) tx.update(sessions().doc(closed), { state: "expired" });
  return session;
}

/** The day's count with one more. */
function countedIn(before: Play | undefined): Pick<Play, "day" | "today"> {
  const at = now();
  const day = new Date(at).toISOString().slice(0, 10);
  const today = before?.day === day ? before.today : 0;
  if (today < MAX_PER_DAY) return { day, today: today + 1 };
  throw new Failure("resource-exhausted", "You have begun as many sessions as you may in a day.", {
    reason: "rate-limited",
    limit: MAX_PER_DAY,
    remaining: 0,
    retryAfter: Math.ceil((DAY_MILLIS - (at % DAY_MILLIS)) / 1_000),
  });
}

/** The latest sessions with room for one more, and which of them is to be closed for that. */
async function madeRoom(tx: Transaction, latest: Latest): Promise<{ latest: Latest; closed?: string }> {
  const lasting = latest.filter(({ tokenExpiresAt }) => tokenExpiresAt.toMillis() > now());
  if (lasting.length < MAX_OPEN) return { latest: lasting };
  const ids = lasting.map(({ session }) => session);
  const found = await getAll(tx, sessions(), ids);
  const open = lasting.filter(({ session }) => {
    const one = found.get(session);
    return one !== undefined && stateOf(one) === "open";
  });
  const [oldest, ...others] = open;
  return oldest && open.length === MAX_OPEN ? { latest: others, closed: oldest.session } : { latest: open };
}

function seen(id: string, { user, board, startedAt, tokenExpiresAt }: Session): Started {
  const claims = { session: id, startedAt: startedAt.toMillis(), expiresAt: tokenExpiresAt.toMillis() };
  return { ...claims, token: signToken({ ...claims, user, board }) };
}
