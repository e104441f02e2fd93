import * as z from "zod";
import { DocumentId, isUid } from "../platform/ids.ts";
import { isCountry } from "./countries.ts";
import { cleaned, isHandle } from "./handle.ts";
import { Relation } from "./records.ts";

const MAX_PICTURE = 2_048;
const MAX_NAME = 40;

const User = z.string().refine(isUid, "must be a user's id");

/** Where a picture may lie: on the web, encrypted, with nobody's password in the address. */
export function isPicture(url: string): boolean {
  if (url.length > MAX_PICTURE || !URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return protocol === "https:" && username === "" && password === "";
}

const Handle = z
  .string()
  .refine(isHandle, "must be 3 to 24 letters and digits, with single spaces, dots or hyphens between");

/** A user as everybody sees them. */
export const PublicProfile = z.object({
  user: z.string(),
  handle: z.string(),
  picture: z.string().optional(),
  /** ISO 3166-1 alpha-2; what the app said, which nobody has checked. */
  country: z.string().optional(),
  group: z.string().optional(),
  state: z.enum(["active", "banned"]),
  /** Milliseconds since the epoch. */
  createdAt: z.int(),
});
export type PublicProfile = z.infer<typeof PublicProfile>;

export const ProfileRequest = z.object({});

/** What is left out stays; null takes away. */
export const UpdateRequest = z.object({
  handle: Handle.optional(),
  picture: z.string().refine(isPicture, "must be an https address of 2,048 characters at most").nullable().optional(),
  /** A claim: it says where the user wants to be listed and proves nothing. */
  country: z.string().refine(isCountry, "must be a country's code of ISO 3166-1, as DE").nullable().optional(),
});

export const FindRequest = z.object({ handle: Handle });

export const ProfilesRequest = z.object({ users: z.array(User).min(1).max(100) });

/** Of those who were asked for, the ones that there are. */
export const Profiles = z.object({ profiles: z.array(PublicProfile) });
export type Profiles = z.infer<typeof Profiles>;

/** Somebody whom the caller does something about. */
export const UserRequest = z.object({ user: User });

/** What the other is to the caller now; absent: nothing. */
export const Related = z.object({ relation: Relation.optional(), repeated: z.boolean() });
export type Related = z.infer<typeof Related>;

export const FriendsRequest = z.object({
  relation: Relation.default("friend"),
  limit: z.int().min(1).max(100).default(100),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
});

/** Those who are this to the caller, by id. Their faces are in `identity/profiles`. */
export const Friends = z.object({
  users: z.array(
    z.object({
      user: z.string(),
      /** Milliseconds since the epoch. */
      since: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Friends = z.infer<typeof Friends>;

/** The key is the app's own, once for each group that is to be made. */
export const CreateGroup = z.object({
  key: z.string().min(1).max(200),
  name: z
    .string()
    .max(MAX_NAME)
    .refine((name) => cleaned(name) !== "" && !/\p{C}/u.test(name), "must be something that can be read"),
  isOpen: z.boolean().default(true),
});

export const GroupRequest = z.object({ group: DocumentId });
export const GroupUserRequest = z.object({ group: DocumentId, user: User });

/** `repeated`: it was like this before. */
export const InGroup = z.object({ group: z.string(), repeated: z.boolean() });
export type InGroup = z.infer<typeof InGroup>;

export const MembersRequest = z.object({
  group: DocumentId,
  limit: z.int().min(1).max(100).default(100),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
});

/** Who is in a group, by id. */
export const Members = z.object({
  members: z.array(
    z.object({
      user: z.string(),
      /** Milliseconds since the epoch. */
      joinedAt: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Members = z.infer<typeof Members>;

/** Why, for those who read it later; nothing personal, since it outlives the user. */
export const SanctionRequest = z.object({ user: User, note: z.string().min(1).max(400) });

export const Sanctioned = z.object({ state: z.enum(["active", "banned", "shadow-banned"]), repeated: z.boolean() });
export type Sanctioned = z.infer<typeof Sanctioned>;

export const Erased = z.object({ repeated: z.boolean() });
export type Erased = z.infer<typeof Erased>;
