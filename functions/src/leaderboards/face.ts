import type { Caller } from "../platform/endpoint.ts";
import type { Face } from "./enter.ts";

const MAX_NAME = 50;
const MAX_PICTURE = 2_048;

/** How a player is shown, by what the sign-in provider says. */
export function faceOf({ uid, name, picture }: Caller): Face {
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
