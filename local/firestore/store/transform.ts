import { compareValues, equalValues } from "../model/order.ts";
import { isArray, isNumber, type Timestamp, type Value } from "../model/value.ts";
import type { FieldTransform } from "../wire/messages.ts";
import { invalidArgument } from "../wire/status.ts";

const REQUEST_TIME = 1;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** The new value of a field, and what the service answers for the transform. */
export interface Transformed {
  readonly value: Value;
  readonly result: Value;
}

/**
 * Applies one server-side transform to the value a field has (undefined: none).
 * Semantics: `DocumentTransform.FieldTransform` in `google/firestore/v1/write.proto`.
 */
export function applyTransform(transform: FieldTransform, current: Value | undefined, time: Timestamp): Transformed {
  if (transform.setToServerValue !== undefined) {
    if (transform.setToServerValue !== REQUEST_TIME) throw invalidArgument("Unknown server value in a transform.");
    return { value: time, result: time };
  }
  if (transform.increment !== undefined) return both(increment(current, operand(transform.increment, "increment")));
  if (transform.maximum !== undefined) return both(extreme(current, operand(transform.maximum, "maximum"), 1));
  if (transform.minimum !== undefined) return both(extreme(current, operand(transform.minimum, "minimum"), -1));
  if (transform.appendMissingElements) {
    return { value: append(current, transform.appendMissingElements.values ?? []), result: null };
  }
  if (transform.removeAllFromArray) {
    return { value: remove(current, transform.removeAllFromArray.values ?? []), result: null };
  }
  throw invalidArgument(`The transform of field "${transform.fieldPath}" has no operation.`);
}

function both(value: Value): Transformed {
  return { value, result: value };
}

function operand(value: Value, operation: string): bigint | number {
  if (!isNumber(value)) throw invalidArgument(`The operand of "${operation}" must be an integer or a double.`);
  return value;
}

/** Integers stop at the ends of the 64-bit range instead of wrapping round. */
function increment(current: Value | undefined, by: bigint | number): Value {
  if (!isNumber(current)) return by;
  if (typeof current === "bigint" && typeof by === "bigint") {
    const sum = current + by;
    return sum > MAX_INT64 ? MAX_INT64 : sum < MIN_INT64 ? MIN_INT64 : sum;
  }
  return Number(current) + Number(by);
}

/** The larger (sign 1) or smaller (sign −1) of both; of equals the one that is stored, and NaN beats every number. */
function extreme(current: Value | undefined, by: bigint | number, sign: 1 | -1): Value {
  if (!isNumber(current)) return by;
  if (Number.isNaN(current) || Number.isNaN(by)) return Number.NaN;
  return Math.sign(compareValues(by, current)) === sign ? by : current;
}

function append(current: Value | undefined, elements: readonly Value[]): Value {
  const array = isArray(current) ? [...current] : [];
  for (const element of elements) {
    if (!array.some((present) => equalValues(present, element))) array.push(element);
  }
  return array;
}

function remove(current: Value | undefined, elements: readonly Value[]): Value {
  if (!isArray(current)) return [];
  return current.filter((present) => !elements.some((element) => equalValues(present, element)));
}
