/** How long a client may take to fetch what was sent before a connection was ended. */
export const FAREWELL_MILLIS = 1_000;

/** What carries whole messages between a client and its connection: a WebSocket or long polls. */
export interface Transport {
  readonly isOpen: boolean;
  /** Bytes that were sent and that the client has not taken yet. */
  readonly waitingBytes: number;
  /** Says, once and before anything is sent, who is told what comes. */
  open(receiver: Receiver): void;
  /** Sends a message, if still open. Returns its bytes. */
  send(message: string): number;
  /** Closes when what was sent before is taken, or soon if the client does not take it. */
  finish(): void;
  /** Closes at once. */
  destroy(): void;
}

export interface Receiver {
  onMessage(message: string): void;
  /** The client has sent what no client would, and cannot be understood any more. */
  onInvalid(error: FrameError): void;
  /** Once, however it came to that. */
  onClosed(): void;
}

/** What no client would send. The message is told to it. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}
