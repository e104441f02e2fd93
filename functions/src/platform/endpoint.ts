import { type CallableFunction, type CallableRequest, HttpsError } from "firebase-functions/v2/https";
import * as z from "zod";
import { isAdmin } from "./admins.ts";
import { type CallOptions, callable } from "./callable.ts";
import { config } from "./config.ts";
import { Failure, invalidInput } from "./failure.ts";
import { isUid } from "./ids.ts";
import { log } from "./log.ts";
import { Ready } from "./ready.ts";

/** Who calls, as far as it is proven. Given to every job as its first argument. */
export interface Caller {
  readonly uid: string;
  /** Display name and picture of the sign-in provider, if the token has them. */
  readonly name?: string;
  readonly picture?: string;
}

/** Who may call an action: any signed-in user, or an operator with a record in `admins/`. */
export type Access = "user" | "admin";

/** One thing that an app can ask for: its policy, its contract and the job that does it. */
export interface Action<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly access: Access;
  readonly input: Input;
  readonly output: Output;
  readonly run: (caller: Caller, input: z.output<Input>) => Promise<z.input<Output> | Ready>;
  /** The answer, if it is at hand without waiting; only for what users may ask, and what changes nothing. May throw what `run` would refuse. */
  readonly peek?: (caller: Caller, input: z.output<Input>) => Ready | undefined;
}

/** A module's actions by name. */
export type Actions = Readonly<Record<string, Action>>;

/** Modules by name, each loaded when the first of its actions is called. */
export type Modules = Readonly<Record<string, () => Promise<Actions>>>;

/** Ties the types of an action together; see {@link Action}. */
export function action<Input extends z.ZodType, Output extends z.ZodType>(definition: Action<Input, Output>): Action {
  return definition as unknown as Action;
}

/**
 * A callable function that carries many actions, each at a path of its own:
 * `httpsCallable(functions, "api/leaderboards/submit")` calls action `submit` of module `leaderboards` of service `api`.
 */
export function service(name: string, modules: Modules, options: CallOptions): CallableFunction<unknown, unknown> {
  return callable(options, (request) => {
    const path = actionPath(name, request.rawRequest.path);
    return answerAtHand(modules, path, request) ?? answer(modules, { service: name, path }, request);
  });
}

async function answer(
  modules: Modules,
  { service: name, path }: { readonly service: string; readonly path: readonly string[] },
  request: CallableRequest<unknown>,
): Promise<unknown> {
  try {
    return await perform(await find(modules, path), request);
  } catch (error) {
    throw toHttpsError(error, `${name}/${path.join("/")}`, request.auth?.uid);
  }
}

/** What an action has at hand; undefined also for what is to be refused, which is found out again by whoever refuses it. */
function answerAtHand(modules: Modules, path: readonly string[], request: CallableRequest<unknown>): Ready | undefined {
  const load = loadOf(modules, path);
  const action = actionIn(load && loaded.get(load), path);
  if (!action?.peek || action.access !== "user") return undefined;
  try {
    return action.peek(callerOf(request), parseInput(action.input, request.data ?? {}));
  } catch {
    return undefined;
  }
}

/** The path behind the service's name, which stays in it when the request came through a Hosting rewrite. */
function actionPath(service: string, path: string): string[] {
  const segments = path.split("/").filter((segment) => segment !== "");
  return segments.length > 2 && segments[0] === service ? segments.slice(1) : segments;
}

async function find(modules: Modules, path: readonly string[]): Promise<Action> {
  const load = loadOf(modules, path);
  const action = actionIn(load && (loaded.get(load) ?? (await loadOnce(load))), path);
  if (!action) throw new Failure("not-found", `There is no action "${path.join("/")}".`, { reason: "unknown-action" });
  return action;
}

function loadOf(modules: Modules, [module = "", ...rest]: readonly string[]): Load | undefined {
  return rest.length === 1 && Object.hasOwn(modules, module) ? modules[module] : undefined;
}

function actionIn(actions: Actions | undefined, [, name = ""]: readonly string[]): Action | undefined {
  return actions && Object.hasOwn(actions, name) ? actions[name] : undefined;
}

type Load = Modules[string];

/** What has been loaded: to import a module again costs as much as checking an input. */
const loaded = new WeakMap<Load, Actions>();

async function loadOnce(load: Load): Promise<Actions> {
  const actions = await load();
  loaded.set(load, actions);
  return actions;
}

async function perform(action: Action, request: CallableRequest<unknown>): Promise<unknown> {
  const caller = callerOf(request);
  if (action.access === "admin" && !(await isAdmin(caller.uid))) {
    throw new Failure("permission-denied", "Only operators may do this.", { reason: "not-an-admin" });
  }
  const input = parseInput(action.input, request.data ?? {});
  const answer = await action.run(caller, input);
  return answer instanceof Ready ? answer : action.output.parse(answer);
}

/** Refuses calls of apps that App Check does not vouch for, where it has to, and of whoever has not signed in. */
function callerOf({ app, auth }: CallableRequest<unknown>): Caller {
  if (!app && config.enforceAppCheck.value()) {
    throw new Failure("unauthenticated", "App Check does not vouch for this app.", { reason: "app-check-missing" });
  }
  if (!auth) throw new Failure("unauthenticated", "Sign in first.", { reason: "not-signed-in" });
  if (!isUid(auth.uid)) {
    throw new Failure("failed-precondition", "This user's id cannot be used here.", { reason: "unsupported-uid" });
  }
  const { name, picture } = auth.token;
  return {
    uid: auth.uid,
    ...(typeof name === "string" ? { name } : {}),
    ...(typeof picture === "string" ? { picture } : {}),
  };
}

/** Checks an input against its contract; the failure names the first field that is wrong. */
export function parseInput<Shape extends z.ZodType>(shape: Shape, input: unknown): z.output<Shape> {
  const parsed = shape.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidInput(z.core.toDotPath(issue?.path ?? []), issue?.message ?? "The input is invalid.");
}

/** What a caller may know of an error: failures as they are, anything else only that it happened. */
function toHttpsError(error: unknown, action: string, uid: string | undefined): HttpsError {
  if (error instanceof Failure) return new HttpsError(error.code, error.message, error.details);
  log.error("action failed", error, { action, ...(uid === undefined ? {} : { uid }) });
  return new HttpsError("internal", "Something went wrong on our side.", { reason: "internal" });
}
