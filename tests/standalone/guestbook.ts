import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "../../local/ports.ts";
import { root } from "../../scripts/suite.ts";

/** For tests: examples/guestbook as somebody else's project, outside of this repository, with local/ installed as it is packed. */
export interface Guestbook {
  /** Where the project is. */
  readonly folder: string;
  readonly tarball: string;
  readonly ports: Readonly<Record<string, number>>;
  /** Starts a command in the project, in a process group of its own as a terminal does. */
  start(command: string, ...args: string[]): Command;
  /** Runs a command in the project to its end; rejects if it fails. */
  run(command: string, ...args: string[]): Promise<string>;
  remove(): void;
}

export interface Command {
  /** All that it has written so far. */
  output(): string;
  /** Its status, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
  /** Presses Ctrl-C: all processes of the group are told. */
  interrupt(): void;
  /** Whether a process of the group still runs. */
  isAlive(): boolean;
  kill(): void;
}

const LOCAL = join(root, "local");
const INSTALL = ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];

/** Packs local/ and installs it. Takes half a minute, and registry and cache of this machine's npm. */
export async function makeGuestbook(): Promise<Guestbook> {
  const outside = mkdtempSync(join(tmpdir(), "standalone-"));
  const folder = join(outside, "guestbook");
  const remove = () => rmSync(outside, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  try {
    const env = environment(outside);
    await finish(launch({ cwd: LOCAL, env }, "npm", "pack", "--pack-destination", outside));
    const tarball = join(outside, readdirSync(outside).find((name) => name.endsWith(".tgz")) ?? "");
    cpSync(join(root, "examples/guestbook"), folder, { recursive: true });
    const ports = await takeFreePorts(folder);
    const install = (cwd: string, ...args: string[]) => finish(launch({ cwd, env }, "npm", ...INSTALL, ...args));
    await Promise.all([install(folder, "--save-dev", tarball), install(join(folder, "functions"))]);
    const ownHome = {
      ...env,
      HOME: join(outside, "home"),
      FIRESTORE_INDEXES: "enforced",
      FIREBASE_TIME_PORT: String(await freePort()),
      FIREBASE_INSPECT_PORT: String(ports.inspect),
      NO_COLOR: "1",
    };
    const start = (command: string, ...args: string[]) => launch({ cwd: folder, env: ownHome }, command, ...args);
    return { folder, tarball, ports, start, run: (...command) => finish(start(...command)), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** That of this process without the packages of this repository, except its Node. */
function environment(outside: string): NodeJS.ProcessEnv {
  const bin = join(outside, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  const path = (process.env.PATH ?? "").split(delimiter).filter((entry) => !entry.startsWith(root));
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|NODE_|VITEST|METADATA_|FORCE_COLOR$)/.test(name),
  );
  return { ...Object.fromEntries(own), PATH: [bin, ...path].join(delimiter) };
}

/** Gives the emulators ports that nobody uses. */
async function takeFreePorts(folder: string): Promise<Record<string, number>> {
  const file = join(folder, "firebase.json");
  const config = JSON.parse(readFileSync(file, "utf8")) as { emulators: Record<string, object> };
  const ports: Record<string, number> = {};
  for (const name of [...Object.keys(config.emulators), "hub", "logging", "eventarc", "tasks"]) {
    ports[name] = await freePort();
    config.emulators[name] = { port: ports[name] };
  }
  config.emulators.ui = { enabled: false };
  ports.inspect = await freePort();
  config.emulators.firestore = { ...config.emulators.firestore, websocketPort: await freePort() };
  writeFileSync(file, JSON.stringify(config, undefined, 2));
  return ports;
}

async function finish(command: Command): Promise<string> {
  const status = await command.ended;
  if (status !== 0) throw new Error(`ended with ${status}\n${command.output()}`);
  return command.output();
}

function launch(place: { cwd: string; env: NodeJS.ProcessEnv }, command: string, ...args: string[]): Command {
  const child = spawn(command, args, { ...place, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const signal = (name: NodeJS.Signals | 0) => {
    try {
      return process.kill(-(child.pid ?? Number.NaN), name);
    } catch {
      return false;
    }
  };
  return {
    output: () => output,
    ended: once(child, "close").then(([code, name]) => (code ?? name) as number | string | null),
    interrupt: () => signal("SIGINT"),
    isAlive: () => signal(0),
    kill: () => signal("SIGKILL"),
  };
}
