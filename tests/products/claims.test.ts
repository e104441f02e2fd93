import { beforeAll, expect, test, vi } from "vitest";
import { seed } from "../../scripts/seed.ts";
import { useBackend } from "../backend.ts";

const { connection, newcomer, simulate } = useBackend();

beforeAll(async () => {
  await seed(connection, await newcomer("Olga"));
});

/** What a user's custom claims are, as Firebase Auth has them. */
async function claimsOf(uid: string): Promise<unknown> {
  const url = `http://${connection.hosts.auth}/identitytoolkit.googleapis.com/v1/projects/${connection.project}/accounts:lookup`;
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: "Bearer owner", "content-type": "application/json" },
    body: JSON.stringify({ localId: [uid] }),
  });
  const { users } = (await response.json()) as { users?: { customAttributes?: string }[] };
  return JSON.parse(users?.[0]?.customAttributes ?? "{}");
}

test("a token says what its user may use, and no more once that has ended", async () => {
  const { uid } = await newcomer("Ada");
  await simulate("purchases", { customer: uid, product: "starter_pack", kind: "consumable", entitlements: ["no_ads"] });
  await vi.waitFor(async () => expect(await claimsOf(uid)).toEqual({ roles: [], entitlements: ["no_ads"] }), 20_000);
  await simulate("cancellations", { customer: uid, product: "starter_pack", refund: true });
  await vi.waitFor(async () => expect(await claimsOf(uid)).toEqual({ roles: [], entitlements: [] }), 20_000);
});
