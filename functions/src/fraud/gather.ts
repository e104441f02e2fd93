import type { ReceiptOwner, Sightings } from "./records.ts";
import { amountsLike, nothingSeen, timeOf, withSubject } from "./sightings.ts";
import type { Signals } from "./signals.ts";
import { DIMENSIONS, type Dimension, type Subject, userHash } from "./subject.ts";
import { countsAt, NONE } from "./windows.ts";

/** What is known of the user, device and card, by dimension that the subject names. */
export type Known = ReadonlyMap<Dimension, Sightings>;

/** What the rules look at, from what is known; without any effect. */
export function gather(subject: Subject, known: Known, owner: ReceiptOwner | undefined): Signals {
  const at = timeOf(subject);
  const user = known.get("user") ?? nothingSeen("user");
  const after = new Map([...known].map(([dimension, sightings]) => [dimension, withSubject(sightings, subject)]));
  const most = (what: "refunds" | "chargebacks") => Math.max(0, ...[...known.values()].map((one) => one[what]));
  return {
    kind: subject.kind,
    otherClaimants: isOwner(subject, owner, user) ? 0 : 1 + (owner?.others.length ?? 0),
    sandboxed: countsAt(user.seen.sandbox ?? NONE, at).week,
    amount: subject.amount?.amount,
    priceExpected: subject.priceExpected,
    country: subject.country,
    ipCountry: subject.ipCountry,
    countries: subject.countries ?? [],
    counts: Object.fromEntries(
      DIMENSIONS.flatMap((dimension) => {
        const windows = after.get(dimension)?.seen[subject.kind];
        return windows ? [[dimension, countsAt(windows, at)]] : [];
      }),
    ),
    users: usersOf(after),
    usual: amountsLike(user, subject),
    refunds: most("refunds"),
    chargebacks: most("chargebacks"),
  };
}

/** Whether nobody else came with the receipt first, or nobody who is not, or has not given everything to, this user. */
export function isOwner(subject: Subject, owner: ReceiptOwner | undefined, { transferredFrom }: Sightings): boolean {
  if (!owner || subject.isFamilyShared) return true;
  const own = [subject.user, ...(subject.knownAs ?? [])].map(userHash);
  return own.some((one) => one === owner.user || owner.accepted.includes(one)) || transferredFrom.includes(owner.user);
}

function usersOf(known: Known): Signals["users"] {
  const [device, card] = [known.get("device")?.users.length, known.get("card")?.users.length];
  return { ...(device === undefined ? {} : { device }), ...(card === undefined ? {} : { card }) };
}
