import { action } from "../platform/endpoint.ts";
import { defineProduct } from "./catalog.ts";
import { DefinedProduct, DefineProduct, Synced, SyncRequest } from "./contract.ts";
import { sync } from "./sync.ts";

export const pay = {
  sync: action({ access: "user", input: SyncRequest, output: Synced, run: sync }),
};

export const admin = {
  define: action({ access: "admin", input: DefineProduct, output: DefinedProduct, run: defineProduct }),
};
