import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DATABASE, useServer } from "../harness.ts";
import { RawClient } from "./raw-client.ts";

const harness = useServer();
const client = new RawClient(harness);

describe("whatever is sent to a channel", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("-1", "0", "1", "8", "rpc", "1e9", "9".repeat(30), "%", "xmlhttp", "terminate", "undefined"),
  );
  const name = fc.constantFrom(
    "VER",
    "RID",
    "SID",
    "AID",
    "CI",
    "TYPE",
    "TO",
    "X-HTTP-Session-Id",
    "$httpHeaders",
    "$req",
    "zx",
  );
  const bodies = fc.oneof(
    fc.string(),
    fc
      .dictionary(
        fc.constantFrom(
          "count",
          "ofs",
          "headers",
          "req0___data__",
          "req1___data__",
          "req9999___data__",
          "req-1___data__",
        ),
        fc.oneof(text, fc.json()),
      )
      .map((fields) => new URLSearchParams(fields).toString()),
  );

  test("what is malformed is refused with 400, and hurts nobody", async () => {
    const bystander = await client.open("Write", [{ database: DATABASE }]);
    const malformed = fc.record({
      verb: fc.constantFrom("GET", "POST", "PUT", "DELETE"),
      stream: fc.constantFrom("Listen", "Write"),
      parameters: fc.dictionary(name, text).map((all) => ({ VER: "8", RID: "1", ...all })),
      body: bodies,
    });
    await fc.assert(
      fc.asyncProperty(malformed, async ({ verb, stream, parameters, body }) => {
        const init = verb === "GET" ? { method: verb } : { method: verb, body };
        const answer = await fetch(client.address(stream, parameters), init);
        await answer.body?.cancel();
        // What is no nonsense opens a channel of its own.
        expect(answer.status).toBe(isOpening(verb, parameters, body) ? 200 : 400);
      }),
      { numRuns: 400 },
    );
    expect(harness.reports).toEqual([]);
    expect(await client.untilTold(bystander, "streamId", "Write")).toBeDefined();
  });

  test("nonsense about a channel that is there is refused or taken, and no more", async () => {
    const id = await client.open("Write", [{ database: DATABASE }]);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, text), bodies, fc.boolean(), async (more, body, isPost) => {
        const parameters = { VER: "8", RID: isPost ? "2" : "rpc", ...more, SID: id };
        const answer = await fetch(client.address("Write", parameters), isPost ? { method: "POST", body } : {});
        await answer.body?.cancel();
        expect([200, 400]).toContain(answer.status);
      }),
      { numRuns: 300 },
    );
    expect((await client.request("Strange", { RID: "1" })).status).toBe(404);
    expect(harness.reports).toEqual([]);
  });

  test("messages that are none end the stream with a reason of the client's", async () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constantFrom(DATABASE, `${DATABASE}/documents`, `${DATABASE}/documents/a/b`),
    );
    const { message } = fc.letrec((tie) => ({
      message: fc.dictionary(
        fc.constantFrom(
          "database",
          "addTarget",
          "removeTarget",
          "targetId",
          "query",
          "parent",
          "structuredQuery",
          "from",
          "documents",
          "writes",
          "update",
          "name",
          "fields",
          "resumeToken",
          "limit",
          "where",
          "labels",
        ),
        fc.oneof({ depthSize: "small" }, leaf, tie("message"), fc.array(tie("message"), { maxLength: 2 })),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("Listen", "Write"), fc.oneof(message, fc.jsonValue()), async (stream, one) => {
        const id = await client.open(stream, [one]);
        await client.request(stream, { RID: "9", SID: id, TYPE: "terminate" });
      }),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (one) => {
        const id = await client.open("Listen", [{ database: DATABASE, addTarget: one, strange: true }]);
        expect(await client.untilTold(id, "error")).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
      }),
      { numRuns: 30 },
    );
    expect(harness.reports).toEqual([]);
  });
});

const WHOLE = /^\d{1,15}$/;

/** Whether a request opens a channel by the rules of the protocol. */
function isOpening(verb: string, parameters: Record<string, string>, body: string): boolean {
  const { VER = "", RID = "", AID = "0", CI = "0", TYPE = "init", TO = "0", SID } = parameters;
  const isAddressed = verb === "POST" && VER === "8" && WHOLE.test(RID) && SID === undefined;
  const isPlain = /^(-1|\d{1,15})$/.test(AID) && /^[01]$/.test(CI) && /^(init|xmlhttp)$/.test(TYPE) && WHOLE.test(TO);
  return isAddressed && isPlain && isWhole(new URLSearchParams(body));
}

function isWhole(body: URLSearchParams): boolean {
  const { count = "", ofs = "0" } = Object.fromEntries(body);
  const messages = [...body].filter(([key]) => /^req\d{1,4}___data__$/.test(key));
  return (
    WHOLE.test(count) &&
    WHOLE.test(ofs) &&
    Number(count) === messages.length &&
    messages.every(([key, value]) => Number(ofs) + Number(key.slice(3, -9)) < 1_000 && isJson(value))
  );
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
