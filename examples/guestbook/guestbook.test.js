import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deleteApp } from "firebase/app";
import { signInAnonymously } from "firebase/auth";
import { addDoc, collection, doc, getDocs, onSnapshot, query, serverTimestamp, where } from "firebase/firestore";
import { httpsCallable } from "firebase/functions";
import { ref, uploadBytes } from "firebase/storage";
import { auth, db, functions, storage } from "./page/firebase.js";

const TIME = `http://127.0.0.1:${process.env.FIREBASE_TIME_PORT ?? 4600}`;
const entries = collection(db, "entries");
let uid;

const write = (text, by = uid) => addDoc(entries, { by, text, at: serverTimestamp() });
const isRefused = (code) => (error) => error.code === code;

/** Listens until a document is as it should be. */
function becomes(path, isSo) {
  return new Promise((resolve, reject) => {
    const stop = onSnapshot(
      doc(db, path),
      (snapshot) => {
        if (!isSo(snapshot)) return;
        stop();
        resolve();
      },
      reject,
    );
  });
}

before(async () => {
  uid = (await signInAnonymously(auth)).user.uid;
});
after(() => deleteApp(auth.app));

test("an entry is counted", async () => {
  await write("Hello");
  await becomes("books/all", (book) => book.get("entries") === 1);
});

test("nobody writes in another's name", async () => {
  await assert.rejects(write("Hello", "somebody"), isRefused("permission-denied"));
});

test("who has written is shown that", async () => {
  const { data } = await httpsCallable(functions, "mine")();
  assert.deepEqual(data, ["Hello"]);
});

test("a portrait is one's own, and a picture", async () => {
  const put = (name, contentType) => uploadBytes(ref(storage, `portraits/${name}`), new Uint8Array(8), { contentType });
  await put(uid, "image/png");
  await assert.rejects(put(uid, "text/html"), isRefused("storage/unauthorized"));
  await assert.rejects(put("somebody", "image/png"), isRefused("storage/unauthorized"));
});

test("a query without its index fails here already", {
  skip: process.env.FIRESTORE_INDEXES !== "enforced",
}, async () => {
  const mineByText = query(entries, where("by", "==", uid), where("text", ">", "H"));
  await assert.rejects(getDocs(mineByText), isRefused("failed-precondition"));
});

test("after a week an entry is swept away", async () => {
  const [entry] = (await getDocs(query(entries, where("by", "==", uid)))).docs;
  await fetch(`${TIME}/clock`, { method: "PUT", body: JSON.stringify({ advance: "P8D" }) });
  await becomes(entry.ref.path, (snapshot) => !snapshot.exists());
  await fetch(`${TIME}/clock`, { method: "PUT", body: JSON.stringify({ offset: 0 }) });
});
