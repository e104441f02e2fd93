import { hasRedis } from "../functions/testing/redis.ts";
import { measureAlone } from "./leaderboards/alone.ts";
import { measureBesideNakama } from "./leaderboards/nakama.ts";
import { measurePeer } from "./leaderboards/peer.ts";
import { measureServed } from "./leaderboards/served.ts";

/**
 * The speed of leaderboards, in four parts: as served, with Redis and without; the same beside Nakama, by what a bare server can do; what the
 * product asks of Redis, up to ten million players; and that next to `redis-rank`.
 *
 * `BOARDS_ONLY=<words>` measures that whose name has the words, as `served around`, `Nakama`, `Redis alone`, `redis-rank` or `10,000 players`;
 * `BENCH_SECONDS=<number>` for another time than ten seconds each; `BENCH_PROFILE=<folder>` leaves CPU profiles of what is served there.
 */
const only = process.env.BOARDS_ONLY ?? "";
const isWanted = (name: string) => name.includes(only);

await measureServed(isWanted);
if (hasRedis) {
  await measureBesideNakama(isWanted);
  await measureAlone(isWanted);
  await measurePeer(isWanted);
} else console.error("redis-server is not installed: only what goes without it was measured.");
