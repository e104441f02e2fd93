import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { HttpsError } from "firebase-functions/v2/https";
import * as z from "zod";
import { cached } from "../platform/cache.ts";
import { now } from "../platform/clock.ts";
import { parseInput } from "../platform/endpoint.ts";
import { busy, Failure, invalidInput } from "../platform/failure.ts";
import { log } from "../platform/log.ts";
import { Representation } from "../platform/representation.ts";
import { boardOf } from "./board.ts";
import { PageRequest } from "./contract.ts";
import { isOver } from "./kept.ts";
import { type Period, seasonNamed } from "./periods.ts";
import { nameOf } from "./place.ts";
import { SeasonPage, SeasonRequest } from "./seasons/contract.ts";
import { season } from "./seasons/history.ts";
import type { Board } from "./settings.ts";
import { shownPage } from "./shown.ts";
import { type View, viewOf } from "./view.ts";

/**
 * Boards for everybody, signed in or not: `GET /{board}/{period}?scope=country:DE&cursor=…` is answered with the page as JSON, and
 * `GET /{board}/{period}/{season}?page=1` with a page of a season that is closed, to be kept by browsers and a CDN for as long as it says. Only boards with `isPublic` are there. Errors are `{"error": {"reason": …, "message": …}}`.
 */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: unknown;
  readonly headers: IncomingHttpHeaders;
}

/** What of the address is not the path. Anything else is refused, so that a CDN does not keep a page under many addresses. */
const Query = z.strictObject({ scope: z.string().max(140).optional(), cursor: z.string().max(600).optional() });

const ClosedQuery = z.strictObject({ page: z.coerce.number().optional() });

const FUNCTION_NAME = "boards";
const MINUTE = 60;
const DAY = 86_400;
/** For how long a CDN answers by itself, in seconds. */
const SHARED_SECONDS: Record<Period, number> = {
  daily: MINUTE,
  custom: MINUTE,
  rolling: MINUTE,
  weekly: 5 * MINUTE,
  monthly: 5 * MINUTE,
  allTime: 5 * MINUTE,
};
const BROWSER_SECONDS = 10;
/**
 * What is over changes only with how its players are shown. Whoever is erased is to be gone within the hour, though a CDN kept the page just
 * before, and then a browser that does not ask how old it was there; rows of a season that is not closed yet may be 11 minutes old (`kept.ts`), a page that is kept one.
 */
const FOR_LONG = `public, max-age=${10 * MINUTE}, s-maxage=${30 * MINUTE}`;
const SHORTLY = `public, max-age=${BROWSER_SECONDS}`;
const NOBODY = { uid: "" };
/** For how long an instance answers by itself. */
const FRESH = { processSeconds: 10, staleSeconds: 10 };
/** A page that nobody has asked for costs up to a hundred reads, and anybody may ask for any: an instance makes so many a second for strangers. */
const MAX_MADE_PER_SECOND = 10;
const Shape = z.instanceof(Representation);
const ClosedPage = z.object({ body: Shape, cacheControl: z.string(), byteLength: z.int() });

/** Answers a request for a board. Never fails. */
export async function servePublic(asked: Asked, response: ServerResponse): Promise<void> {
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("x-content-type-options", "nosniff");
  if (asked.method === "OPTIONS") return answerPreflight(response);
  if (asked.method !== "GET" && asked.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD, OPTIONS");
    return answerError(response, 405, { reason: "method-not-allowed", message: "Boards are read with GET." });
  }
  try {
    await answer(asked, response, await pageOf(asked));
  } catch (error) {
    refuse(error, asked.path, response);
  }
}

