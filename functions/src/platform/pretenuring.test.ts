import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { PRETENURING, withoutPretenuring } from "./pretenuring.ts";

test("V8 still knows the flag, and takes it while it runs", () => {
  const options = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
  expect(options).toContain(`--${PRETENURING} `);
  expect(withoutPretenuring).not.toThrow();
});
