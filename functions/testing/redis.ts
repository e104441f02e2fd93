import { spawn, spawnSync } from "node:child_process";
import { freePort } from "../../local/ports.ts";

/** For tests: a Redis with nothing in it. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it as kill -9 does. */
  kill(): void;
}

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** Starts `redis-server`, which has to be installed; see {@link hasRedis}. */
export async function startRedis(given?: number): Promise<RedisServer> {
  const port = given ?? (await freePort());
  const server = spawn("redis-server", ["--port", String(port), "--save", "", "--bind", "127.0.0.1"], {
    stdio: "pipe",
  });
  await new Promise<void>((resolve) =>
    server.stdout?.on("data", (chunk) => {
      if (String(chunk).includes("Ready to accept connections")) resolve();
    }),
  );
  return { port, url: `redis://127.0.0.1:${port}`, kill: () => server.kill("SIGKILL") };
}
