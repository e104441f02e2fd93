import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, vi } from "vitest";
import { freePort } from "../../local/ports.ts";
import { localSecrets, root } from "../../scripts/suite.ts";

/** One of the deployed functions, served from the bundle as Cloud Run serves it. */
export interface Served {
  readonly url: string;
  /** The calls that it has made, in order, if it was started to be killed. */
  readonly calls: readonly string[];
  /** POSTs JSON; undefined if the function died over it. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer | undefined>;
  stop(): void;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The call at which a function is to be killed, before it is sent or after it was answered; see crash-at.ts. */
export interface Crash {
  readonly at: number;
  readonly when: "before" | "after";
}

export interface ServeOptions {
  /** The name of the function, as `webhooks`. */
  readonly target: string;
  readonly env: Readonly<Record<string, string>>;
  readonly crash?: Crash;
}

const START_TIMEOUT_MILLIS = 20_000;
const framework = join(root, "node_modules/@google-cloud/functions-framework/build/src/main.js");
const running = new Set<ChildProcess>();

/** Lets tests of a file serve functions; what still runs in the end is killed. */
export function useFunctions(): (options: ServeOptions) => Promise<Served> {
  afterAll(() => {
    for (const child of running) child.kill("SIGKILL");
  });
  return serve;
}

async function serve({ target, env, crash }: ServeOptions): Promise<Served> {
  const port = await freePort();
  const secrets = localSecrets();
  const child = spawn(
    process.execPath,
    [
      ...(crash ? ["--import", join(root, "tests/faults/crash-at.ts")] : []),
      framework,
      ...["--target", target, "--source", join(root, "functions/dist"), "--port", String(port)],
    ],
    {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: {
        ...process.env,
        METADATA_SERVER_DETECTION: "none",
        LEDGER_KEYS: secrets.ledgerKeys,
        ...env,
        CRASH_AT: String(crash?.at ?? 0),
        CRASH_WHEN: crash?.when ?? "",
      },
    },
  );
  running.add(child);
  const calls: string[] = [];
  child.on("message", (message: { call: number; what: string }) => calls.push(message.what));
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(async () => await fetch(url), { timeout: START_TIMEOUT_MILLIS, interval: 50 });
  return {
    url,
    calls,
    post: async (path, body, headers = {}) => await post(`${url}${path}`, body, headers),
    stop: () => {
      child.kill("SIGKILL");
      running.delete(child);
    },
  };
}

async function post(url: string, body: unknown, headers: Record<string, string>): Promise<Answer | undefined> {
  try {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: text,
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return undefined;
  }
}

/** More calls than any path of money makes. */
const MAX_CALLS = 60;

/** One way of money: how it is begun, and what must be true whenever it was cut off, and in the end. */
export interface Path<Subject> {
  /** Somebody new, with whatever must have happened before. */
  prepare(): Promise<Subject>;
  /** Does it once; undefined if the function died over it. */
  act(on: Served, subject: Subject): Promise<Answer | undefined>;
  /** Right after the crash: whole, or not at all. */
  halfway(subject: Subject): Promise<void>;
  /** After it was delivered again. */
  end(subject: Subject): Promise<void>;
}

/**
 * Kills the function at its first call of anything, its second, and so on until it comes through; each time what it was about is
 * delivered again to a healthy one. Answers with the calls of the path.
 */
export async function crashEverywhere<Subject>(
  path: Path<Subject>,
  { when, healthy, options }: { when: Crash["when"]; healthy: Served; options: ServeOptions },
): Promise<readonly string[]> {
  let next = serve({ ...options, crash: { at: 1, when } });
  for (let at = 1; at <= MAX_CALLS; at++) {
    const doomed = await next;
    // The one after it starts while this one dies.
    next = serve({ ...options, crash: { at: at + 1, when } });
    const subject = await path.prepare();
    const answer = await path.act(doomed, subject);
    doomed.stop();
    await path.halfway(subject);
    const again = await path.act(healthy, subject);
    if (again?.status !== 200) {
      throw new Error(`crashed ${when} call ${at}, then: ${again?.status} ${JSON.stringify(again?.body)}`);
    }
    await path.end(subject);
    await path.act(healthy, subject);
    await path.end(subject);
    if (answer) {
      (await next).stop();
      return doomed.calls;
    }
  }
  throw new Error(`the path takes more than ${MAX_CALLS} calls`);
}
