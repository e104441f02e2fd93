import { deleteApp, initializeApp } from "firebase/app";
import {
  connectAuthEmulator,
  createUserWithEmailAndPassword,
  getAuth,
  signInWithEmailAndPassword,
  updateProfile,
} from "firebase/auth";
import { connectFunctionsEmulator, getFunctions, httpsCallable } from "firebase/functions";
import type { Connection } from "./suite.ts";

/** A person with an app: signed in, calling the backend through the ordinary Firebase SDK. */
export interface Player {
  readonly uid: string;
  readonly name: string;
  /** Calls an action, as `api/ledger/wallet`. */
  call<Answer>(action: string, input?: object): Promise<Answer>;
  leave(): Promise<void>;
}

/** Of everybody in the demo. */
export const PASSWORD = "correct horse battery staple";

/** Signs a player in on the Auth emulator, and up before that if they are new. */
export async function signIn(name: string, { project, hosts }: Connection): Promise<Player> {
  const app = initializeApp({ projectId: project, apiKey: "local" }, `${name}-${Math.random()}`);
  const auth = getAuth(app);
  connectAuthEmulator(auth, `http://${hosts.auth}`, { disableWarnings: true });
  const email = `${name.toLowerCase()}@example.com`;
  const { user } = await signInWithEmailAndPassword(auth, email, PASSWORD).catch(() =>
    createUserWithEmailAndPassword(auth, email, PASSWORD),
  );
  await updateProfile(user, { displayName: name });
  await user.getIdToken(true);
  const functions = getFunctions(app);
  const [host, port] = hosts.functions.split(":") as [string, string];
  connectFunctionsEmulator(functions, host, Number(port));
  return {
    uid: user.uid,
    name,
    call: async <Answer>(action: string, input: object = {}) =>
      (await httpsCallable<object, Answer>(functions, action)(input)).data,
    leave: () => deleteApp(app),
  };
}
