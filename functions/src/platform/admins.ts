import * as z from "zod";
import { cached } from "./cache.ts";
import { collection } from "./firestore.ts";

/** An operator. Written by hand or by script only; a claim in a token counts for nothing. */
const Admin = z.object({ name: z.string() });

const FRESH_SECONDS = 30;

/** Whether a user is an operator, as of half a minute ago at most. */
export async function isAdmin(uid: string): Promise<boolean> {
  return await cached(`admin:${uid}`, { processSeconds: FRESH_SECONDS }, z.boolean(), async () => {
    const admin = await collection("admins", Admin).doc(uid).get();
    return admin.exists;
  });
}
