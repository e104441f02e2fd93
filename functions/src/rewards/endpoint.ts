import { action } from "../platform/endpoint.ts";
import { consume } from "./consume.ts";
import {
  Acted,
  ConsumeRequest,
  CraftRequest,
  Defined,
  DefineItem,
  DefineRecipe,
  DefineTable,
  Entitlements,
  EntitlementsRequest,
  ExchangeRequest,
  GrantRequest,
  Inventory,
  InventoryRequest,
  Odds,
  OddsRequest,
  Taken,
  TakeRequest,
} from "./contract.ts";
import { craft, exchange } from "./craft.ts";
import { defineItem, defineRecipe, defineTable } from "./define.ts";
import { listEntitlements } from "./entitlements.ts";
import { listInventory } from "./inventory.ts";
import { odds } from "./odds.ts";
import { grantByHand, takeByHand } from "./operate.ts";

export const api = {
  inventory: action({ access: "user", input: InventoryRequest, output: Inventory, run: listInventory }),
  entitlements: action({ access: "user", input: EntitlementsRequest, output: Entitlements, run: listEntitlements }),
  consume: action({ access: "user", input: ConsumeRequest, output: Acted, run: consume }),
  craft: action({ access: "user", input: CraftRequest, output: Acted, run: craft }),
  exchange: action({ access: "user", input: ExchangeRequest, output: Acted, run: exchange }),
  odds: action({ access: "user", input: OddsRequest, output: Odds, run: odds }),
};

export const admin = {
  defineItem: action({ access: "admin", input: DefineItem, output: Defined, run: defineItem }),
  defineTable: action({ access: "admin", input: DefineTable, output: Defined, run: defineTable }),
  defineRecipe: action({ access: "admin", input: DefineRecipe, output: Defined, run: defineRecipe }),
  grant: action({ access: "admin", input: GrantRequest, output: Acted, run: grantByHand }),
  take: action({ access: "admin", input: TakeRequest, output: Taken, run: takeByHand }),
};
