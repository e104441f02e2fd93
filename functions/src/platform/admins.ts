import * as z from "zod";
import { cached } from "./cache.ts";
import { collection } from "./firestore.ts";

/** An operator. Written by hand or by script only; a claim in a token counts for nothing. */
const Admin = z.object({ name: z.string() });

const FRESH_SECONDS = 30;

/** Whether a user is an operator; somebody who was one may still be taken for one for half a minute. */
export async function isAdmin(uid: string): Promise<boolean> {
  const admin = await cached(`admin:${uid}`, { processSeconds: FRESH_SECONDS }, Admin, async () => {
    return (await collection("admins", Admin).doc(uid).get()).data();
  });
  return admin !== undefined;
}
