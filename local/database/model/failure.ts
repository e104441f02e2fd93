/**
 * A request that is refused. `status` is the code of the WebSocket protocol, `http` that of REST; the message is shown to callers of
 * both.
 */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: string;
  readonly http: number;
  /** Which rules denied it, for whoever runs the server; callers are not told. */
  readonly why: string | undefined;

  constructor(status: string, message: string, http = 400, why?: string) {
    super(message);
    this.status = status;
    this.http = http;
    this.why = why;
  }
}

export function invalidPath(message: string): RequestError {
  return new RequestError("invalid_path", `Invalid path: ${message}`);
}

export function invalidData(message: string): RequestError {
  return new RequestError("invalid_data", `Invalid data; ${message}`);
}

export function invalidQuery(message: string): RequestError {
  return new RequestError("invalid_query", message);
}

export function permissionDenied(why?: string): RequestError {
  return new RequestError("permission_denied", "Permission denied", 401, why);
}

export function writeTooBig(): RequestError {
  return new RequestError(
    "write_too_big",
    "Data to write exceeds the maximum size that can be modified with a single request.",
  );
}

export function indexNotDefined(index: string, path: string): RequestError {
  return new RequestError(
    "index_not_defined",
    `Index not defined, add ".indexOn": "${index}", for path "${path}", to the rules`,
  );
}
