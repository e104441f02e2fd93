import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { answers } from "../local/ports.ts";
import { startRevenueCat } from "../local/revenuecat/server.ts";
import { startStripe } from "../local/stripe/server.ts";

/** Where to reach everything that runs on this machine. */
export interface Connection {
  readonly project: string;
  readonly hosts: Readonly<Record<"auth" | "database" | "firestore" | "functions" | "storage", string>>;
  /** The webhook that RevenueCat is told to call. */
  readonly webhookUrl: string;
  readonly revenueCatUrl: string;
  readonly stripeUrl: string;
  /** Where the suite's time is set and its schedules are listed. */
  readonly timeUrl: string;
  /** Where a page shows requests, calls of functions, the bill and documents. */
  readonly inspectUrl: string;
  readonly secrets: Secrets;
}

/** Everything on this machine: the Firebase emulators under the official CLI, the functions, and simulators of the vendors. */
export interface Suite {
  readonly connection: Connection;
  /** Ends when the emulators do. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface Secrets {
  readonly webhookAuthorization: string;
  readonly ledgerKeys: string;
  readonly gameKeys: string;
  readonly revenueCatApiKey: string;
  readonly stripeApiKey: string;
  readonly stripeWebhookSecret: string;
  readonly stripeConnectWebhookSecret: string;
}

export interface SuiteOptions {
  /** Its settings are in `functions/.env.<project>`. */
  readonly project: string;
  /** Added to the ports of firebase.json, so that tests can run beside a suite that is up. */
  readonly portOffset: number;
  /** A folder that keeps what is in Firestore and in the Realtime Database; without it they are in memory only. */
  readonly data?: string | undefined;
}

export const root = fileURLToPath(new URL("..", import.meta.url));
const EMULATORS = "auth,functions,firestore,database,storage,tasks";
const REVENUECAT_PORT = 8787;
const STRIPE_PORT = 8788;
const TIME_PORT = 4600;
const INSPECT_PORT = 4000;
/** What the programs that run leave behind: their logs. */
const WORK_FOLDER = join(root, ".local");
const READY = "All emulators ready!";
const START_TIMEOUT_MILLIS = 60_000;
const STOP_TIMEOUT_MILLIS = 15_000;

type Emulators = Record<string, { host?: string; port?: number } | boolean>;

interface FirebaseJson {
  emulators: Emulators;
}

/** The secrets that the emulated functions have. */
export function localSecrets(): Secrets {
  const text = readFileSync(join(root, "functions/local.secrets"), "utf8");
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
  return {
    webhookAuthorization: value("REVENUECAT_WEBHOOK_AUTHORIZATION"),
    ledgerKeys: value("LEDGER_KEYS"),
    gameKeys: value("GAME_KEYS"),
    revenueCatApiKey: value("REVENUECAT_API_KEY"),
    stripeApiKey: value("STRIPE_API_KEY"),
    stripeWebhookSecret: value("STRIPE_WEBHOOK_SECRET"),
    stripeConnectWebhookSecret: value("STRIPE_CONNECT_WEBHOOK_SECRET"),
  };
}

/** Builds the functions and starts everything; resolves when all of it answers. */
export async function startSuite({ project, portOffset, data }: SuiteOptions): Promise<Suite> {
  const config = shifted(JSON.parse(readFileSync(join(root, "firebase.json"), "utf8")) as FirebaseJson, portOffset);
  const host = (name: string) => {
    const { host = "127.0.0.1", port } = config.emulators[name] as { host?: string; port?: number };
    return `${host}:${port}`;
  };
  await refuseTakenPorts(config.emulators);
  const secrets = localSecrets();
  const webhooks = `http://${host("functions")}/${project}/us-central1/webhooks`;
  const webhookUrl = `${webhooks}/revenuecat`;
  const revenueCat = await startRevenueCat({
    port: REVENUECAT_PORT + portOffset,
    apiKey: secrets.revenueCatApiKey,
    webhook: { url: webhookUrl, authorization: secrets.webhookAuthorization },
  });
  const stripe = await startStripe({
    port: STRIPE_PORT + portOffset,
    apiKey: secrets.stripeApiKey,
    webhooks: {
      platform: { url: `${webhooks}/stripe`, secret: secrets.stripeWebhookSecret },
      connect: { url: `${webhooks}/stripe-connect`, secret: secrets.stripeConnectWebhookSecret },
    },
  });
  const closeVendors = () => Promise.all([revenueCat.close(), stripe.close()]);
  const [file, forget] = configFile(config, portOffset);
  try {
    mkdirSync(WORK_FOLDER, { recursive: true });
    await build();
    const [timePort, inspectPort] = [TIME_PORT + portOffset, INSPECT_PORT + portOffset];
    const stripeUrl = `http://127.0.0.1:${stripe.port}`;
    const emulators = startEmulators(project, {
      file,
      timePort,
      inspectPort,
      follower: `${stripeUrl}/simulator/clock`,
      data,
    });
    const ended = new Promise<void>((resolve) => emulators.once("exit", () => resolve()));
    await ready(emulators, project);
    return {
      connection: {
        project,
        hosts: {
          auth: host("auth"),
          database: host("database"),
          firestore: host("firestore"),
          functions: host("functions"),
          storage: host("storage"),
        },
        webhookUrl,
        revenueCatUrl: `http://127.0.0.1:${revenueCat.port}`,
        stripeUrl,
        timeUrl: `http://127.0.0.1:${timePort}`,
        inspectUrl: `http://127.0.0.1:${inspectPort}`,
        secrets,
      },
      ended,
      stop: async () => {
        await stop(emulators, ended);
        await closeVendors();
        forget();
      },
    };
  } catch (error) {
    await closeVendors();
    forget();
    throw error;
  }
}

