import * as z from "zod";
import { writeDown } from "../platform/audit.ts";
import { cached, forget } from "../platform/cache.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { timestamp, transact } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import type { FraudSettingsRequest } from "./contract.ts";
import { fraudSettings } from "./records.ts";
import { DEFAULTS, Settings } from "./settings.ts";

/** How late other instances may notice that the settings were changed. */
const FRESH = { processSeconds: 60 };
const CACHE_KEY = "fraud:settings";
const ID = "settings";

/** How the rules judge now. One read a minute in each instance. */
export async function settingsNow(): Promise<Settings> {
  const settings = await cached(CACHE_KEY, FRESH, Settings, async () => {
    return (await fraudSettings().doc(ID).get()).data()?.settings ?? DEFAULTS;
  });
  return settings ?? DEFAULTS;
}

/** Says how the rules judge, after changing it if there is something to change: what is left out then is as by default. */
export async function settings(
  caller: Caller,
  { settings: next, note }: z.output<typeof FraudSettingsRequest>,
): Promise<{ settings: Settings }> {
  if (!next) return { settings: (await fraudSettings().doc(ID).get()).data()?.settings ?? DEFAULTS };
  await transact(async (tx) => {
    const before = (await tx.get(fraudSettings().doc(ID))).data()?.settings ?? DEFAULTS;
    if (fingerprint(before) === fingerprint(next)) return;
    tx.set(fraudSettings().doc(ID), { settings: next, by: caller.uid, updatedAt: timestamp() });
    writeDown(tx, {
      key: `${fingerprint(before)} ${fingerprint(next)} ${now()}`,
      by: caller.uid,
      action: "fraud/settings",
      subject: `fraud/${ID}`,
      note,
      details: { before: plain(before), after: plain(next) },
    });
  });
  await forget(CACHE_KEY);
  return { settings: next };
}

function plain(settings: Settings): z.core.util.JSONType {
  return z.json().parse(settings);
}
