import { action } from "../platform/endpoint.ts";
import { defineProduct } from "./catalog.ts";
import {
  DefinedProduct,
  DefineProduct,
  Entitlements,
  EntitlementsRequest,
  Inventory,
  InventoryRequest,
  Synced,
  SyncRequest,
} from "./contract.ts";
import { listEntitlements } from "./entitlements.ts";
import { listInventory } from "./inventory.ts";
import { sync } from "./sync.ts";

export const api = {
  inventory: action({ access: "user", input: InventoryRequest, output: Inventory, run: listInventory }),
  entitlements: action({ access: "user", input: EntitlementsRequest, output: Entitlements, run: listEntitlements }),
};

export const pay = {
  sync: action({ access: "user", input: SyncRequest, output: Synced, run: sync }),
};

export const admin = {
  define: action({ access: "admin", input: DefineProduct, output: DefinedProduct, run: defineProduct }),
};
