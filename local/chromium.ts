import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";

/** For tests: Chromium without a window, driven by its own protocol. Source: https://chromedevtools.github.io/devtools-protocol/ */

const COMMANDS = [process.env.CHROME_PATH, "chromium", "chromium-browser", "google-chrome"];
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];
const START_MILLIS = 15_000;
const STOP_MILLIS = 5_000;

const command = COMMANDS.find((one) => one !== undefined && spawnSync(one, ["--version"]).status === 0);

/** Whether there is one on this machine. */
export const hasChromium = command !== undefined;

export interface Browser {
  /** Opens a page, and waits until it is ready, by an expression that becomes true or a promise; by its global `ready` if none is given. */
  open(url: string, ready?: string): Promise<Tab>;
  close(): Promise<void>;
}

export interface Tab {
  /**
   * Runs a function in the page and gives what it resolves to, as JSON. Of what is around the function nothing goes along.
   * Rejects with what it throws.
   */
  run<Arguments extends readonly unknown[], Result>(
    act: (...args: Arguments) => Result | Promise<Result>,
    ...args: Arguments
  ): Promise<Result>;
  close(): Promise<void>;
}

const Message = z.object({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const Created = z.object({ targetId: z.string() });
const Attached = z.object({ sessionId: z.string() });
const Evaluated = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z
    .object({ text: z.string(), exception: z.object({ description: z.string().optional() }).optional() })
    .optional(),
});

/** Starts it with storage of its own, which goes when it is closed. */
export async function startChromium(): Promise<Browser> {
  if (command === undefined) throw new Error("there is no Chromium on this machine");
  const folder = mkdtempSync(join(tmpdir(), "chromium-"));
  const child = spawn(command, [...FLAGS, `--user-data-dir=${folder}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const connection = await connect(await addressOf(child));
  return {
    open: (url, ready = "globalThis.ready") => openTab(connection, url, ready),
    close: async () => {
      const exited = once(child, "exit", { signal: AbortSignal.timeout(STOP_MILLIS) });
      connection.call("Browser.close").catch(() => undefined);
      await exited.catch(() => child.kill("SIGKILL"));
      connection.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error("Chromium has no standard error");
  const lines = createInterface({ input: child.stderr });
  const timeout = setTimeout(() => child.kill("SIGKILL"), START_MILLIS);
  for await (const line of lines) {
    const address = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
    if (address === undefined) continue;
    clearTimeout(timeout);
    child.stderr.resume();
    return address;
  }
  throw new Error("Chromium has not started");
}

interface Connection {
  call(method: string, params?: object, sessionId?: string): Promise<unknown>;
  close(): void;
}

async function connect(address: string): Promise<Connection> {
  const socket = new WebSocket(address);
  const calls = new Map<number, PromiseWithResolvers<unknown>>();
  let count = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = Message.parse(JSON.parse(String(data)));
    const call = calls.get(id ?? 0);
    calls.delete(id ?? 0);
    if (error) call?.reject(new Error(error.message));
    else call?.resolve(result);
  });
  socket.addEventListener("close", () => {
    for (const call of calls.values()) call.reject(new Error("Chromium is gone"));
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("Chromium does not answer")));
  });
  return {
    call: (method, params = {}, sessionId) => {
      const call = Promise.withResolvers<unknown>();
      calls.set(++count, call);
      socket.send(JSON.stringify({ id: count, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      return call.promise;
    },
    close: () => socket.close(),
  };
}

async function openTab(connection: Connection, url: string, ready: string): Promise<Tab> {
  const { targetId } = Created.parse(await connection.call("Target.createTarget", { url: "about:blank" }));
  const target = { targetId, flatten: true };
  const { sessionId } = Attached.parse(await connection.call("Target.attachToTarget", target));
  const evaluate = async (expression: string) => {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = Evaluated.parse(await connection.call("Runtime.evaluate", params, sessionId));
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await connection.call("Page.navigate", { url }, sessionId);
  await evaluate(
    `new Promise((done) => { const look = () => { const is = ${ready}; is ? done(is) : setTimeout(look, 5); }; look(); })`,
  );
  return {
    run: async <Arguments extends readonly unknown[], Result>(
      act: (...args: Arguments) => Result | Promise<Result>,
      ...args: Arguments
    ) => (await evaluate(`(${act})(...${JSON.stringify(args)})`)) as Result,
    close: async () => {
      await connection.call("Page.close", {}, sessionId);
    },
  };
}
