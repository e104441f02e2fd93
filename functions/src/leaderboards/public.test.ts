import { randomUUID } from "node:crypto";
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type * as z from "zod";
import { someone, useBackend } from "../../testing/backend.ts";
import { forgetAll } from "../platform/cache.ts";
import { setClock } from "../platform/clock.ts";
import { Page, type Row, SubmitRequest } from "./contract.ts";
import { forgetMade, servePublic } from "./public.ts";
import { boards } from "./records.ts";
import { pages } from "./seasons/records.ts";
import { Board, type BoardSettings } from "./settings.ts";
import { submit } from "./submit.ts";

const backend = useBackend();
const NOON = Date.parse("2026-11-20T12:00:00Z");
let time = NOON;
let restore = () => {};

/** As the functions framework hands requests on. */
const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  const query: Record<string, unknown> = {};
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name);
    query[name] = values.length > 1 ? values : values[0];
  }
  void servePublic({ method: request.method ?? "", path: url.pathname, query, headers: request.headers }, response);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  time = NOON;
  restore = setClock(() => time);
  forgetMade();
});
afterEach(() => restore());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  json(): Record<string, unknown>;
}

/** Asks without a client that decompresses or adds headers of its own. */
async function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  return await new Promise((resolve, reject) => {
    const request = send({ host: "127.0.0.1", port, path, method, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const json = () => JSON.parse(body.toString()) as Record<string, unknown>;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body, json });
    });
    request.on("error", reject).end();
  });
}

async function newBoard(settings: Partial<z.input<typeof BoardSettings>> = {}, players = 0): Promise<string> {
  const board = `board-${randomUUID()}`;
  const given = { title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000_000, isPublic: true };
  await boards()
    .doc(board)
    .set(Board.parse({ ...given, ...settings }));
  const everybody = Array.from({ length: players }, (_, i) => someone(`Player ${i}`));
  await Promise.all(
    everybody.map((player, i) => submit(player, SubmitRequest.parse({ board, score: i, attempt: randomUUID() }))),
  );
  return board;
}

describe("a public board", () => {
  test("is read by anybody, from any page of the web, under a Hosting rewrite too", async () => {
    const board = await newBoard({}, 3);
    for (const path of [`/${board}/daily`, `/boards/${board}/daily`, `/${board}/daily?scope=global`]) {
      const { status, headers, json } = await ask(path, { origin: "https://blog.example.com" });
      expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
      expect(headers["access-control-allow-origin"]).toBe("*");
      const page = Page.parse(json());
      expect(page.rows.map(({ rank, name }) => [rank, name])).toEqual([
        [1, "Player 2"],
        [2, "Player 1"],
        [3, "Player 0"],
      ]);
    }
  });

  test("is turned page by page", async () => {
    const board = await newBoard({ pageSize: 2 }, 3);
    const { nextCursor } = Page.parse((await ask(`/${board}/daily`)).json());
    const next = Page.parse((await ask(`/${board}/daily?cursor=${nextCursor}`)).json());
    expect(next.rows.map(({ rank }) => rank)).toEqual([3]);
  });

  test("is kept by a CDN for as long as its period allows, but not past the season's end", async () => {
    const board = await newBoard();
    const kept = async (period: string) => (await ask(`/${board}/${period}`)).headers["cache-control"];
    expect(await kept("daily")).toBe("public, max-age=10, s-maxage=60, stale-while-revalidate=60");
    expect(await kept("weekly")).toBe("public, max-age=10, s-maxage=300, stale-while-revalidate=300");
    expect(await kept("allTime")).toBe("public, max-age=10, s-maxage=300, stale-while-revalidate=300");
    time = Date.parse("2026-11-20T23:59:55Z");
    expect(await kept("daily")).toBe("public, max-age=5, s-maxage=5, stale-while-revalidate=5");
  });

  test("of a season that is over is kept by a CDN for half an hour and ten minutes more by browsers", async () => {
    const board = await newBoard({ pageSize: 2 }, 3);
    const { nextCursor } = Page.parse((await ask(`/${board}/daily`)).json());
    time = Date.parse("2026-11-21T00:00:01Z");
    const { headers, json } = await ask(`/${board}/daily?cursor=${nextCursor}`);
    expect(headers["cache-control"]).toBe("public, max-age=600, s-maxage=1800");
    expect(json()).toMatchObject({ season: "2026-11-20", rows: [{ rank: 3 }] });
    expect((await ask(`/${board}/daily`)).headers["cache-control"]).toContain("s-maxage=60");
  });

  test("shows seasons that are closed, page by page, for as long; before that nothing, and not for long", async () => {
    const board = await newBoard();
    const address = `/${board}/daily/2026-11-20`;
    const before = await ask(address);
    expect([before.headers["cache-control"], before.json()]).toEqual([
      "public, max-age=10",
      { season: "2026-11-20", rows: [] },
    ]);
    const rows = [{ rank: 1, player: "ada", name: "Ada", score: 10, at: NOON }];
    await pages(board, "daily-2026-11-20").doc("0").set({ rows, isLast: false });
    await pages(board, "daily-2026-11-20")
      .doc("1")
      .set({ rows: [{ ...rows[0], rank: 101 } as Row], isLast: true });
    forgetAll();
    const first = await ask(address);
    expect(first.headers["cache-control"]).toBe("public, max-age=600, s-maxage=1800");
    expect(first.json()).toEqual({ season: "2026-11-20", rows, nextPage: 1 });
    const last = await ask(`/boards${address}?page=1`);
    expect(last.json()).toMatchObject({ rows: [{ rank: 101 }] });
    expect(last.json()).not.toHaveProperty("nextPage");
    const secret = await newBoard({ isPublic: false });
    expect((await ask(`/${secret}/daily/2026-11-20`)).status).toBe(404);
    for (const wrong of [
      `${address}?page=-1`,
      `${address}?page=x`,
      `${address}?scope=global`,
      `${address}.json`,
      `${address}/1`,
    ])
      expect([wrong, (await ask(wrong)).status]).toEqual([wrong, 400]);
  });

  test("is not sent again to who has it", async () => {
    const board = await newBoard({}, 1);
    const { headers } = await ask(`/${board}/daily`);
    const etag = String(headers["etag"]);
    const again = await ask(`/${board}/daily`, { "if-none-match": etag });
    expect([again.status, again.body.length, again.headers["etag"]]).toEqual([304, 0, etag]);
    expect(again.headers["cache-control"]).toBe(headers["cache-control"]);
    expect((await ask(`/${board}/daily`, { "if-none-match": '"another"' })).status).toBe(200);
  });

  test("is compressed as the reader likes it", async () => {
    const board = await newBoard({}, 30);
    const plain = await ask(`/${board}/daily`);
    const brotli = await ask(`/${board}/daily`, { "accept-encoding": "gzip, br" });
    const zipped = await ask(`/${board}/daily`, { "accept-encoding": "gzip" });
    expect([plain, brotli, zipped].map(({ headers }) => headers["content-encoding"])).toEqual([
      undefined,
      "br",
      "gzip",
    ]);
    expect(brotliDecompressSync(brotli.body)).toEqual(plain.body);
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
    expect(brotli.headers["vary"]).toBe("Accept-Encoding");
    expect(brotli.body.length).toBeLessThan(plain.body.length / 2);
  });

  test("tells its headers alone to HEAD, and what may be asked to a browser that asks first", async () => {
    const board = await newBoard({}, 2);
    const [get, head] = [await ask(`/${board}/daily`), await ask(`/${board}/daily`, {}, "HEAD")];
    expect(head.body.length).toBe(0);
    expect(head.headers["content-length"]).toBe(String(get.body.length));
    const preflight = await ask(`/${board}/daily`, { origin: "https://blog.example.com" }, "OPTIONS");
    expect([preflight.status, preflight.headers["access-control-allow-methods"]]).toEqual([204, "GET, HEAD"]);
  });

  test("costs a read for each row once, and nothing for those who come after", async () => {
    const board = await newBoard({}, 5);
    forgetAll();
    const first = await backend.billed(() => ask(`/${board}/daily`));
    expect(first.bill).toEqual({ reads: 1 + 5, writes: 0, deletes: 0 });
    const others = await backend.billed(() => Promise.all(Array.from({ length: 20 }, () => ask(`/${board}/daily`))));
    expect(others.bill).toEqual({ reads: 0, writes: 0, deletes: 0 });
  });
});