async function build(): Promise<void> {
  const child = spawn(process.execPath, [join(root, "functions/build/build.ts")], { stdio: "inherit" });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error("The functions could not be built.");
}

function shifted(config: FirebaseJson, offset: number): FirebaseJson {
  const emulators = Object.entries(config.emulators).map(([name, value]) =>
    typeof value === "object" && value.port !== undefined
      ? [name, { ...value, port: value.port + offset }]
      : [name, value],
  );
  return { ...config, emulators: Object.fromEntries(emulators) as Emulators };
}

/** firebase.json itself, or a copy with other ports beside it: the CLI takes the folder of the file for the project's. */
function configFile(config: FirebaseJson, offset: number): [file: string, forget: () => void] {
  if (offset === 0) return [join(root, "firebase.json"), () => undefined];
  const file = join(root, `.firebase-${offset}.json`);
  writeFileSync(file, JSON.stringify(config, undefined, 2));
  return [file, () => rmSync(file, { force: true })];
}

interface Settings {
  /** firebase.json, or what stands in for it. */
  readonly file: string;
  readonly timePort: number;
  readonly inspectPort: number;
  /** What is told the suite's time besides the emulators. */
  readonly follower: string;
  readonly data: string | undefined;
}

function startEmulators(project: string, { file, timePort, inspectPort, follower, data }: Settings): ChildProcess {
  return spawn(
    process.execPath,
    [
      join(root, "local/bin/firebase-local.js"),
      "emulators:start",
      "--project",
      project,
      "--config",
      file,
      "--only",
      EMULATORS,
    ],
    {
      cwd: WORK_FOLDER,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        // Otherwise functions and apps would not mean the same database.
        DATABASE_URL: `https://${project}-default-rtdb.firebaseio.com`,
        FIRESTORE_INDEXES: "enforced",
        FORCE_COLOR: "0",
        METADATA_SERVER_DETECTION: "none",
        FIREBASE_INSPECT_PORT: String(inspectPort),
        ...(data === undefined ? {} : { FIREBASE_LOCAL_DATA: resolve(root, data) }),
        FIREBASE_TIME_PORT: String(timePort),
        FIREBASE_TIME_FOLLOWERS: follower,
        FIREBASE_CLOCK_FILE: join(WORK_FOLDER, `${project}.clock.json`),
      },
    },
  );
}

/** Waits for the CLI to say that everything runs. What it prints goes to a file, and to the error if it fails. */
async function ready(emulators: ChildProcess, project: string): Promise<void> {
  const log = createWriteStream(join(WORK_FOLDER, `${project}.log`));
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => fail("The emulators were not ready in time."), START_TIMEOUT_MILLIS);
    const fail = (message: string) => {
      clearTimeout(timer);
      emulators.kill("SIGINT");
      reject(new Error(`${message}\n${output}`));
    };
    const onOutput = (chunk: Buffer) => {
      log.write(chunk);
      if (output.length < 100_000) output += chunk.toString();
      if (!output.includes(READY)) return;
      clearTimeout(timer);
      resolve();
    };
    emulators.stdout?.on("data", onOutput);
    emulators.stderr?.on("data", onOutput);
    emulators.once("exit", (code) => fail(`The emulators ended with status ${code}.`));
  });
}

async function stop(emulators: ChildProcess, ended: Promise<void>): Promise<void> {
  if (emulators.exitCode !== null) return;
  emulators.kill("SIGINT");
  const timer = setTimeout(() => emulators.kill("SIGKILL"), STOP_TIMEOUT_MILLIS);
  await ended;
  clearTimeout(timer);
}

async function refuseTakenPorts(emulators: Emulators): Promise<void> {
  for (const [name, value] of Object.entries(emulators)) {
    if (typeof value !== "object" || value.port === undefined) continue;
    if (await answers(value.port, value.host)) {
      throw new Error(`Port ${value.port} (${name}) is taken. Is the suite running already?`);
    }
  }
}
