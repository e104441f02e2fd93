import * as z from "zod";

/** Parameters of addresses, as people type them. */

/** A flag that is there without a value is meant. */
export const Flag = z
  .enum(["", "true", "false", "1", "0"])
  .default("false")
  .transform((text) => text === "" || text === "true" || text === "1");

export const Natural = z.coerce.number().int().nonnegative();
