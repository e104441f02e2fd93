import { action } from "../platform/endpoint.ts";
import { Entitlements, EntitlementsRequest, Inventory, InventoryRequest } from "./contract.ts";
import { listEntitlements } from "./entitlements.ts";
import { listInventory } from "./inventory.ts";

export const api = {
  inventory: action({ access: "user", input: InventoryRequest, output: Inventory, run: listInventory }),
  entitlements: action({ access: "user", input: EntitlementsRequest, output: Entitlements, run: listEntitlements }),
};
