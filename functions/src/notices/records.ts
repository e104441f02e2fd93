import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";

/** `users/{uid}/notices/{id}`: something that a user is told in the app. Written by functions alone; its user may read it. */
export const Notice = z.object({
  /** What it is about, as `receipt`; apps have the words for it. */
  kind: z.string(),
  data: z.record(z.string(), z.json()),
  at: Moment,
  readAt: Moment.optional(),
  /** Firestore's TTL policy deletes it after this. */
  expiresAt: Moment,
});
export type Notice = z.infer<typeof Notice>;

export const notices = (uid: string) => collection(`users/${uid}/notices`, Notice);

/**
 * A mail that the extension "Trigger Email from Firestore" is to send: it knows the addresses of users by their ids, we do not.
 * Source: https://firebase.google.com/docs/extensions/official/firestore-send-email
 */
const Mail = z.object({
  toUids: z.array(z.string()),
  /** A template of the extension's own, by name, and what it is filled with. */
  template: z.object({ name: z.string(), data: z.record(z.string(), z.json()) }),
});
export type Mail = z.infer<typeof Mail>;

export const mails = (name: string) => collection(name, Mail);
