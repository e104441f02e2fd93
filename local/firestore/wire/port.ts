import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { GrpcServer } from "./grpc.ts";

/** What an HTTP/2 client without TLS says first. Source: RFC 9113, section 3.4 */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const SNIFF_MILLIS = 10_000;

export interface Port {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves gRPC and HTTP/1 on one port, told apart by the first bytes of each connection. */
export async function listen(options: {
  host: string;
  port: number;
  grpc: GrpcServer;
  http: RequestListener;
}): Promise<Port> {
  const sockets = new Set<Socket>();
  const http = createHttpServer({ keepAliveTimeout: 60_000 }, options.http);
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    sniff(socket, (isHttp2) => {
      if (isHttp2) options.grpc.accept(socket);
      else http.emit("connection", socket);
    });
  });
  await start(server, options.host, options.port);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    port: address.port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      http.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function start(server: NetServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Reads just enough of a connection to know what it speaks, and puts it back. */
function sniff(socket: Socket, decide: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  socket.setTimeout(SNIFF_MILLIS, () => socket.destroy());
  const onData = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const matches = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
    if (matches && length < PREFACE.length) return;
    socket.off("data", onData);
    socket.setTimeout(0);
    socket.pause();
    socket.removeAllListeners("timeout");
    socket.unshift(seen);
    decide(matches);
    process.nextTick(() => socket.resume());
  };
  socket.on("data", onData);
}
