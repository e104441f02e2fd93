import { spawn, spawnSync } from "node:child_process";
import { freePort } from "../../local/ports.ts";

/** For tests: a Redis with nothing in it. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it as kill -9 does. */
  kill(): void;
}

const MAX_ATTEMPTS = 3;

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** Starts `redis-server`, which has to be installed; see {@link hasRedis}. */
export async function startRedis(port?: number): Promise<RedisServer> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const server = await tryPort(port ?? (await freePort()));
    if (server) return server;
  }
  throw new Error(`Redis does not start${port === undefined ? "" : ` on port ${port}`}`);
}

/** Undefined if it has ended at once: somebody else has taken the port meanwhile. */
function tryPort(port: number): Promise<RedisServer | undefined> {
  const server = spawn("redis-server", ["--port", String(port), "--save", "", "--bind", "127.0.0.1"], {
    stdio: "pipe",
  });
  return new Promise((resolve) => {
    server.once("exit", () => resolve(undefined));
    server.stdout.on("data", (chunk) => {
      if (!String(chunk).includes("Ready to accept connections")) return;
      resolve({ port, url: `redis://127.0.0.1:${port}`, kill: () => server.kill("SIGKILL") });
    });
  });
}
