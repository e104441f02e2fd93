import http from "node:http";
import http2 from "node:http2";
import { flushCompileCache, syncBuiltinESMExports } from "node:module";
import net from "node:net";

/**
 * Preloaded into a function's process (`node --import`): numbers its calls of Firestore, of Redis and of vendors' and Google's HTTP APIs in
 * the order in which they are made, and ends it, as kill -9 does, before the n-th is sent, or after the n-th of those that change something
 * was answered: after one that only reads is no other moment than before the next. The parent process names call and side (`{ at, when }`,
 * which is answered by `{ armed: true }`), and is told what has been passed (`{ what }`).
 */
const redisPort = Number(URL.parse(process.env.REDIS_URL ?? "")?.port || 0);
const CHANGING = /\/(Commit|BatchWrite)$|^(POST|PUT|PATCH|DELETE) |^redis$/;
let at = 0;
let when = "before";
let calls = 0;

process.on("message", (order: { at: number; when: string }) => {
  ({ at, when } = order);
  process.send?.({ armed: true });
});

function die(): void {
  // So that those who come after it start sooner.
  flushCompileCache();
  process.kill(process.pid, "SIGKILL");
}

/** Counts a call; the answer is what to do when it has been answered. */
function passing(what: string): () => void {
  process.send?.({ what });
  if (when === "before" || CHANGING.test(what)) calls++;
  else return () => undefined;
  if (calls !== at) return () => undefined;
  if (when === "before") die();
  return die;
}

const connect = http2.connect.bind(http2);
Object.assign(http2, {
  connect: (...args: Parameters<typeof http2.connect>) => {
    const session = connect(...args);
    const request = session.request.bind(session);
    session.request = (headers = {}, options) => {
      const path = String((headers as http2.OutgoingHttpHeaders)[":path"] ?? "");
      const answered = path.startsWith("/google.firestore.v1.Firestore/") ? passing(path.slice(1)) : undefined;
      const stream = request(headers, options);
      if (answered) stream.prependListener("response", answered);
      return stream;
    };
    return session;
  },
});

const httpRequest = http.request.bind(http) as (...args: unknown[]) => http.ClientRequest;
Object.assign(http, {
  request: (...args: unknown[]) => {
    const request = httpRequest(...args);
    // Sent when it ends; until then it can still be given up.
    const end = request.end.bind(request) as (...rest: unknown[]) => http.ClientRequest;
    request.end = ((...rest: unknown[]) => {
      request.prependOnceListener("response", passing(`${request.method} ${request.path}`));
      return end(...rest);
    }) as typeof request.end;
    return request;
  },
});

const fetchOf = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const asked = input instanceof Request ? input : { url: input, method: "GET" };
  const answered = passing(`${init?.method ?? asked.method} ${new URL(asked.url).pathname}`);
  const response = await fetchOf(input, init);
  answered();
  return response;
};

const write = net.Socket.prototype.write as (...args: unknown[]) => boolean;
net.Socket.prototype.write = function counted(this: net.Socket, ...args: unknown[]) {
  const isRedis = redisPort !== 0 && this.remotePort === redisPort;
  if (isRedis) this.prependOnceListener("data", passing("redis"));
  return write.apply(this, args);
} as typeof net.Socket.prototype.write;

syncBuiltinESMExports();
