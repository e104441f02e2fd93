import { expect, test } from "vitest";
import { timestamp } from "../platform/firestore.ts";
import { compact } from "./claims.ts";
import type { Entitlement } from "./records.ts";

const entitled = (name: string, expiresAt: number | null): [string, Entitlement] => [
  name,
  {
    grounds: {},
    expiresAt: expiresAt === null ? null : timestamp(expiresAt),
    willRenew: false,
    product: "pro",
    updatedAt: timestamp(0),
  },
];

test("claims name what may be used, and when the first of it ends", () => {
  expect(compact(["admin"], [entitled("pro", null), entitled("club", 5_000), entitled("vip", 9_000)])).toEqual({
    roles: ["admin"],
    entitlements: ["club", "pro", "vip"],
    until: 5,
  });
  expect(compact([], [])).toEqual({ roles: [], entitlements: [] });
});

test("claims are never longer than a token allows; what lasts longest stays", () => {
  const many = Array.from({ length: 60 }, (_, i) => entitled(`${"x".repeat(80)}${i}`, 1_000_000 - i));
  const claims = compact([], many);
  expect(Buffer.byteLength(JSON.stringify(claims))).toBeLessThanOrEqual(1_000);
  expect(claims.entitlements.length).toBeGreaterThan(5);
  expect(claims.entitlements).toContain(`${"x".repeat(80)}0`);
});
