/**
 * What a game's app does: signs in, submits a score, looks at the board and the wallet, with the ordinary Firebase SDK. Against the
 * suite that `npm start` brings up:
 *
 *     node examples/player.mjs
 */
import { initializeApp } from "firebase/app";
import { connectAuthEmulator, getAuth, signInWithEmailAndPassword } from "firebase/auth";
import { connectFunctionsEmulator, getFunctions, httpsCallable } from "firebase/functions";

// Of your own project, the configuration that the Firebase console shows; the two connect… lines are then left out.
const app = initializeApp({ projectId: "demo-pot-of-gold", apiKey: "local" });
const auth = getAuth(app);
const functions = getFunctions(app, "us-central1");
connectAuthEmulator(auth, "http://127.0.0.1:9099", { disableWarnings: true });
connectFunctionsEmulator(functions, "127.0.0.1", 5001);

const call = async (action, input = {}) => (await httpsCallable(functions, action)(input)).data;

await signInWithEmailAndPassword(auth, "ada@example.com", "correct horse battery staple");

// The app makes the attempt up, once for each; sending it again, after a lost answer say, changes nothing.
const attempt = crypto.randomUUID();
const { bests } = await call("api/leaderboards/submit", { board: "arcade", score: 5_700, attempt });
const { daily, allTime } = bests;
console.log(`Today ${daily.score}${daily.improved ? ", a new best" : ""}; of all time ${allTime.score}.`);

const { rank, of } = await call("api/leaderboards/standing", { board: "arcade", period: "daily" });
console.log(`Rank ${rank} of ${of}.`);

const { rows } = await call("api/leaderboards/page", { board: "arcade", period: "daily" });
for (const row of rows.slice(0, 3)) console.log(`  ${row.rank}. ${row.name} ${row.score}`);

const { balances } = await call("api/ledger/wallet");
console.log(`Wallet: ${balances.map(({ available, currency }) => `${available} ${currency}`).join(", ")}.`);

// A refusal has a code, a message for people, and a reason that never changes.
try {
  await call("api/leaderboards/submit", { board: "arcade", score: 10_000_000, attempt: crypto.randomUUID() });
} catch ({ code, details }) {
  console.log(`Refused: ${code}, because of ${details.reason} in "${details.field}".`);
}
process.exit();
