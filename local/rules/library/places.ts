import { LatLng, RulesError } from "../value.ts";
import { fn, method, type Operations } from "./signature.ts";

/** Places on earth. Sources: https://firebase.google.com/docs/reference/rules/rules.LatLng and rules.latlng */

/** The mean radius that Google's S2 library takes for the earth. Source: https://s2geometry.io/ (`S2Earth`) */
const EARTH_RADIUS_METERS = 6_371_010;
const MAX_LATITUDE = 90;
const MAX_LONGITUDE = 180;

export const LATLNG_METHODS: Operations<LatLng> = new Map([
  ["distance", method(["latlng"], distance)],
  ["latitude", method([], (place: LatLng) => place.latitude)],
  ["longitude", method([], (place: LatLng) => place.longitude)],
]);

export const LATLNG_FUNCTIONS: Operations<undefined> = new Map([["value", fn(["int|float", "int|float"], latLng)]]);

function latLng(latitude: bigint | number, longitude: bigint | number): LatLng {
  const place = new LatLng(Number(latitude), Number(longitude));
  const known = Math.abs(place.latitude) <= MAX_LATITUDE && Math.abs(place.longitude) <= MAX_LONGITUDE;
  if (!known) throw new RulesError(`Invalid place: latitude ${latitude}, longitude ${longitude}.`);
  return place;
}

/** Metres along the surface of a sphere. */
function distance(from: LatLng, to: LatLng): number {
  const [latitude, longitude] = [radians(to.latitude - from.latitude), radians(to.longitude - from.longitude)];
  const parallels = Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude));
  const haversine = Math.sin(latitude / 2) ** 2 + parallels * Math.sin(longitude / 2) ** 2;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
