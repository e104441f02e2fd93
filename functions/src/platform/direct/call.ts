import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";

/**
 * A call of gRPC over HTTP/2, with one message and any number of answers. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
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
/** A connection that was not used for so long is not trusted to be there still: an instance without requests has no CPU to notice. */
const IDLE_MILLIS = 60_000;

let session: { origin: string; connection: ClientHttp2Session; usedAt: number } | undefined;

/** One connection, which is opened anew when it has ended. It keeps no process from ending; a call's timer does. */
function connectionTo(origin: string): ClientHttp2Session {
  const at = performance.now();
  if (session && isGood(session.connection) && session.origin === origin && at - session.usedAt < IDLE_MILLIS) {
    session.usedAt = at;
    return session.connection;
  }
  session?.connection.close();
  const connection = connect(origin, { settings: { enablePush: false } });
  const forget = () => {
    if (session?.connection === connection) session = undefined;
  };
  connection.on("error", forget).on("goaway", forget).on("close", forget);
  connection.unref();
  session = { origin, connection, usedAt: at };
  return connection;
}

function isGood({ closed, destroyed }: ClientHttp2Session): boolean {
  return !closed && !destroyed;
}

/** Calls, and answers with the messages that came before the call was over. Throws {@link CallFailed}. */
export async function call(of: Call): Promise<Buffer[]> {
  const connection = connectionTo(of.origin);
  const stream = begin(connection, of);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new CallFailed(DEADLINE_EXCEEDED, "no answer in time", true));
    stream.close(constants.NGHTTP2_CANCEL);
    // Whoever comes next is to have one that answers.
    connection.close();
  }, of.timeoutMillis);
  try {
    return await Promise.race([answersOf(stream), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function begin(connection: ClientHttp2Session, { method, headers, message, timeoutMillis }: Call): ClientHttp2Stream {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  try {
    const stream = connection.request({
      ":method": "POST",
      ":path": method,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": `${timeoutMillis}m`,
      ...headers,
    });
    stream.write(prefix);
    stream.end(message);
    return stream;
  } catch (error) {
    throw new CallFailed(UNAVAILABLE, String(error), true);
  }
}

async function answersOf(stream: ClientHttp2Stream): Promise<Buffer[]> {
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
    throw new CallFailed(Number(told.status), told.message ?? "", false);
  }
  return messagesIn(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
}

/** Each has a byte before it that says whether it is compressed, which nobody has asked for, and its length. */
function messagesIn(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.length < at + PREFIX_BYTES ? bytes.length + 1 : at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
    if (end > bytes.length || bytes[at] !== 0) throw new CallFailed(UNKNOWN, "not an answer", true);
    messages.push(bytes.subarray(at + PREFIX_BYTES, end));
    at = end;
  }
  return messages;
}
