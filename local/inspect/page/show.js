/** How what the server tells looks on the page. Everything becomes text of elements, never HTML. */

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(string | Node)} children
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const span = (name, text) => element("span", { class: name }, text);
const status = (text, isGood) => span(isGood ? "status is-good" : "status", text);
const millis = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const count = (number, one) => `${number.toLocaleString("en")} ${number === 1 ? one : `${one}s`}`;

/** Dollars with as many digits as it takes to see something. */
export function money(dollars) {
  if (dollars === 0) return "$0";
  return `$${dollars >= 1 ? dollars.toFixed(2) : dollars.toPrecision(2)}`;
}

/** A bill in words; "" for nothing. */
export function billed({ reads = 0, writes = 0, deletes = 0 } = {}) {
  const parts = [
    [reads, "read"],
    [writes, "write"],
    [deletes, "delete"],
  ];
  return parts
    .filter(([number]) => number > 0)
    .map(([number, one]) => count(number, one))
    .join(", ");
}

export function requestRow(request) {
  const who = request.by === "user" ? request.user : request.by;
  const summary = element(
    "summary",
    {},
    span("when", time.format(request.at)),
    element("span", { class: "who", title: who }, who),
    span("how", request.method),
    span("what", request.subject),
    status(request.isDenied ? "denied" : request.status, isWell(request)),
    span("cost", [billed(request.bill), millis(request.millis)].filter(Boolean).join(" · ")),
  );
  const more = element("p", {}, `${request.via} · ${request.database}`);
  const body = element("div", {}, ...decision(request), more);
  return element("li", request.isDenied ? { class: "is-bad" } : {}, element("details", {}, summary, body));
}

function isWell({ status: code }) {
  return code === "OK" || code === "ok";
}

function decision(request) {
  const { rule, isDenied, by } = request;
  if (rule !== undefined) return [element("p", {}, isDenied ? "Denied:" : "Allowed by:"), element("pre", {}, rule)];
  if (isDenied) return [];
  if (by === "server") return [element("p", {}, "A server asked: rules do not hold for it.")];
  return isWell(request) ? [element("p", {}, "Allowed; which rule it was is not known, or there are none.")] : [];
}

export function functionRow({ at, user, trigger, name, path = "", status: code, isFailed, millis: took }) {
  const event = trigger.split(".").at(-1);
  const row = element(
    "div",
    { class: "plain" },
    span("when", time.format(at)),
    span("who", user ?? ""),
    element("span", { class: "how", title: trigger }, event),
    span("what", `${name} ${path}`),
    status(code === 0 ? "no answer" : String(code), code > 0 && code < 400),
    span("cost", millis(took)),
  );
  return element("li", isFailed ? { class: "is-bad" } : {}, row);
}

export function figures(bill) {
  const { reads, writes, deletes, database, functions, cost } = bill;
  const shown = [
    ["reads", reads.toLocaleString("en")],
    ["writes", writes.toLocaleString("en")],
    ["deletes", deletes.toLocaleString("en")],
    ["Realtime Database sent", bytes(database.bytesDown)],
    ["function calls", functions.calls.toLocaleString("en")],
    ["in money", money(cost)],
  ];
  return shown.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)));
}

export function pathRow({ path, requests, reads, writes, deletes, cost }) {
  const cells = [path, requests, reads, writes, deletes].map((value) =>
    element("td", {}, typeof value === "number" ? value.toLocaleString("en") : value),
  );
  return element("tr", {}, ...cells, element("td", {}, money(cost)));
}

export function bytes(number) {
  if (number < 1_000) return `${number} B`;
  return number < 1_000_000 ? `${(number / 1_000).toFixed(1)} KB` : `${(number / 1_000_000).toFixed(1)} MB`;
}

export function pricesNote({ place, reads, writes, deletes, gigabytesDown }) {
  return `At the prices of ${place}: $${reads} for 100,000 reads, $${writes} for writes, $${deletes} for deletes, $${gigabytesDown} for a GB that the Realtime Database sends. Without the free quota, storage and network.`;
}

/** A value of a document as people write it, from its form in REST. */
export function plain(value) {
  const [[kind, inner]] = Object.entries(value);
  switch (kind) {
    case "mapValue":
      return Object.fromEntries(Object.entries(inner.fields ?? {}).map(([name, one]) => [name, plain(one)]));
    case "arrayValue":
      return (inner.values ?? []).map(plain);
    case "integerValue":
      return Number.isSafeInteger(Number(inner)) ? Number(inner) : `${inner} (integer)`;
    case "timestampValue":
      return `${inner} (time)`;
    case "referenceValue":
      return `${inner} (reference)`;
    case "bytesValue":
      return `${inner} (bytes)`;
    case "geoPointValue":
      return `${inner.latitude}, ${inner.longitude} (place)`;
    default:
      return inner;
  }
}

/** The fields of a document as JSON for people. */
export function fieldsText({ fields = {}, updateTime }) {
  if (updateTime === undefined) return "There is no such document, but there are others below it.";
  return JSON.stringify(plain({ mapValue: { fields } }), undefined, 2);
}
