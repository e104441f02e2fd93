import * as z from "zod";

/**
 * firestore.indexes.json, as `firebase deploy` takes it.
 * Source: https://firebase.google.com/docs/reference/firestore/indexes
 */

const QueryScope = z.enum(["COLLECTION", "COLLECTION_GROUP"]);
const Order = z.enum(["ASCENDING", "DESCENDING"]);
const Mode = { order: Order.optional(), arrayConfig: z.literal("CONTAINS").optional() };

const CompositeField = z.looseObject({ fieldPath: z.string().min(1), ...Mode });

const CompositeIndex = z.looseObject({
  collectionGroup: z.string().min(1),
  queryScope: QueryScope.default("COLLECTION"),
  fields: z.array(CompositeField).min(1).max(100),
});

const FieldIndex = z.looseObject({ queryScope: QueryScope.default("COLLECTION"), ...Mode });

const FieldOverride = z.looseObject({
  collectionGroup: z.string().min(1),
  /** `*`: of all fields that have no entry of their own. */
  fieldPath: z.string().min(1),
  ttl: z.boolean().optional(),
  /** All single-field indexes that the field has; without it those that every field has. */
  indexes: z.array(FieldIndex).max(100).optional(),
});

export const IndexesFile = z.looseObject({
  indexes: z.array(CompositeIndex).default([]),
  fieldOverrides: z.array(FieldOverride).default([]),
});

export type IndexesFile = z.output<typeof IndexesFile>;
export type QueryScope = z.output<typeof QueryScope>;
