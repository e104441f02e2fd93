import { RulesError, type RulesValue } from "../value.ts";
import { BYTES_METHODS } from "./bytes.ts";
import { LIST_METHODS, SET_METHODS } from "./collections.ts";
import { MAP_DIFF_METHODS, MAP_METHODS } from "./maps.ts";
import { PATH_METHODS } from "./paths.ts";
import { LATLNG_METHODS } from "./places.ts";
import { apply, type Operations } from "./signature.ts";
import { STRING_METHODS } from "./strings.ts";
import { DURATION_METHODS, TIMESTAMP_METHODS } from "./time.ts";
import { notFound, type TypeName, type Types, typeOf } from "./types.ts";

/** The methods of each type that has any. Source: https://firebase.google.com/docs/reference/rules/index-all */
const METHODS: { readonly [Name in TypeName]?: Operations<Types[Name]> } = {
  string: STRING_METHODS,
  bytes: BYTES_METHODS,
  timestamp: TIMESTAMP_METHODS,
  duration: DURATION_METHODS,
  latlng: LATLNG_METHODS,
  path: PATH_METHODS,
  set: SET_METHODS,
  map_diff: MAP_DIFF_METHODS,
  list: LIST_METHODS,
  map: MAP_METHODS,
};

/**
 * `receiver.name(args)`.
 * @throws RulesError if the receiver's type has no such method, or the method does not take such arguments
 */
export function callMethod(receiver: RulesValue, name: string, args: readonly RulesValue[]): RulesValue {
  if (receiver === null) throw new RulesError("Null value error.");
  const type = typeOf(receiver);
  const operation = (METHODS[type] as Operations<RulesValue> | undefined)?.get(name);
  if (!operation) throw notFound(name);
  return apply(operation, `${type}.${name}`, receiver, args);
}
