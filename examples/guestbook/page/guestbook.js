import { signInAnonymously } from "firebase/auth";
import { addDoc, collection, doc, limit, onSnapshot, orderBy, query, serverTimestamp } from "firebase/firestore";
import { auth, db } from "./firebase.js";

const element = (id) => document.getElementById(id);
const entries = collection(db, "entries");

onSnapshot(doc(db, "books/all"), (book) => {
  element("count").textContent = book.get("entries") ?? 0;
});
onSnapshot(query(entries, orderBy("at", "desc"), limit(20)), ({ docs }) => {
  const lines = docs.map((entry) => Object.assign(document.createElement("li"), { textContent: entry.get("text") }));
  element("entries").replaceChildren(...lines);
});

const { user } = await signInAnonymously(auth);
element("sign").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = new FormData(event.target).get("text");
  event.target.reset();
  await addDoc(entries, { by: user.uid, text, at: serverTimestamp() });
});
element("write").disabled = false;
