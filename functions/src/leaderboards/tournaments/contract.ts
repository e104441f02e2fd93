import * as z from "zod";
import { BoardId } from "../contract.ts";

export const JoinRequest = z.object({ board: BoardId });

/** What joining has cost, in smallest units; joined before, nothing more. */
export const Joined = z.object({ paid: z.int(), currency: z.string().optional(), repeated: z.boolean() });
export type Joined = z.infer<typeof Joined>;

export const LeaveRequest = z.object({ board: BoardId });

/** Whether the caller was in the tournament, and what they have back. */
export const Left = z.object({ left: z.boolean(), refunded: z.int() });
export type Left = z.infer<typeof Left>;
