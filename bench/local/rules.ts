import { readFileSync } from "node:fs";
import { Firestore } from "@google-cloud/firestore";
import { startFirestore } from "../../local/firestore/server.ts";
import { unsignedToken } from "../../local/tokens.ts";
import { root } from "../../scripts/suite.ts";
import { table } from "../../scripts/table.ts";
import { percentile, rounded } from "./program.ts";

/** What judging a request by security rules costs, against letting a server through: the product's own rules, and rules that look up. */
const REQUESTS = 2_000;
const UID = "ada";

const LOOKING_UP = `rules_version = '2';
service cloud.firestore {
  match /databases/{db}/documents {
    match /catalog/{id} { allow get: if get(/databases/$(db)/documents/admins/olga).data.name == 'Olga' && exists(/databases/$(db)/documents/users/$(request.auth.uid)); }
    match /{path=**} { allow write: if request.resource.data.keys().hasOnly(['title', 'n']) && request.resource.data.n is int; }
  }
}`;

const AS_APP = `Bearer ${unsignedToken({ sub: UID, user_id: UID, iat: 0, exp: 3600 })}`;

const server = await startFirestore({
  rules: { "demo-product": readFileSync(`${root}/firestore.rules`, "utf8"), "demo-lookups": LOOKING_UP },
});
const clientOf = (projectId: string, authorization: string) =>
  new Firestore({
    projectId,
    host: `${server.host}:${server.port}`,
    ssl: false,
    customHeaders: { Authorization: authorization },
  });

const rows: [string, number, string][] = [];
for (const [what, project, act] of [
  ["get a product", "demo-product", (db: Firestore) => db.doc("catalog/pack").get()],
  ["query own accounts", "demo-product", (db: Firestore) => db.collection("accounts").where("owner", "==", UID).get()],
  ["get with two look-ups", "demo-lookups", (db: Firestore) => db.doc("catalog/pack").get()],
  [
    "write, fields checked",
    "demo-lookups",
    (db: Firestore) => db.doc("catalog/new").set({ title: "x", n: Date.now() }),
  ],
] as const) {
  const owner = clientOf(project, "Bearer owner");
  await owner.doc("catalog/pack").set({ title: "Pack" });
  await owner.doc("admins/olga").set({ name: "Olga" });
  await owner.doc(`users/${UID}`).set({});
  await owner.doc(`accounts/${UID}:COIN`).set({ owner: UID, available: 5 });
  const app = clientOf(project, AS_APP);
  const [without, judged] = await sideBySide(
    () => act(owner),
    () => act(app),
  );
  rows.push([`${what}, as a server`, rounded(without, 3), "× 1.00"]);
  rows.push([`${what}, by rules`, rounded(judged, 3), `× ${(judged / without).toFixed(2)}`]);
  await Promise.all([owner.terminate(), app.terminate()]);
}
console.log(table(["request", "ms (median)", "against none"], rows));
await server.close();

/** Medians of two requests made in turn, so that whatever else the machine does falls on both. */
async function sideBySide(one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < REQUESTS; i++) {
    for (const [k, act] of [one, other].entries()) {
      const began = performance.now();
      await act();
      times[k as 0 | 1].push(performance.now() - began);
    }
  }
  return [percentile(times[0], 0.5), percentile(times[1], 0.5)];
}
