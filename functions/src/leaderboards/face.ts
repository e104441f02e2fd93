import { type Profile, profilesOf } from "../identity/index.ts";
import type { Caller } from "../platform/endpoint.ts";
import type { Face } from "./enter.ts";

const MAX_NAME = 50;
const MAX_PICTURE = 2_048;

/**
 * How players are shown who are new to a board, by id: by their profiles, or as long as they have none by what the sign-in provider says.
 * Afterwards they are shown as their documents say, which follow their profiles; see `profile.ts`. Reads profiles that no cache has.
 */
export async function facesOf(callers: readonly Caller[]): Promise<Map<string, Face>> {
  if (callers.length === 0) return new Map();
  const profiles = await profilesOf([...new Set(callers.map(({ uid }) => uid))]);
  return new Map(
    callers.map((caller) => {
      const profile = profiles.get(caller.uid);
      return [caller.uid, profile ? faceIn(profile) : faceOf(caller)];
    }),
  );
}

/** How a player is shown by their profile, and whether they are ranked. */
export function faceIn({ handle, picture, country, group, state }: Profile): Face {
  return {
    name: handle,
    ...(picture === undefined ? {} : { picture }),
    ...(country === undefined ? {} : { country }),
    ...(group === undefined ? {} : { group }),
    ...(state === "active" ? {} : { hidden: state === "banned" ? ("banned" as const) : ("shadow" as const) }),
  };
}

function faceOf({ uid, name, picture }: Caller): Face {
  return {
    name: shorten(name ?? `Player ${uid.slice(0, 6)}`),
    ...(picture && isPicture(picture) ? { picture } : {}),
  };
}

/** Cut between characters, not inside of one. */
function shorten(name: string): string {
  return [...name].slice(0, MAX_NAME).join("");
}

function isPicture(url: string): boolean {
  return url.length <= MAX_PICTURE && url.startsWith("https://") && URL.canParse(url);
}
