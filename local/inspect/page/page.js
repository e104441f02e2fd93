import { watchDocuments } from "./documents.js";
import { billed, element, figures, functionRow, money, pathRow, pricesNote, requestRow } from "./show.js";

/** The page: what is new comes as events, filtered by the server, and goes to the top of its list. */

const MAX_ROWS = 300;
const FILTER_MILLIS = 250;
const $ = (selector) => document.querySelector(selector);
const requestForm = $("#requests form");
const functionForm = $("#functions form");
let mark;
let source;
let timer;

for (const form of [requestForm, functionForm]) {
  form.addEventListener("input", (event) => {
    if (event.target.name === "paused") return;
    clearTimeout(timer);
    timer = setTimeout(connect, FILTER_MILLIS);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}
$("#mark").addEventListener("click", async () => {
  const response = await fetch("/bill:mark", { method: "POST" });
  ({ mark } = await response.json());
  connect();
});
$("#unmark").addEventListener("click", () => {
  mark = undefined;
  connect();
});
addEventListener("hashchange", showSection);
showSection();
connect();
watchDocuments();
// Whoever drives a browser waits for this.
globalThis.ready = true;

function showSection() {
  const wanted = location.hash.slice(1).split("/")[0] || "requests";
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== wanted;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${wanted}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Listens anew, by the filters as they are; the server begins with the last there are. */
function connect() {
  source?.close();
  const [requests, functions] = [new FormData(requestForm), new FormData(functionForm)];
  const parameters = new URLSearchParams({
    denied: String(requests.has("denied")),
    path: requests.get("path").trim(),
    user: requests.get("user").trim(),
    failed: String(functions.has("failed")),
    name: functions.get("name").trim(),
    ...(mark === undefined ? {} : { since: mark }),
  });
  source = new EventSource(`/events?${parameters}`);
  // It connects again by itself, and is told all of it again.
  source.addEventListener("open", () => {
    $("#request-rows").replaceChildren();
    $("#function-rows").replaceChildren();
    $("#trouble").textContent = "";
  });
  source.addEventListener("error", () => {
    $("#trouble").textContent = "The suite does not answer.";
  });
  source.addEventListener("trouble", ({ data }) => {
    $("#trouble").textContent = JSON.parse(data).message;
  });
  source.addEventListener("requests", ({ data }) => {
    if (!requestForm.elements.paused.checked) prepend($("#request-rows"), JSON.parse(data).map(requestRow));
  });
  source.addEventListener("functions", ({ data }) => prepend($("#function-rows"), JSON.parse(data).map(functionRow)));
  source.addEventListener("bill", ({ data }) => showBill(JSON.parse(data)));
}

/** @param rows oldest first */
function prepend(list, rows) {
  list.prepend(...rows.slice(-MAX_ROWS).reverse());
  while (list.children.length > MAX_ROWS) list.lastElementChild.remove();
}

function showBill(bill) {
  $("#trouble").textContent = "";
  $("#total").replaceChildren(`${billed(bill) || "nothing billed"} · ${money(bill.cost)}`);
  $("#since").textContent = `since ${new Date(bill.since).toLocaleTimeString("en-GB")}`;
  $("#unmark").hidden = mark === undefined;
  $("#figures").replaceChildren(...figures(bill));
  $("#path-rows").replaceChildren(...bill.paths.map(pathRow));
  $("#bill").classList.toggle("has-rows", bill.paths.length > 0);
  $("#prices").replaceChildren(element("span", {}, pricesNote(bill.prices)));
}
