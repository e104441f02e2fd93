import { RulesError, type RulesValue } from "../value.ts";
import { type TypeName, type Types, typeOf, unsupported } from "./types.ts";

/** What a parameter may be declared as: a type, or one of several. */
interface Parameters extends Types {
  readonly "int|float": bigint | number;
  readonly "list|set": Types["list"] | Types["set"];
  readonly "string|list": string | Types["list"];
  readonly "string|bytes": string | Uint8Array;
  readonly "int|float|string": bigint | number | string;
  readonly "bool|string": boolean | string;
  readonly any: RulesValue;
}

export type Parameter = keyof Parameters;

type Arguments<P extends readonly Parameter[]> = { [I in keyof P]: Parameters[P[I]] };

/** A method or function: what it takes, and what it does once its arguments are known to fit. */
export interface Operation<Receiver> {
  readonly parameters: readonly Parameter[];
  readonly apply: (receiver: Receiver, args: readonly RulesValue[]) => RulesValue;
}

export type Operations<Receiver> = ReadonlyMap<string, Operation<Receiver>>;

/** Declares a method. Its body is only called with arguments of the declared types. */
export function method<Receiver, const P extends readonly Parameter[]>(
  parameters: P,
  body: (receiver: Receiver, ...args: Arguments<P>) => RulesValue,
): Operation<Receiver> {
  return { parameters, apply: (receiver, args) => body(receiver, ...(args as unknown as Arguments<P>)) };
}

/** Declares a function: a method of nothing. */
export function fn<const P extends readonly Parameter[]>(
  parameters: P,
  body: (...args: Arguments<P>) => RulesValue,
): Operation<undefined> {
  return method(parameters, (_: undefined, ...args: Arguments<P>) => body(...args));
}

/**
 * Calls an operation.
 * @param name how it is written, for the messages of errors: `string.replace`
 * @throws RulesError if the number of arguments or one of their types is wrong
 */
export function apply<Receiver>(
  operation: Operation<Receiver>,
  name: string,
  receiver: Receiver,
  args: readonly RulesValue[],
): RulesValue {
  const expected = `${name}(${operation.parameters.join(", ")})`;
  if (args.length !== operation.parameters.length) {
    throw new RulesError(`Incorrect number of arguments. Received: ${args.length}. Expected: ${expected}.`);
  }
  const types = args.map(typeOf);
  if (!operation.parameters.every((parameter, i) => accepts(parameter, types[i]))) {
    throw unsupported(`${name}(${types.join(", ")})`, expected);
  }
  return operation.apply(receiver, args);
}

function accepts(parameter: Parameter, type: TypeName | undefined): boolean {
  return parameter === "any" || (type !== undefined && parameter.split("|").includes(type));
}
