import { authorizationOf } from "./connection.ts";

/** What the load asks for. */
export interface BenchRequest {
  readonly data: object;
  readonly authorization: string;
  /** What is to be found in the books afterwards. */
  readonly amount: number;
}

interface Requests {
  readonly path: string;
  /** @param users how many there are @param key tells requests apart */
  next(users: number, key: string): BenchRequest;
}

export const OPERATOR = "olga";
export const CURRENCY = "COIN";
export const BOARD = "arcade";
/** Scores are below. */
export const MAX_SCORE = 1_000_000;
const NEIGHBOURS = 5;

const known = new Map<string, string>();

/** A token costs more to make than a request. */
function tokenOf(uid: string): string {
  const token = known.get(uid) ?? authorizationOf(uid);
  known.set(uid, token);
  return token;
}

/** One of the users, each as likely as the others. */
const someone = (users: number) => `user-${Math.floor(Math.random() * users)}`;

export type RequestKind = "credits" | "scores" | "pages" | "around" | "standing";

export const REQUESTS: Record<RequestKind, Requests> = {
  credits: {
    path: "/ledger/credit",
    next: (users, key) => {
      const amount = 1 + Math.floor(Math.random() * 9);
      const data = { key, user: someone(users), currency: CURRENCY, amount, note: "bench" };
      return { data, authorization: tokenOf(OPERATOR), amount };
    },
  },
  scores: {
    path: "/leaderboards/submit",
    next: (users, key) => {
      const score = Math.floor(Math.random() * MAX_SCORE);
      return { data: { board: BOARD, score, attempt: key }, authorization: tokenOf(someone(users)), amount: 0 };
    },
  },
  pages: {
    path: "/leaderboards/page",
    next: (users) => ({
      data: { board: BOARD, period: "allTime" },
      authorization: tokenOf(someone(users)),
      amount: 0,
    }),
  },
  around: standingWith(NEIGHBOURS),
  standing: standingWith(0),
};

/** The caller's rank, among how many and better than how many, with so many neighbours on each side. */
function standingWith(neighbours: number): Requests {
  return {
    path: "/leaderboards/standing",
    next: (users) => ({
      data: { board: BOARD, period: "allTime", neighbours },
      authorization: tokenOf(someone(users)),
      amount: 0,
    }),
  };
}
