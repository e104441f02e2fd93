import { expect, test, vi } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { forgetAll } from "../platform/cache.ts";
import { parseInput } from "../platform/endpoint.ts";
import { log } from "../platform/log.ts";
import { seal, unseal } from "../platform/seal.ts";
import { keys } from "./endpoint.ts";

useBackend();

const version = (name: string) => `${name}:${Buffer.alloc(32, name).toString("base64")}`;

test("an operator, and nobody else, has users' keys wrapped anew, and the log says who it was", async () => {
  process.env.SEALING_KEYS = version("2025");
  const { uid } = someone();
  const sealed = await seal(uid, "here", "Ada");
  process.env.SEALING_KEYS = `${version("2026")},${version("2025")}`;
  const { access, input, output, run } = keys.rotate;
  expect(access).toBe("admin");
  const logged = vi.spyOn(log, "info");
  const result = output.parse(await run({ uid: "olga" }, parseInput(input, {})));
  expect(result).toEqual({ kek: "2026", rewrapped: 1, failed: 0, remaining: 0 });
  expect(logged).toHaveBeenCalledWith("keys rotated by hand", { by: "olga", ...(result as object) });
  logged.mockRestore();
  process.env.SEALING_KEYS = version("2026");
  forgetAll();
  expect(await unseal(uid, "here", sealed)).toBe("Ada");
});

test.each([
  ["limit", { limit: 501 }],
  ["limit", { limit: 0 }],
  ["cursor", { cursor: "ada" }],
])("a wrong %s is refused", (field, given) => {
  expect(() => parseInput(keys.rotate.input, given)).toThrow(
    expect.objectContaining({ details: { reason: "invalid-input", field } }),
  );
});
