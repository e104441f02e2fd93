import { connect, type Socket } from "node:net";
import { unsignedToken } from "../../local/tokens.ts";

/** The header of a user whose token is taken at its word. */
export function authorizationOf(uid: string): string {
  return `Bearer ${unsignedToken({ sub: uid, user_id: uid, uid })}`;
}

/** An answer of which the body has this length. */
const HEAD = /^HTTP\/1\.1 (\d{3})[\s\S]*?\r\ncontent-length: (\d+)\r\n/i;
const END_OF_HEAD = "\r\n\r\n";

/**
 * One HTTP/1.1 connection that is kept, with one request at a time. Node's own client costs about as much as what is measured, on the
 * same cores.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #head: string;
  #received = "";
  #waiting: PromiseWithResolvers<{ status: number; body: string }> | undefined;

  private constructor(socket: Socket, head: string) {
    this.#socket = socket;
    this.#head = head;
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => this.#take(chunk));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("the connection was closed")));
  }

  static async open(port: number, path: string): Promise<HttpConnection> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    const headers = [
      `POST ${path} HTTP/1.1`,
      `host: 127.0.0.1:${port}`,
      "content-type: application/json",
      "content-length: ",
    ];
    return new HttpConnection(socket, headers.join("\r\n"));
  }

  /** @param body plain ASCII @param authorization the value of the header */
  post(body: string, authorization: string): Promise<{ status: number; body: string }> {
    this.#waiting = Promise.withResolvers();
    this.#socket.write(`${this.#head}${body.length}\r\nauthorization: ${authorization}${END_OF_HEAD}${body}`, "latin1");
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#received += chunk;
    const end = this.#received.indexOf(END_OF_HEAD);
    if (end === -1) return;
    const [, status, length] = HEAD.exec(this.#received) ?? [];
    const start = end + END_OF_HEAD.length;
    if (status === undefined || this.#received.length < start + Number(length)) return;
    const body = this.#received.slice(start, start + Number(length));
    this.#received = "";
    this.#waiting?.resolve({ status: Number(status), body });
  }
}
