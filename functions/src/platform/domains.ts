import domain from "node:domain";

/**
 * The functions framework runs each request in a domain of Node's, and the first of them makes every promise of the process cost several
 * times what it does otherwise (a domain follows each through async hooks): more than half of the CPU of a small action.
 * Here requests catch their own errors, and what no request is waiting for reaches the framework's handler of uncaught exceptions, so
 * the framework is given domains that follow nothing.
 * Source: https://nodejs.org/api/domain.html, deprecated as DEP0032; function_wrappers.js of @google-cloud/functions-framework
 */
export function withoutDomains(): void {
  domain.create = () => new Unfollowed() as unknown as domain.Domain;
}

/** As much of a domain as the framework uses. */
class Unfollowed {
  on(): this {
    return this;
  }

  run<T>(work: () => T): T {
    return work();
  }
}
