import { createRequire } from "node:module";

/** What `firebase-local` says of itself, beside what the command says that it stands for. */

const require = createRequire(import.meta.url);

const VARIABLES = `
firebase-local is this command with Firestore, Realtime Database and Storage rules in Node in the place of Java. Of its own it has

  FIRESTORE_INDEXES=enforced  refuses queries that need an index which firestore.indexes.json does not have
  FIRESTORE_LATENCY=8ms       has each request to Firestore wait so long
  FIREBASE_LOCAL_DATA=.data   keeps Firestore and the Realtime Database in that folder
  FIREBASE_TIME_PORT=4600     where the suite's clock can be set and scheduled functions be run
  FIREBASE_INSPECT_PORT=4000  where one can look inside: documents, requests with the rule that decided them, the bill
  FIREBASE_CLOCK_FILE=<file>  where the clock is written down for functions that go along
`;

/** The package's version and that of the CLI in it, as in `0.1.0 (firebase-tools 15.34.2)`. */
export function version(): string {
  const versionOf = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
  return `${versionOf("@pot-of-gold/local")} (firebase-tools ${versionOf("firebase-tools")})`;
}

/** Puts what is said here below the CLI's own help, which ends the process itself. */
export function extendHelp(): void {
  process.once("exit", () => console.log(VARIABLES));
}
