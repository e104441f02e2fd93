import type { Modules } from "./platform/endpoint.ts";

/** Which modules each callable service carries; a module is loaded when the first of its actions is called. */
export const services = {
  /** What players call and that needs no vendor's secret. */
  api: {
    identity: async () => (await import("./identity/endpoint.ts")).api,
    notices: async () => (await import("./notices/endpoint.ts")).api,
    ledger: async () => (await import("./ledger/endpoint.ts")).api,
    rewards: async () => (await import("./rewards/endpoint.ts")).api,
    games: async () => (await import("./games/endpoint.ts")).api,
    leaderboards: async () => (await import("./leaderboards/endpoint.ts")).api,
    store: async () => (await import("./store/endpoint.ts")).api,
  },
  /** What players call and that talks to vendors. */
  pay: {
    store: async () => (await import("./store/endpoint.ts")).pay,
    payouts: async () => (await import("./payouts/endpoint.ts")).pay,
  },
  /** What operators call. */
  admin: {
    identity: async () => (await import("./identity/endpoint.ts")).admin,
    ledger: async () => (await import("./ledger/endpoint.ts")).admin,
    fraud: async () => (await import("./fraud/endpoint.ts")).admin,
    rewards: async () => (await import("./rewards/endpoint.ts")).admin,
    games: async () => (await import("./games/endpoint.ts")).admin,
    store: async () => (await import("./store/endpoint.ts")).admin,
    payouts: async () => (await import("./payouts/endpoint.ts")).admin,
    leaderboards: async () => (await import("./leaderboards/endpoint.ts")).admin,
    webhooks: async () => (await import("./admin/endpoint.ts")).admin,
    keys: async () => (await import("./admin/endpoint.ts")).keys,
    audit: async () => (await import("./admin/endpoint.ts")).audit,
  },
} as const satisfies Record<string, Modules>;
