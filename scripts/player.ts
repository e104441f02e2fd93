import { createHash } from "node:crypto";
import { deleteApp, initializeApp } from "firebase/app";
import { connectAuthEmulator, getAuth, signInWithEmailAndPassword, updateProfile } from "firebase/auth";
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

/**
 * Has the Auth emulator know somebody, as it may already. Their uid is always the same, so that they find what they have where data outlasts
 * the emulators.
 */
export async function signUp(name: string, { project, hosts }: Pick<Connection, "project" | "hosts">): Promise<void> {
  const response = await fetch(`http://${hosts.auth}/identitytoolkit.googleapis.com/v1/projects/${project}/accounts`, {
    method: "POST",
    headers: { authorization: "Bearer owner", "content-type": "application/json" },
    body: JSON.stringify({ localId: uidOf(name), email: emailOf(name), password: PASSWORD }),
  });
  if (response.ok) return;
  const { error } = (await response.json()) as { error: { message: string } };
  if (!error.message.startsWith("DUPLICATE_LOCAL_ID") && !error.message.startsWith("EMAIL_EXISTS")) {
    throw new Error(`${name} cannot be signed up: ${error.message}`);
  }
}

/** Signs a player in on the Auth emulator, and up before that if they are new. */
export async function signIn(name: string, { project, hosts }: Connection): Promise<Player> {
  const app = initializeApp({ projectId: project, apiKey: "local" }, `${name}-${Math.random()}`);
  const auth = getAuth(app);
  connectAuthEmulator(auth, `http://${hosts.auth}`, { disableWarnings: true });
  await signUp(name, { project, hosts });
  const { user } = await signInWithEmailAndPassword(auth, emailOf(name), PASSWORD);
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

function emailOf(name: string): string {
  return `${name.toLowerCase()}@example.com`;
}

/** As long as those that Auth makes up. */
function uidOf(name: string): string {
  return createHash("sha256").update(name.toLowerCase()).digest("hex").slice(0, 28);
}
