import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";

/**
 * `profiles/{uid}`: the face that everybody sees. Whether its user is shadow-banned is not said here, because they would read it; see
 * {@link SanctionRecord}.
 */
export const ProfileRecord = z.object({
  /** As it is shown; in `handles` it stands folded. */
  handle: z.string(),
  picture: z.string().optional(),
  /** ISO 3166-1 alpha-2. A claim of the app's, which nobody has checked. */
  country: z.string().optional(),
  /** The one group that the user is in. */
  group: z.string().optional(),
  state: z.enum(["active", "banned"]),
  /** Counts changes, and tells their events apart. */
  version: z.int().positive(),
  /** When the handle was last chosen; absent: the first one is still there, which nobody chose. */
  renamedAt: Moment.optional(),
  createdAt: Moment,
  updatedAt: Moment,
});
export type ProfileRecord = z.infer<typeof ProfileRecord>;

export const profiles = () => collection("profiles", ProfileRecord);

/** `handles/{folded handle}`: whose it is. Created with what carries it, so that two cannot have one. */
const HandleRecord = z.object({ user: z.string(), since: Moment });

export const handles = () => collection("handles", HandleRecord);

/** `sanctions/{uid}`: how operators have restricted a user, kept from everybody. Only there once they had. */
export const SanctionRecord = z.object({
  state: z.enum(["active", "banned", "shadow-banned"]),
  /** Counts changes, and tells deeds and events apart. */
  version: z.int().positive(),
  updatedAt: Moment,
});
export type Sanction = z.infer<typeof SanctionRecord>["state"];

export const sanctions = () => collection("sanctions", SanctionRecord);

export const MAX_FRIENDS = 500;
/** Requests of one user's that nobody has answered, and of others' that the user has not: each. */
export const MAX_REQUESTS = 100;
export const MAX_BLOCKED = 500;
export const MAX_INVITATIONS = 50;

/** What another is to a user: a friend, somebody they have asked, who asks them, or whom they block. */
export const RELATIONS = ["friend", "asked", "asking", "blocked"] as const;
export const Relation = z.enum(RELATIONS);
export type Relation = z.infer<typeof Relation>;

/**
 * `relations/{uid}`: what others are to a user, all in one document, so that it is one read. The other side of it stands in the other's
 * document and is written with it: `friend` faces `friend`, `asked` faces `asking`, and `blocked` faces nothing or `blocked`.
 */
export const RelationsRecord = z.object({
  /** By user. */
  others: z.record(z.string(), z.object({ is: Relation, since: Moment })).default({}),
  /** By group: since when the user may join it although it is closed. */
  invitations: z.record(z.string(), Moment).default({}),
});
export type Relations = z.infer<typeof RelationsRecord>;

export const relations = () => collection("relations", RelationsRecord);

export const MAX_MEMBERS = 100;

/** `groups/{id}`: people who play together; the id is from its founder and their key. Gone with its last member. */
const GroupRecord = z.object({
  name: z.string(),
  owner: z.string(),
  /** Whether one may join without being invited. */
  isOpen: z.boolean(),
  members: z.int().min(1).max(MAX_MEMBERS),
  createdAt: Moment,
});
export type Group = z.infer<typeof GroupRecord>;

export const groups = () => collection("groups", GroupRecord);

/** `groups/{id}/members/{uid}`: there exactly while the user's profile names the group. */
const MemberRecord = z.object({ joinedAt: Moment });

export const members = (group: string) => collection(`groups/${group}/members`, MemberRecord);
