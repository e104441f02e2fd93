import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { currencyOf } from "../functions/src/ledger/index.ts";
import { type Verified, type VerifyOptions, verify } from "../functions/src/ledger/verify.ts";
import { localSecrets, root } from "./suite.ts";
import { table } from "./table.ts";

/**
 * Verifies the ledger's books and prints what users have and what does not fit:
 *
 *     npm run verify-ledger -- [--scope all|since-heads] [--json]
 *
 * The project is that of GOOGLE_CLOUD_PROJECT or the default one of .firebaserc, reached with application default credentials, and
 * LEDGER_KEYS must be set as the functions have it. With FIRESTORE_EMULATOR_HOST, as 127.0.0.1:8080, it is the local suite's.
 * Ends with status 0 if all fits, 1 if something does not, 2 if it could not be found out.
 */
const USAGE = "usage: npm run verify-ledger -- [--scope all|since-heads] [--json]";
const MISFIT = 1;
const FAILED = 2;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { scope, isJson } = options();
    const project = connect();
    const began = performance.now();
    // A suite on this machine may be too young for its heads to have been signed.
    const verified = await verify({ scope, expectsHeads: !process.env.FIRESTORE_EMULATOR_HOST });
    const seconds = (performance.now() - began) / 1_000;
    console.log(isJson ? asJson(project, scope, verified) : asText({ project, scope, seconds }, verified));
    return verified.problems.length > 0 ? MISFIT : 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return FAILED;
  }
}

function options(): { scope: VerifyOptions["scope"]; isJson: boolean } {
  const { values } = parseArgs({
    options: { scope: { type: "string", default: "all" }, json: { type: "boolean", default: false } },
  });
  if (values.scope !== "all" && values.scope !== "since-heads") throw new Error(USAGE);
  return { scope: values.scope, isJson: values.json };
}

/** Says to the libraries where the books are; answers with the project. */
function connect(): string {
  const project = process.env.GOOGLE_CLOUD_PROJECT || process.env.GCLOUD_PROJECT || defaultProject();
  process.env.GOOGLE_CLOUD_PROJECT = project;
  process.env.GCLOUD_PROJECT = project;
  if (process.env.FIRESTORE_EMULATOR_HOST) {
    process.env.LEDGER_KEYS ||= localSecrets().ledgerKeys;
    // Nobody on this machine has a metadata server to be looked for.
    process.env.METADATA_SERVER_DETECTION ||= "none";
  }
  if (!process.env.LEDGER_KEYS) {
    throw new Error("LEDGER_KEYS is not set: without the keys that the books are signed with they cannot be verified.");
  }
  return project;
}

function defaultProject(): string {
  const { projects } = JSON.parse(readFileSync(join(root, ".firebaserc"), "utf8")) as {
    projects?: Readonly<Record<string, string>>;
  };
  if (!projects?.default)
    throw new Error("There is no default project in .firebaserc, and GOOGLE_CLOUD_PROJECT is not set.");
  return projects.default;
}

function asJson(project: string, scope: string, { readTime, ...verified }: Verified): string {
  return JSON.stringify({ project, scope, at: readTime.toDate().toISOString(), ...verified }, undefined, 2);
}

function asText(
  { project, scope, seconds }: { project: string; scope: string; seconds: number },
  { problems, totals, readTime, accounts, links, transactions, holds }: Verified,
): string {
  const seen =
    scope === "all"
      ? `${counted(transactions, "transaction")}, ${counted(holds, "hold")} and ${counted(links, "place")} in chains`
      : `${counted(links, "place")} in chains since heads were signed`;
  return [
    `The books of ${project} on ${readTime.toDate().toISOString()}, read in ${seconds.toFixed(1)} s:`,
    `${counted(accounts, "account")}, ${seen}.`,
    "",
    table(
      ["currency", "users have"],
      Object.entries(totals).map(([currency, amount]) => [currency, inUnits(amount, currency)]),
    ),
    "",
    ...(problems.length === 0
      ? ["Everything fits."]
      : [
          `${counted(problems.length, "problem")}:`,
          "",
          table(
            ["document", "what"],
            problems.map(({ document, what }) => [document, what.replaceAll("\n", " ")]),
          ),
        ]),
  ].join("\n");
}

/** An amount of smallest units as people write it, as 1,234.50. */
function inUnits(amount: number, currency: string): string {
  const { decimals } = currencyOf(currency);
  const format = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return (amount / 10 ** decimals).toLocaleString("en-US", format);
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}