describe("refused with a reason is", () => {
  const refused = async (path: string, method = "GET") => {
    const { status, json, headers } = await ask(path, {}, method);
    expect(headers["access-control-allow-origin"]).toBe("*");
    return [status, (json()["error"] as { reason: string }).reason];
  };

  test("a board that is not public, as one that is not there", async () => {
    const board = await newBoard({ isPublic: false });
    const secret = await ask(`/${board}/daily`);
    const missing = await ask(`/missing/daily`);
    expect([secret.status, missing.status]).toEqual([404, 404]);
    for (const { json } of [secret, missing]) expect(json()).toMatchObject({ error: { reason: "unknown-board" } });
  });

  test("what is not a board's address", async () => {
    const board = await newBoard({ periods: ["daily"] });
    expect(await refused(`/${board}/weekly`)).toEqual([404, "unknown-period"]);
    expect(await refused(`/${board}/daily?scope=country:DE`)).toEqual([404, "unknown-scope"]);
    for (const path of [
      "/",
      `/${board}`,
      `/${board}/daily/2026-11-20/2`,
      `/${board}/hourly`,
      `/a.b/daily`,
      `/${board}/daily?scope=planet:3`,
      `/${board}/daily?scope=country:Germany`,
      `/${board}/daily?cursor=nonsense`,
      `/${board}/daily?cursor=a&cursor=b`,
      `/${board}/daily?utm_source=x`,
    ])
      expect([path, ...(await refused(path))]).toEqual([path, 400, "invalid-input"]);
  });

  test("whoever wants to write", async () => {
    const board = await newBoard();
    expect(await refused(`/${board}/daily`, "POST")).toEqual([405, "method-not-allowed"]);
  });

  test("who turns more pages than strangers may, until a second has passed", async () => {
    const board = await newBoard({ pageSize: 1 }, 30);
    const [cursors, statuses]: [string[], number[]] = [[], []];
    let cursor = "";
    for (let i = 0; i < 29; i++) {
      const { shownPage } = await import("./shown.ts");
      const found = (
        await shownPage(someone(), { board, period: "daily", scope: { kind: "global" }, ...(cursor ? { cursor } : {}) })
      ).value() as Page;
      cursor = found.nextCursor ?? "";
      cursors.push(cursor);
    }
    for (const { status } of await Promise.all(cursors.map((one) => ask(`/${board}/daily?cursor=${one}`))))
      statuses.push(status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(20);
  });
});
