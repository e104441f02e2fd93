import { initializeApp } from "firebase-admin/app";
import { FieldValue, getFirestore, Timestamp } from "firebase-admin/firestore";
import { onDocumentCreated } from "firebase-functions/v2/firestore";
import { HttpsError, onCall } from "firebase-functions/v2/https";
import { onSchedule } from "firebase-functions/v2/scheduler";

initializeApp();
const db = getFirestore();
const book = db.doc("books/all");
const WEEK_MILLIS = 7 * 24 * 60 * 60 * 1000;
const MOST_SWEPT = 100;

/** An event can come twice: its id is kept with what it did. */
export const count = onDocumentCreated("entries/{entry}", async (event) => {
  await db.runTransaction(async (transaction) => {
    const counted = db.doc(`counted/${event.id}`);
    if ((await transaction.get(counted)).exists) return;
    transaction.create(counted, { entry: event.params.entry });
    transaction.set(book, { entries: FieldValue.increment(1) }, { merge: true });
  });
});

export const mine = onCall(async ({ auth }) => {
  if (!auth) throw new HttpsError("unauthenticated", "Sign in first.");
  const newest = await db.collection("entries").where("by", "==", auth.uid).orderBy("at", "desc").limit(10).get();
  return newest.docs.map((entry) => entry.get("text"));
});

export const sweep = onSchedule("every day 03:00", async ({ scheduleTime }) => {
  const old = Timestamp.fromMillis(Date.parse(scheduleTime) - WEEK_MILLIS);
  const entries = await db.collection("entries").where("at", "<", old).limit(MOST_SWEPT).get();
  await Promise.all(entries.docs.map((entry) => entry.ref.delete()));
});
