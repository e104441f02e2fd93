import { isUid } from "../../platform/ids.ts";

/** RevenueCat makes these up for people who have not signed in; they mean nobody here. */
const ANONYMOUS = "$RCAnonymousID:";

/**
 * The user that RevenueCat's ids stand for: the first that is no anonymous id and can be a user's id here, or undefined.
 * Apps log in to RevenueCat with the uid of Firebase Auth.
 */
export function userOf(customer: {
  readonly app_user_id: string;
  readonly original_app_user_id?: string | null | undefined;
  readonly aliases?: readonly string[] | null | undefined;
}): string | undefined {
  const ids = [customer.app_user_id, customer.original_app_user_id, ...(customer.aliases ?? [])];
  return ids.find((id): id is string => typeof id === "string" && !id.startsWith(ANONYMOUS) && isUid(id));
}
