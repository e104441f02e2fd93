import { describe, expect, test } from "vitest";
import { LatLng } from "../value.ts";
import { refusal, testFunctions, testMethods } from "./cases.ts";
import { callMethod } from "./methods.ts";

const RADIUS = 6_371_010;
const ORIGIN = new LatLng(0, 0);
const NORTH_POLE = new LatLng(90, 0);

describe("places", () => {
  testFunctions([
    ["latlng.value", [37.42, -122.08], new LatLng(37.42, -122.08)],
    ["latlng.value", [0n, 180n], new LatLng(0, 180)],
    ["latlng.value", [-90, -180n], new LatLng(-90, -180)],
    ["latlng.value", [-100n, 0n], refusal("Invalid place: latitude -100, longitude 0.")],
    ["latlng.value", [0, 180.5], refusal("Invalid place")],
    ["latlng.value", [Number.NaN, 0], refusal("Invalid place")],
    ["latlng.value", ["0", 0], refusal("Received: latlng.value(string, float)")],
    ["latlng.value", [0], refusal("Incorrect number of arguments. Received: 1.")],
  ]);

  testMethods([
    [new LatLng(37.42, -122.08), "latitude", [], 37.42],
    [new LatLng(37.42, -122.08), "longitude", [], -122.08],
    [ORIGIN, "distance", [ORIGIN], 0],
    [ORIGIN, "distance", [[0n, 0n]], refusal("Received: latlng.distance(list). Expected: latlng.distance(latlng).")],
    [ORIGIN, "altitude", [], refusal("Function not found error: Name: [altitude].")],
  ]);

  test.each([
    ["a quarter around the equator", ORIGIN, new LatLng(0, 90), (RADIUS * Math.PI) / 2],
    ["from the equator to a pole", ORIGIN, NORTH_POLE, (RADIUS * Math.PI) / 2],
    ["from pole to pole", NORTH_POLE, new LatLng(-90, 77), RADIUS * Math.PI],
    ["to the other side", new LatLng(10, 20), new LatLng(-10, -160), RADIUS * Math.PI],
    ["across the date line", new LatLng(0, 179), new LatLng(0, -179), (RADIUS * Math.PI) / 90],
    ["around a pole", new LatLng(90, 10), new LatLng(90, 200), 0],
  ])("are measured on a sphere, in metres: %s", (_, from, to, metres) => {
    expect(callMethod(from, "distance", [to])).toBeCloseTo(metres, 0);
    expect(callMethod(to, "distance", [from])).toBeCloseTo(metres, 0);
  });
});
