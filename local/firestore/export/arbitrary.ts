import * as fc from "fast-check";
import { type Fields, GeoPoint, Reference, Timestamp, type Value, vector } from "../model/value.ts";

/** For tests: whatever documents can hold. */

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_MICROS = -62_135_596_800_000_000n;
const MAX_MICROS = 253_402_300_799_999_999n;

const anyTimestamp = fc.bigInt(MIN_MICROS, MAX_MICROS).map((micros) => {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return new Timestamp(Number((micros - rest) / 1_000_000n), Number(rest) * 1_000);
});

const anyId = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 5 }).filter((id) => isId(id)) },
  fc.bigInt(MIN_INT64, MAX_INT64).map((number) => `__id${number}__`),
);

function isId(id: string): boolean {
  return !id.includes("/") && id !== "." && id !== ".." && !/^__.*__$/s.test(id);
}

/** `users/ada/items/sword` */
export const anyPath = fc
  .array(fc.tuple(anyId, anyId), { minLength: 1, maxLength: 3 })
  .map((pairs) => pairs.flat().join("/"));

const anyReference = fc
  .tuple(fc.constantFrom("demo-test", "other", "example.com:old"), fc.constantFrom("(default)", "games"), anyPath)
  .map(([project, database, path]) => new Reference(`projects/${project}/databases/${database}/documents/${path}`));

const anyGeoPoint = fc
  .tuple(fc.double({ min: -90, max: 90, noNaN: true }), fc.double({ min: -180, max: 180, noNaN: true }))
  .map(([latitude, longitude]) => new GeoPoint(latitude, longitude));

const anyVector = fc.array(fc.double(), { minLength: 1, maxLength: 4 }).map(vector);

const anyName = fc.string({ unit: "binary", minLength: 1, maxLength: 4 }).filter((name) => !/^__.*__$/s.test(name));

const { fields } = fc.letrec<{ value: Value; element: Value; fields: Fields }>((tie) => ({
  element: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.bigInt(MIN_INT64, MAX_INT64),
    fc.double(),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.uint8Array({ maxLength: 8 }),
    anyTimestamp,
    anyReference,
    anyGeoPoint,
    tie("fields"),
  ),
  value: fc.oneof({ weight: 4, arbitrary: tie("element") }, anyVector, fc.array(tie("element"), { maxLength: 4 })),
  fields: fc.array(fc.tuple(anyName, tie("value")), { maxLength: 5 }).map((entries): Fields => new Map(entries)),
}));

export const anyFields: fc.Arbitrary<Fields> = fields;
