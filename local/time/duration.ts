/**
 * Reads durations as people write them: ISO 8601 (`PT1H30M`, `P2D`) or a number with a unit (`1h30m`, `2d`, `500ms`). Months and years
 * are refused, for they have no fixed length.
 */

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

const MAX_LENGTH = 64;
const SHORT = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;
const ISO = /^P(?=.)(\d+W)?(\d+D)?(?:T(?=.)(\d+H)?(\d+M)?(\d+(?:\.\d+)?S)?)?$/;

/** In milliseconds, or undefined if it is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const parts = ISO.exec(text)?.slice(1) ?? (SHORT.test(text) ? text.match(/[\d.]+[a-z]+/g) : null);
  if (!parts) return undefined;
  return parts.reduce((sum, part) => sum + millisOf(part ?? "0s"), 0);
}

function millisOf(part: string): number {
  const unit = part.replace(/[\d.]/g, "").toLowerCase();
  return Math.round(Number.parseFloat(part) * (UNITS[unit] ?? 0));
}
