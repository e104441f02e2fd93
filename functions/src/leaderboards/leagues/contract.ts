import * as z from "zod";
import { BoardId, Row } from "../contract.ts";

export const LeagueRequest = z.object({ board: BoardId });

/** Where the caller is in a league. Tier 1 is the lowest. */
export const LeagueStanding = z.object({
  season: z.string(),
  /** Milliseconds since the epoch. */
  endsAt: z.int(),
  tier: z.int(),
  tiers: z.int(),
  /** How many of a cohort go up in the end, and how many down. */
  promote: z.int(),
  demote: z.int(),
  /** Absent until the caller has a score in the season. */
  cohort: z.string().optional(),
  rows: z.array(Row),
});
export type LeagueStanding = z.infer<typeof LeagueStanding>;
