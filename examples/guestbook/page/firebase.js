import { initializeApp } from "firebase/app";
import { connectAuthEmulator, getAuth } from "firebase/auth";
import { connectFirestoreEmulator, getFirestore } from "firebase/firestore";
import { connectFunctionsEmulator, getFunctions } from "firebase/functions";
import { connectStorageEmulator, getStorage } from "firebase/storage";
import config from "../firebase.json" with { type: "json" };

// Of your own project, the configuration that the Firebase console shows.
const app = initializeApp({
  projectId: "demo-guestbook",
  storageBucket: "demo-guestbook.appspot.com",
  apiKey: "local",
  appId: "local",
});
export const auth = getAuth(app);
export const db = getFirestore(app);
export const functions = getFunctions(app);
export const storage = getStorage(app);

const HERE = "127.0.0.1";
const isLocal = [undefined, HERE, "localhost"].includes(globalThis.location?.hostname);
if (isLocal) {
  const { emulators } = config;
  connectAuthEmulator(auth, `http://${HERE}:${emulators.auth.port}`, { disableWarnings: true });
  connectFirestoreEmulator(db, HERE, emulators.firestore.port);
  connectFunctionsEmulator(functions, HERE, emulators.functions.port);
  connectStorageEmulator(storage, HERE, emulators.storage.port);
}
