import type { Jump, SuiteClock } from "./clock.ts";

/** Other servers of the suite follow its clock: they are told of every change by `PUT` of a small JSON to an address of theirs. */

/** What followers are told: how far ahead of real time to be (milliseconds), and where to stand (milliseconds since the epoch), if at all. */
export interface Told {
  readonly offset: number;
  readonly frozenAt?: number;
}

/** A follower that did not take what it was told. */
export interface Deaf {
  readonly url: string;
  readonly reason: string;
}

export interface FollowersOptions {
  readonly clock: SuiteClock;
  /** Such as `http://127.0.0.1:8080/emulator/v1/clock`. */
  readonly urls: readonly string[];
  readonly report: (message: string) => void;
  /** How often those that did not listen are told again, in real milliseconds. */
  readonly tellAgainMillis?: number;
}

const MAX_FOLLOWERS = 32;
const TELL_TIMEOUT_MILLIS = 2_000;
const TELL_AGAIN_MILLIS = 5_000;

/** Tells all at the same time, each within two seconds. Never throws for what a follower does; gives those that did not take it. */
export async function tellFollowers(urls: readonly string[], told: Told): Promise<Deaf[]> {
  if (urls.length > MAX_FOLLOWERS) throw tooMany();
  const { offset, frozenAt } = told;
  const body = JSON.stringify({ offset, ...(frozenAt === undefined ? {} : { frozenAt }) });
  const reasons = await Promise.all(urls.map((url) => tell(url, body)));
  return urls.flatMap((url, i) => {
    const reason = reasons[i];
    return reason === undefined ? [] : [{ url, reason }];
  });
}

/** Why it was not taken, or undefined. */
async function tell(url: string, body: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body,
      signal: AbortSignal.timeout(TELL_TIMEOUT_MILLIS),
    });
    await response.arrayBuffer();
    return response.ok ? undefined : `it answers ${response.status}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? cause.message || message : message;
  }
}

/**
 * Keeps servers on the suite's time, starting with what it is now. One that does not listen is reported once, left alone until the
 * clock's jump is over, and told again every few seconds.
 *
 * @returns lets them go
 */
export function keepFollowers({
  clock,
  urls,
  report,
  tellAgainMillis = TELL_AGAIN_MILLIS,
}: FollowersOptions): () => void {
  if (urls.length > MAX_FOLLOWERS) throw tooMany();
  let deaf = new Set<string>();
  let jump: Jump | undefined;
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<void> = Promise.resolve();
  let isOver = false;

  const inform = async (): Promise<void> => {
    clearTimeout(timer);
    const isSameJump = clock.jump !== undefined && clock.jump === jump;
    jump = clock.jump;
    const listening = isSameJump ? urls.filter((url) => !deaf.has(url)) : urls;
    const failed = await tellFollowers(listening, clock.state);
    for (const { url, reason } of failed) if (!deaf.has(url)) report(`${url} does not follow the clock: ${reason}`);
    const unasked = isSameJump ? [...deaf] : [];
    deaf = new Set([...unasked, ...failed.map(({ url }) => url)]);
    if (deaf.size > 0 && !isOver) timer = setTimeout(() => void inTurn(), tellAgainMillis).unref();
  };
  /** One telling after the other, so that none overtakes a later one. */
  const inTurn = (): Promise<void> => {
    turn = turn.then(inform);
    return turn;
  };

  const forget = clock.onChange(inTurn);
  void inTurn();
  return () => {
    isOver = true;
    clearTimeout(timer);
    forget();
  };
}

function tooMany(): RangeError {
  return new RangeError(`At most ${MAX_FOLLOWERS} servers can follow the clock.`);
}
