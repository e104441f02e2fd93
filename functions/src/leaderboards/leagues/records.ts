import * as z from "zod";
import { collection } from "../../platform/firestore.ts";

/** `leaderboards/{board}/seasons/{period}-{season}/tiers/{tier}`: how many have taken a seat; cohorts are filled one after the other. */
const Tier = z.object({ seated: z.int().nonnegative() });

export const tiers = (board: string, season: string) =>
  collection(`leaderboards/${board}/seasons/${season}/tiers`, Tier);
