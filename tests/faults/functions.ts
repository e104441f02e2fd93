import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { unsignedToken } from "../../local/tokens.ts";
import { localSecrets, root } from "../../scripts/suite.ts";

/** One of the deployed functions, served from the bundle as Cloud Run serves it. */
export interface Served {
  readonly url: string;
  /** The calls that it has made, in order, if it was started to be killed. */
  readonly calls: readonly string[];
  /** POSTs JSON, or a text as it is; undefined if the function died over it. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer | undefined>;
  /** Calls an action as an app does, as `store/buy`. */
  call(uid: string, action: string, data: object): Promise<Answer | undefined>;
  /** Runs a task as its queue does. */
  run(data: object): Promise<Answer | undefined>;
  stop(): void;
}

/** What was answered; the body is undefined where there is none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What an action has answered. Throws if it was refused or did not answer. */
export function resultOf<Result>(answer: Answer | undefined): Result {
  if (answer?.status !== 200) throw new Error(`refused: ${answer?.status} ${JSON.stringify(answer?.body)}`);
  return (answer.body as { result: Result }).result;
}

/** The call at which a function is to be killed: before the n-th is sent, or after the n-th that changes something; see crash-at.ts. */
export interface Crash {
  readonly at: number;
  readonly when: "before" | "after";
}

export interface ServeOptions {
  /** The name of the function, as `webhooks`. */
  readonly target: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Of a function those that were started to be killed. */
export interface Doomed {
  /** One that has not done anything yet, and dies where it is told to. */
  next(crash: Crash): Promise<Served>;
}

const START_TIMEOUT_MILLIS = 30_000;
/** While one dies, so many start. */
const SPARES = 2;
const framework = join(root, "node_modules/@google-cloud/functions-framework/build/src/main.js");
const tellPort = join(root, "tests/faults/tell-port.ts");
const crashAt = join(root, "tests/faults/crash-at.ts");
const running = new Set<ChildProcess>();

/** Lets tests of a file serve functions; what still runs in the end is killed. */
export function useFunctions() {
  afterAll(() => {
    for (const child of running) child.kill("SIGKILL");
  });
  return {
    serve: async (options: ServeOptions): Promise<Served> => (await start(options, [tellPort])).served,
    doom: (options: ServeOptions): Doomed => {
      const spares: ReturnType<typeof start>[] = [];
      const replenish = () => {
        while (spares.length < SPARES) {
          const spare = start(options, [tellPort, crashAt]);
          // Looked at by whoever takes it; the last ones by nobody.
          spare.catch(() => undefined);
          spares.push(spare);
        }
      };
      return {
        next: async (crash) => {
          replenish();
          const { served, child } = await (spares.shift() as ReturnType<typeof start>);
          replenish();
          await arm(child, crash);
          return served;
        },
      };
    },
  };
}

/** Throws if it has died meanwhile. */
async function arm(child: ChildProcess, crash: Crash): Promise<void> {
  child.send(crash, () => undefined);
  await heard<{ armed?: true }>(child, ({ armed }) => armed);
}

async function start(
  { target, env }: ServeOptions,
  preloaded: readonly string[],
): Promise<{ served: Served; child: ChildProcess }> {
  const child = spawn(
    process.execPath,
    [
      ...preloaded.flatMap((file) => ["--import", file]),
      framework,
      ...["--target", target, "--signature-type", "http"],
      ...["--source", join(root, "functions/dist"), "--port", "0"],
    ],
    {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: {
        LEDGER_KEYS: localSecrets().ledgerKeys,
        GAME_KEYS: localSecrets().gameKeys,
        ...process.env,
        METADATA_SERVER_DETECTION: "none",
        NODE_COMPILE_CACHE: join(tmpdir(), "pot-of-gold-compiled"),
        // Tokens are taken at their word.
        FIREBASE_DEBUG_MODE: "true",
        FIREBASE_DEBUG_FEATURES: JSON.stringify({ skipTokenVerification: true }),
        ...env,
      },
    },
  );
  running.add(child);
  const calls: string[] = [];
  child.on("message", ({ what }: { what?: string }) => {
    if (what !== undefined) calls.push(what);
  });
  const port = await heard<{ port?: number }>(child, (message) => message.port);
  return { child, served: servedAt(`http://127.0.0.1:${port}`, calls, child) };
}

/** What a process says first of what is looked for. Throws if it ends before, or says nothing of it in time. */
function heard<Message>(
  child: ChildProcess,
  pick: (message: Message) => number | true | undefined,
): Promise<number | true> {
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      clearTimeout(timer);
      child.off("message", listen);
      child.off("exit", gone);
      act();
    };
    const listen = (message: Message) => {
      const found = pick(message);
      if (found !== undefined) end(() => resolve(found));
    };
    const gone = () => end(() => reject(new Error("a function has ended before it was asked for anything")));
    const timer = setTimeout(() => end(() => reject(new Error("a function does not start"))), START_TIMEOUT_MILLIS);
    child.on("message", listen);
    child.once("exit", gone);
    if (child.exitCode !== null || child.signalCode !== null) gone();
  });
}

function servedAt(url: string, calls: readonly string[], child: ChildProcess): Served {
  return {
    url,
    calls,
    post: (path, body, headers = {}) => post(`${url}${path}`, body, headers),
    call: (uid, action, data) => post(`${url}/${action}`, { data }, { authorization: authorizationOf(uid) }),
    run: (data) => post(url, { data }, { authorization: authorizationOf("cloud-tasks") }),
    stop: () => {
      child.kill("SIGKILL");
      running.delete(child);
    },
  };
}

function authorizationOf(uid: string): string {
  return `Bearer ${unsignedToken({ sub: uid, user_id: uid, uid })}`;
}

async function post(url: string, body: unknown, headers: Record<string, string>): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  } catch {
    return undefined;
  }
}
