import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, expect, onTestFinished, vi } from "vitest";
import { answers } from "./ports.ts";

/** For tests: programs in processes of their own, and a network that fails. */

/** Starts Node programs; what a test has left of them is killed after it. */
export function usePrograms(): (args: readonly string[]) => ChildProcess {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });
  return (args) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    return child;
  };
}

/** The code with which a program ends, or the signal that ended it. */
export function exit(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
}

/** All that a program writes to its standard error until it ends. */
export async function complaintOf(child: ChildProcess): Promise<string> {
  let complaint = "";
  child.stderr?.on("data", (chunk) => {
    complaint += chunk;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return complaint;
}

/** Says all of a request before it listens, as browsers do, and answers with what comes first of the response. */
export async function sayAll(method: string, url: string, body: string): Promise<string> {
  const { port, pathname, search } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  const head = `${method} ${pathname}${search} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n`;
  await new Promise<unknown>((resolve) => socket.write(head + body, resolve));
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return answer.toString();
}

/** Waits until somebody answers on a port. */
export async function up(port: number): Promise<void> {
  await vi.waitFor(async () => expect(await answers(port)).toBe(true), { timeout: 5_000 });
}

/** Waits until nobody answers on a port any more. */
export async function down(port: number): Promise<void> {
  await vi.waitFor(async () => expect(await answers(port)).toBe(false), { timeout: 5_000 });
}

/** A way to a server that can be cut: it passes bytes on, and new connections are taken after a cut as before. */
export interface Wire {
  readonly port: number;
  /** Resets all connections that there are. */
  cut(): void;
}

/** @param target the port on this machine to which the wire leads until the test ends */
export async function startWire(target: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    join(client, upstream);
    join(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cut };

  function join(from: Socket, to: Socket): void {
    sockets.add(from);
    from.on("error", () => to.destroy());
    from.once("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }

  function cut(): void {
    for (const socket of sockets) socket.resetAndDestroy();
  }
}
