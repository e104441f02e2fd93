import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Keeps the CLI alive. Handlers of its Storage emulator are asynchronous, and what they throw over a request that is malformed is nobody's:
 * the process ends, and with it all emulators.
 */

type Handler = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => unknown;

/** How Express 4 keeps handlers: a router is a handler with layers of its own, a route has layers for its verbs. */
interface Layer {
  handle: Handler & { readonly stack?: readonly Layer[] };
  readonly route?: { readonly stack: readonly Layer[] };
}

export interface Application {
  readonly _router?: { readonly stack: readonly Layer[] };
}

/** Has an application answer with status 400 what its handlers fail over. Throws if it is not of Express 4. */
export function guard(application: Application, report: (message: string) => void): void {
  if (!application._router)
    throw new Error("the Storage emulator is no application of Express 4: look at guard.ts again.");
  guardAll(application._router.stack, report);
}

function guardAll(layers: readonly Layer[], report: (message: string) => void): void {
  for (const layer of layers) {
    const { handle, route } = layer;
    if (route) guardAll(route.stack, report);
    else if (handle.stack) guardAll(handle.stack, report);
    // A fourth argument is the mark of what handles errors.
    else if (handle.length <= 3) layer.handle = guarded(handle, report);
  }
}

function guarded(handle: Handler, report: (message: string) => void): Handler {
  return (request, response, next) => {
    const result = handle(request, response, next);
    if (!(result instanceof Promise)) return result;
    return result.catch((error: Error) => {
      report(`Storage could not answer ${request.method} ${request.url}: ${error.message}`);
      if (response.headersSent) response.end();
      else refuse(response, error.message);
    });
  };
}

/** In the form of Google's APIs. */
function refuse(response: ServerResponse, message: string): void {
  response.writeHead(400, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { code: 400, message: `The request cannot be understood: ${message}` } }));
}
