import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";

/**
 * A unary call of gRPC over HTTP/2. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export interface Call {
  /** As `https://firestore.googleapis.com`. */
  readonly origin: string;
  /** As `/google.firestore.v1.Firestore/Commit`. */
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly message: Buffer;
  readonly timeoutMillis: number;
}

/** A call that did not come to an answer, with the status code of gRPC. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
  readonly code: number;
  /** Whether no server has said so: it is ours to say, from what the connection did. */
  readonly isOfConnection: boolean;

  constructor(code: number, message: string, isOfConnection: boolean) {
    super(message);
    this.code = code;
    this.isOfConnection = isOfConnection;
  }
}

const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;
const PREFIX_BYTES = 5;

let session: { origin: string; connection: ClientHttp2Session } | undefined;

/** One connection, which is opened anew when it has ended. It keeps no process from ending; a call's timer does. */
function connectionTo(origin: string): ClientHttp2Session {
  if (session?.origin === origin && !session.connection.closed && !session.connection.destroyed) {
    return session.connection;
  }
  const connection = connect(origin, { settings: { enablePush: false } });
  const forget = () => {
    if (session?.connection === connection) session = undefined;
  };
  connection.on("error", forget).on("goaway", forget).on("close", forget);
  connection.unref();
  session = { origin, connection };
  return connection;
}

/** Calls, and answers with the message. Throws {@link CallFailed}. */
export function call({ origin, method, headers, message, timeoutMillis }: Call): Promise<Buffer> {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return new Promise((resolve, reject) => {
    const connection = connectionTo(origin);
    const stream = connection.request({
      ":method": "POST",
      ":path": method,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": `${timeoutMillis}m`,
      ...headers,
    });
    const timer = setTimeout(() => {
      reject(new CallFailed(DEADLINE_EXCEEDED, "no answer in time", true));
      stream.close(constants.NGHTTP2_CANCEL);
    }, timeoutMillis);
    answerOf(stream).then(resolve, reject);
    stream.once("close", () => clearTimeout(timer));
    stream.write(prefix);
    stream.end(message);
  });
}

async function answerOf(stream: ClientHttp2Stream): Promise<Buffer> {
  const told: { status?: string; message?: string } = {};
  const note = (headers: Record<string, unknown>) => {
    if (typeof headers["grpc-status"] === "string") told.status = headers["grpc-status"];
    if (typeof headers["grpc-message"] === "string") told.message = headers["grpc-message"];
  };
  stream.on("response", note).on("trailers", note);
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve, reject) => {
    stream.once("close", resolve);
    stream.once("error", (error) => reject(new CallFailed(UNAVAILABLE, error.message, true)));
  });
  if (told.status === undefined) throw new CallFailed(UNAVAILABLE, "the connection was closed", true);
  if (told.status !== "0") {
    throw new CallFailed(Number(told.status), decodeURIComponent(told.message ?? ""), false);
  }
  const answer = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  // Nobody has asked for anything compressed.
  if (answer.length < PREFIX_BYTES || answer[0] !== 0) throw new CallFailed(UNKNOWN, "not an answer", true);
  return answer.subarray(PREFIX_BYTES);
}
