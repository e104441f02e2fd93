/** The status codes of gRPC that the service uses, by name. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

export type CodeName = keyof typeof Code;

/** A failure with the code and message that the service gives its caller. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly status: CodeName;
  /** What more there is to say of it, as `google.protobuf.Any` in JSON. Source: google/rpc/error_details.proto */
  readonly details: readonly object[];

  constructor(status: CodeName, message: string, details: readonly object[] = []) {
    super(message);
    this.status = status;
    this.details = details;
  }

  get code(): number {
    return Code[this.status];
  }
}

export function invalidArgument(message: string): StatusError {
  return new StatusError("INVALID_ARGUMENT", message);
}

/** What a caller is told of any error: our own failures as they are, everything else as INTERNAL without its details. */
export function toStatus(error: unknown): StatusError {
  return error instanceof StatusError ? error : new StatusError("INTERNAL", "Internal error.");
}
