import { deleteApp, getApps } from "firebase-admin/app";
import { post } from "../../functions/src/ledger/index.ts";
import { PROJECT, type Program, startProgram } from "../local/program.ts";

/** Starts a Firestore server in a process of its own, and has the ledger of this process and its children keep its books there. */
export async function openBooks(): Promise<Program> {
  const server = await startProgram("firestore/main.ts");
  // What was connected to the books before is not any more.
  await Promise.all(getApps().map(deleteApp));
  Object.assign(process.env, {
    GCLOUD_PROJECT: PROJECT,
    METADATA_SERVER_DETECTION: "none",
    FIRESTORE_EMULATOR_HOST: `127.0.0.1:${server.port}`,
    LEDGER_KEYS: `bench:${Buffer.alloc(32, "bench").toString("base64")}`,
  });
  return server;
}

/** Transactions that are sent before the first of them is answered. */
const AT_ONCE = 500;

/** Gives users a coin each, in turn, so many times in all. */
export async function give(name: string, users: readonly string[], times: number): Promise<void> {
  for (let made = 0; made < times; made += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, times - made) }, (_, i) => {
      const to = users[(made + i) % users.length] ?? "";
      const postings = [{ from: "system:mint", to, amount: 1, currency: "COIN" }];
      return post({ key: `${name} ${made + i}`, kind: "grant", postings, reference: "bench" });
    });
    await Promise.all(some);
  }
}