/** @param path as `/arcade/daily` or `/arcade/daily/2026-11-20`; with the function's name before it behind a Hosting rewrite */
async function pageOf({ path, query }: Asked): Promise<PublicPage> {
  const segments = path.split("/").filter((segment) => segment !== "");
  if (segments.length > 2 && segments[0] === FUNCTION_NAME) segments.shift();
  const [board, period, season, ...rest] = segments;
  if (rest.length > 0 || period === undefined) throw invalidInput("path", "The path is /{board}/{period}.");
  if (season !== undefined) {
    const { page } = parseInput(ClosedQuery, query);
    return await closedPage(
      parseInput(SeasonRequest, { board, period, season, ...(page === undefined ? {} : { page }) }),
    );
  }
  const { scope, cursor } = parseInput(Query, query);
  const request = {
    board,
    period,
    ...(scope === undefined ? {} : { scope: scopeNamed(scope) }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return await publicPage(parseInput(PageRequest, request));
}

function scopeNamed(name: string): object {
  const [kind = "", ...id] = name.split(":");
  return id.length > 0 ? { kind, id: id.join(":") } : { kind };
}

interface PublicPage {
  readonly body: Representation;
  readonly cacheControl: string;
}

async function publicPage(request: z.output<typeof PageRequest>): Promise<PublicPage> {
  const view = await viewOf(request);
  // That there is one is nobody's business.
  if (!view.board.isPublic)
    throw new Failure("not-found", "There is no such leaderboard.", { reason: "unknown-board" });
  const { board, period, scope, cursor = "" } = request;
  const key = ["publicPage", board, period, view.season.key, nameOf(scope), cursor].join(":");
  const body = await cached(key, FRESH, Shape, async () => {
    countMade();
    const page = await shownPage(NOBODY, request);
    return new Representation(Buffer.from(page.json));
  });
  if (!body) throw new Error("a page was made and is not there");
  return { body, cacheControl: cacheControlOf(view, cursor) };
}

/** A page of a season as it was in the end. A season that is not closed, or a page that it has not got, has no rows, and is soon asked for again. */
async function closedPage(request: z.output<typeof SeasonRequest>): Promise<PublicPage> {
  const { board, period, season: name, page } = request;
  checkPublic(await boardOf(board));
  const key = ["publicSeason", board, period, name, page].join(":");
  const closed = await cached(key, FRESH, ClosedPage, async () => {
    countMade();
    const found = SeasonPage.parse(await season(NOBODY, request));
    const body = new Representation(Buffer.from(JSON.stringify({ season: name, ...found })));
    return { body, cacheControl: found.rows.length === 0 ? SHORTLY : FOR_LONG, byteLength: body.byteLength };
  });
  if (!closed) throw new Error("a page was made and is not there");
  return closed;
}

/** That there is one is nobody's business. */
function checkPublic({ isPublic }: Board): void {
  if (!isPublic) throw new Failure("not-found", "There is no such leaderboard.", { reason: "unknown-board" });
}

/** A cursor names the season that it goes on in, which may be over. */
function cacheControlOf(view: View, cursor: string): string {
  const named = cursor === "" ? undefined : seasonOfCursor(cursor);
  const season = named === undefined ? view.season : seasonNamed(view.period, named, { ...view.board, near: now() });
  if (season && isOver({ board: view.board, season })) return FOR_LONG;
  const left = Math.max(1, Math.floor((view.season.endsAt - now()) / 1_000));
  const shared = Math.min(SHARED_SECONDS[view.period], left);
  const browser = Math.min(BROWSER_SECONDS, left);
  return `public, max-age=${browser}, s-maxage=${shared}, stale-while-revalidate=${shared}`;
}

/** Of a cursor with which a page was found. */
function seasonOfCursor(cursor: string): string {
  const { season } = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as { season: string };
  return season;
}

let made = { second: 0, pages: 0 };

function countMade(): void {
  const second = Math.floor(performance.now() / 1_000);
  if (made.second !== second) made = { second, pages: 0 };
  if (++made.pages > MAX_MADE_PER_SECOND) throw busy("Too many pages are asked for; ask again in a second.");
}

/** Lets strangers turn pages again, as a new instance. For tests. */
export function forgetMade(): void {
  made = { second: 0, pages: 0 };
}

async function answer(asked: Asked, response: ServerResponse, { body, cacheControl }: PublicPage): Promise<void> {
  const encoding = body.encodingFor(first(asked.headers["accept-encoding"]));
  const headers = {
    "cache-control": cacheControl,
    etag: body.etag,
    vary: "Accept-Encoding",
    "access-control-expose-headers": "ETag",
  };
  if (body.isKnown(first(asked.headers["if-none-match"]))) {
    response.writeHead(304, headers).end();
    return;
  }
  const bytes = await body.encoded(encoding);
  response.writeHead(200, {
    ...headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": bytes.length,
    ...(encoding === "identity" ? {} : { "content-encoding": encoding }),
  });
  response.end(asked.method === "HEAD" ? undefined : bytes);
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Browsers ask before they send If-None-Match to another origin. */
function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    "access-control-allow-methods": "GET, HEAD",
    "access-control-allow-headers": "If-None-Match",
    "access-control-max-age": String(DAY),
  });
  response.end();
}

function refuse(error: unknown, path: string, response: ServerResponse): void {
  if (!(error instanceof Failure)) {
    log.error("board not shown", error, { path });
    return answerError(response, 500, { reason: "internal", message: "Something went wrong on our side." });
  }
  const { status } = new HttpsError(error.code, error.message).httpErrorCode;
  if (error.reason === "busy") response.setHeader("retry-after", 1);
  answerError(response, status, { message: error.message, ...error.details });
}

/** What is wrong with an address is kept for a moment, too; what is wrong with us is not. */
function answerError(response: ServerResponse, status: number, error: object): void {
  const body = Buffer.from(JSON.stringify({ error }));
  response.writeHead(status, {
    "cache-control": status < 500 ? SHORTLY : "no-store",
    "content-type": "application/json; charset=utf-8",
    "content-length": body.length,
  });
  response.end(body);
}
