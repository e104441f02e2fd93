import type { CallableRequest } from "firebase-functions/v2/https";
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { useBackend } from "../../testing/backend.ts";
import { action, service } from "./endpoint.ts";
import { Failure } from "./failure.ts";
import { firestore } from "./firestore.ts";
import { ready } from "./ready.ts";

useBackend();

const echo = action({
  access: "user",
  input: z.object({ text: z.string().max(5), many: z.array(z.object({ n: z.int() })).default([]) }),
  output: z.object({ uid: z.string(), text: z.string(), name: z.string().optional() }),
  run: async (caller, { text }) => ({ ...caller, text }),
});
const refuse = action({
  access: "user",
  input: z.object({}),
  output: z.object({}),
  run: async () => {
    throw new Failure("failed-precondition", "Not enough.", { reason: "insufficient-funds", currency: "COIN" });
  },
});
const broken = action({
  access: "user",
  input: z.object({}),
  output: z.object({}),
  run: async () => {
    throw new Error("the password of the database is hunter2");
  },
});
const Page = z.object({ rows: z.array(z.int()) });
const show = action({
  access: "user",
  input: z.object({}),
  output: Page,
  run: async () => ready(Page, { rows: [1, 2], secret: "hunter2" } as z.input<typeof Page>),
});
const govern = action({ access: "admin", input: z.object({}), output: z.object({}), run: async () => ({}) });
const things = service("api", { things: async () => ({ echo, refuse, broken, show, govern }) }, {});

/** Calls an action as the functions framework does when it has checked the caller's token. */
async function call(path: string, data: unknown, uid: string | undefined = "ada", token: object = {}) {
  const request = { data, rawRequest: { path }, ...(uid === undefined ? {} : { auth: { uid, token } }) };
  return await things.run(request as unknown as CallableRequest<unknown>);
}

afterEach(() => {
  process.env.ENFORCE_APP_CHECK = "false";
});

describe("a call", () => {
  test("reaches the action at its path, with or without the service's name before it", async () => {
    for (const path of ["/things/echo", "/api/things/echo"]) {
      expect(await call(path, { text: "hi" }, "ada", { name: "Ada", picture: 7 })).toEqual({
        uid: "ada",
        name: "Ada",
        text: "hi",
      });
    }
  });

  test("may be answered with what was made ready, and checked, before", async () => {
    expect(await call("/things/show", {})).toEqual({ rows: [1, 2] });
    expect(() => ready(Page, { rows: [1.5] })).toThrow("int");
  });

  test.each(["/", "/things", "/things/nothing", "/things/echo/more/of", "/toString/call", "/things/toString"])(
    "of %s finds no action",
    async (path) => {
      await expect(call(path, {})).rejects.toMatchObject({ code: "not-found", details: { reason: "unknown-action" } });
    },
  );

  test("with input that does not fit its contract is told where", async () => {
    await expect(call("/things/echo", { text: "too long" })).rejects.toMatchObject({
      code: "invalid-argument",
      details: { reason: "invalid-input", field: "text" },
    });
    await expect(call("/things/echo", { text: "x", many: [{ n: 1 }, { n: "2" }] })).rejects.toMatchObject({
      details: { field: "many[1].n" },
    });
    await expect(call("/things/echo", null)).rejects.toMatchObject({ details: { field: "text" } });
  });

  test("that is refused carries the failure; one that breaks tells nothing of why", async () => {
    await expect(call("/things/refuse", {})).rejects.toMatchObject({
      code: "failed-precondition",
      message: "Not enough.",
      details: { reason: "insufficient-funds", currency: "COIN" },
    });
    const error: unknown = await call("/things/broken", {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "internal", details: { reason: "internal" } });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });
});

describe("a caller", () => {
  test("who is not signed in is unauthenticated", async () => {
    await expect(
      things.run({ data: {}, rawRequest: { path: "/things/echo" } } as unknown as CallableRequest<unknown>),
    ).rejects.toMatchObject({ code: "unauthenticated", details: { reason: "not-signed-in" } });
  });

  test.each(["system", "system:mint", "a/b", "__ada__"])("whose id is %j is nobody here", async (uid) => {
    await expect(call("/things/echo", { text: "hi" }, uid)).rejects.toMatchObject({
      code: "failed-precondition",
      details: { reason: "unsupported-uid" },
    });
  });

  test("may do what operators do only with a record in admins/", async () => {
    await expect(call("/things/govern", {}, "olga")).rejects.toMatchObject({
      code: "permission-denied",
      details: { reason: "not-an-admin" },
    });
    await firestore().doc("admins/olga").set({ name: "Olga" });
    expect(await call("/things/govern", {}, "olga")).toEqual({});
  });

  test("whose app App Check does not vouch for is refused where the project asks for it", async () => {
    process.env.ENFORCE_APP_CHECK = "true";
    await expect(call("/things/echo", { text: "hi" })).rejects.toMatchObject({
      code: "unauthenticated",
      details: { reason: "app-check-missing" },
    });
  });
});
