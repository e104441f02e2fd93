import { ORDER_FIELD } from "../place.ts";
import { players, type Slot } from "../records.ts";
import { rowOf } from "../row.ts";
import { slotIn, type View } from "../view.ts";
import { awardAll, type Winner } from "./award.ts";
import type { SeasonRecord } from "./records.ts";
import { lastRank, prizeFor, stageAfter } from "./stages.ts";
import { advance, type Closing } from "./step.ts";

type Scope = "country" | "group";

const MOST_AT_ONCE = 100;

/**
 * Gives the prizes of the next countries, or groups, of a season. Their players follow each other in one index, so whoever is behind the
 * prizes of one is jumped over to the next. A read for each player that has a prize and one more for each country, and what each prize costs.
 */
export async function payScope(closing: Closing, scope: Scope): Promise<SeasonRecord | undefined> {
  const { view, record } = closing;
  const last = lastRank(record.prizes, scope);
  const limit = Math.min(MOST_AT_ONCE, 2 * last);
  const { docs } = await following(view, scope, record.cursor || undefined, limit);
  const walk = walked(
    docs.flatMap((document) => {
      const player = document.data();
      const slot = slotIn(view, player);
      const [id, order] = [slot?.[scope], slot?.[ORDER_FIELD[scope]]];
      return slot && id !== undefined && order !== undefined ? [{ id, order, slot, player, uid: document.id }] : [];
    }),
    { season: record.season, last, among: record.among ?? { id: "", passed: 0 } },
  );
  const winners = walk.ranked.flatMap(({ uid, player, slot, rank }): Winner[] => {
    const prize = prizeFor(record.prizes, scope, rank);
    return prize ? [{ row: rowOf(uid, player, slot, rank), scope, rank, reward: prize.reward }] : [];
  });
  const counts = await awardAll(record, winners);
  return await advance(closing, async (_tx, before) => () => ({
    given: before.given + counts.given,
    failed: before.failed + counts.failed,
    ...(docs.length < limit && !walk.hasJumped ? stageAfter(before) : { cursor: walk.cursor, among: walk.among }),
  }));
}

async function following(view: View, scope: Scope, after: string | undefined, limit: number) {
  const field = `${view.slot}.${ORDER_FIELD[scope]}`;
  const [first, end] = [`${view.season.key}|`, `${view.season.key}}`];
  return await players(view.id)
    .where(field, ">", after ?? first)
    .where(field, "<", end)
    .orderBy(field)
    .limit(limit)
    .get();
}

interface Placed {
  readonly id: string;
  readonly order: string;
  readonly slot: Slot;
}

interface Among {
  readonly id: string;
  readonly passed: number;
}

/** Ranks players within the country that they belong to, up to the one who is behind its prizes. */
function walked<One extends Placed>(
  found: readonly One[],
  from: { readonly season: string; readonly last: number; readonly among: Among },
) {
  const ranked: (One & { rank: number })[] = [];
  let { among } = from;
  for (const one of found) {
    const rank = one.id === among.id ? among.passed + 1 : 1;
    among = { id: one.id, passed: rank };
    if (rank > from.last) {
      return { ranked, among, cursor: `${from.season}|${one.id}}`, hasJumped: true };
    }
    ranked.push({ ...one, rank });
  }
  return { ranked, among, cursor: found.at(-1)?.order ?? "", hasJumped: false };
}
