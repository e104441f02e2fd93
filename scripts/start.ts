import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { PEOPLE, play } from "./play.ts";
import { PASSWORD, signUp } from "./player.ts";
import { BOARD_ID, LATE_PRODUCT, PRODUCTS } from "./seed.ts";
import { root, startSuite } from "./suite.ts";
import { billLine, watchSuite } from "./watch.ts";

/**
 * `npm start`: everything up on this machine, with the demo played, until Ctrl-C. `npm run demo`: the same, and then it ends.
 * With `-- --data .data` what is in Firestore and the Realtime Database is kept in that folder.
 */
const PROJECT = "demo-pot-of-gold";
const { values } = parseArgs({ options: { once: { type: "boolean", default: false }, data: { type: "string" } } });
const staysUp = !values.once;
const { data } = values;
// The demo begins with what nobody has yet, so it cannot be played a second time.
const hasData = data !== undefined && existsSync(resolve(root, data, "firestore"));

const began = Date.now();
console.log("Starting the Firebase emulators and simulators of RevenueCat and Stripe…");
const suite = await startSuite({ project: PROJECT, portOffset: 0, data }).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
const { hosts, inspectUrl, revenueCatUrl, stripeUrl, timeUrl, webhookUrl } = suite.connection;
const watch = watchSuite(inspectUrl, say);
let isUp = false;
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop(0));
const next = hasData
  ? `There is data in ${data}, so the demo is not played. Files, users but those below, and what the stores know are not kept there.`
  : "Playing the demo.";
console.log(`Ready after ${((Date.now() - began) / 1000).toFixed(1)} s. ${next}`);
try {
  if (hasData) await Promise.all(PEOPLE.map((name) => signUp(name, suite.connection)));
  else await play(suite.connection);
} catch (error) {
  console.error(`\nThe demo did not go well: ${error instanceof Error ? error.stack : error}`);
  await stop(1);
}
if (!staysUp) await stop(0);
console.log(`
Everything stays up until Ctrl-C:

  functions   http://${hosts.functions}/${PROJECT}/us-central1/api   (and /pay, /admin)
  webhooks    ${webhookUrl}
  RevenueCat  ${revenueCatUrl}/simulator/purchases   (and /renewals, /cancellations, /expirations)
  Stripe      ${stripeUrl}   (a page for each Checkout session; /simulator)
  Firestore   ${hosts.firestore}   (export FIRESTORE_EMULATOR_HOST=${hosts.firestore})
  Database    ${hosts.database}   (Realtime Database)
  Storage     ${hosts.storage}
  Auth        ${hosts.auth}
  time        ${timeUrl}/clock   (and /schedules)
  look inside ${inspectUrl}   (requests and the rules that decided them, functions, the bill, documents)
  log         .local/${PROJECT}.log

  products    ${Object.keys(PRODUCTS).join(", ")}, ${LATE_PRODUCT.id}
  board       ${BOARD_ID}
  players     ada@example.com, bo@example.com, cy@example.com, dee@example.com; operator: olga@example.com
              (password: ${PASSWORD})

\`node examples/player.mjs\` calls it as an app does; \`npm run replay -- tests/fixtures/revenuecat\` posts recorded webhooks.`);
isUp = true;
await suite.ended;
await stop(stopping ? 0 : 1);

/** What the demo is denied on purpose is its own story. */
function say(line: string): void {
  if (isUp) console.log(line);
}

async function stop(status: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  const bill = await watch.stop();
  if (bill) console.log(`\nBilled: ${billLine(bill)}.`);
  await suite.stop();
  process.exit(status);
}
