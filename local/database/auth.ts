import * as z from "zod";
import { identityOf, OWNER, payloadOf } from "../tokens.ts";
import { RequestError } from "./model/failure.ts";
import { ADMIN, ANYBODY, type Caller } from "./security.ts";

/** What custom tokens of the first years carried: the auth variable itself, below `d`. */
const Legacy = z.looseObject({ v: z.literal(0), d: z.looseObject({ uid: z.string() }) });

/**
 * Who a token stands for: `owner`, or a JSON Web Token of the Auth emulator or of rules-unit-testing, whose signature is not
 * checked. Tests say that theirs have expired long ago; one that runs out later does. Throws on everything else.
 */
export function callerOf(token: string | undefined): Caller {
  if (token === undefined || token === "") return ANYBODY;
  if (token === OWNER) return ADMIN;
  const payload = payloadOf(token);
  const legacy = Legacy.safeParse(payload);
  if (legacy.success) {
    const { d } = legacy.data;
    return { admin: false, auth: { ...d, uid: d.uid, token: d, provider: String(d.provider ?? "custom") } };
  }
  const identity = identityOf(payload, Date.now());
  if (identity === undefined) throw invalidToken();
  const { uid, claims, expiresAt } = identity;
  const provider = claims.firebase?.sign_in_provider;
  return {
    admin: false,
    auth: { uid, token: claims, ...(provider === undefined ? {} : { provider }) },
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/**
 * What an owner wants to be instead: `null` is nobody, an object is the `auth` that rules see (`databaseAuthVariableOverride`).
 */
export function overridden(caller: Caller, override: unknown): Caller {
  if (!caller.admin || override === undefined) return caller;
  if (override === null) return ANYBODY;
  const auth = z.looseObject({ uid: z.string().default("") }).safeParse(override);
  if (!auth.success) throw invalidToken();
  const { uid, token, provider, ...others } = auth.data;
  const claims = z.record(z.string(), z.unknown()).safeParse(token);
  return {
    admin: false,
    auth: { ...others, uid, token: claims.data ?? {}, ...(typeof provider === "string" ? { provider } : {}) },
  };
}

function invalidToken(): RequestError {
  return new RequestError("invalid_token", "Could not parse auth token.", 401);
}
