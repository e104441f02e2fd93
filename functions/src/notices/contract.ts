import * as z from "zod";
import { DocumentId } from "../platform/ids.ts";

export const NoticesRequest = z.object({
  limit: z.int().min(1).max(100).default(30),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(250).optional(),
});

/** What the caller was told, newest first. */
export const Notices = z.object({
  notices: z.array(
    z.object({
      id: z.string(),
      /** `receipt`, `gift`…; kinds that an app does not know may come. */
      kind: z.string(),
      data: z.record(z.string(), z.json()),
      isRead: z.boolean(),
      /** Milliseconds since the epoch. */
      at: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Notices = z.infer<typeof Notices>;

export const ReadRequest = z.object({ ids: z.array(DocumentId).min(1).max(100) });

/** How many of them had not been read before. */
export const MarkedRead = z.object({ marked: z.int() });
export type MarkedRead = z.infer<typeof MarkedRead>;
