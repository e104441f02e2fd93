import { secretSeed } from "../ledger/index.ts";
import { now } from "../platform/clock.ts";
import { timestamp } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import type { Item, Property, PropertyRule } from "./definitions.ts";
import { fallsOn, type Lots, lotsOf, weightOf } from "./random.ts";
import type { Instance, InventoryItem } from "./records.ts";

/** No id of an item has one, so that no stack and no unique item are ever the same document. */
const SEPARATOR = ":";

/** The id of the n-th unique item that a change gives: the same however often it is tried. */
export function instanceId(item: string, key: string, position: number): string {
  return `${item}${SEPARATOR}${deterministicId("instance", key, item, String(position))}`;
}

/** The item that an instance is one of; of an id that names none, the id itself. */
export function itemOfInstance(id: string): string {
  return id.split(SEPARATOR, 1)[0] ?? id;
}

/** A new unique item, with the properties that its definition draws by lot from its id. */
export function newInstance(
  id: string,
  { item, definition, acquiredFrom }: { item: string; definition: Item; acquiredFrom: string },
): Instance {
  const expiresAt = expiryOf(definition);
  return {
    item,
    properties: propertiesOf(id, definition),
    acquiredFrom,
    acquiredAt: timestamp(),
    state: "owned",
    ...(expiresAt === undefined ? {} : { expiresAt: timestamp(expiresAt) }),
  };
}

/** When an item that is given now expires, in milliseconds since the epoch; undefined: never. */
export function expiryOf(definition: Item | undefined): number | undefined {
  return definition?.durationSeconds === undefined ? undefined : now() + definition.durationSeconds * 1_000;
}

export function isInstance(one: InventoryItem): one is Instance {
  return "item" in one;
}

/** Whether somebody has it: not taken back, not expired. */
export function isOwned({ state, expiresAt }: Instance): boolean {
  return state === "owned" && (expiresAt === undefined || expiresAt.toMillis() > now());
}

function propertiesOf(id: string, { properties = {} }: Item): Record<string, Property> {
  const rules = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
  const lots = lotsOf(rules.length > 0 ? secretSeed("instance", id) : "");
  return Object.fromEntries(rules.map(([name, rule]) => [name, propertyOf(rule, lots)]));
}

function propertyOf(rule: PropertyRule, lots: Lots): Property {
  if (typeof rule !== "object") return rule;
  if ("min" in rule) return rule.min + lots(rule.max - rule.min + 1);
  return fallsOn(rule.oneOf, lots(weightOf(rule.oneOf))).value;
}
