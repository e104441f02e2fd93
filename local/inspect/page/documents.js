import { element, fieldsText } from "./show.js";

/** Walking through databases: Firestore's collections and documents, and the tree of the Realtime Database. Nothing can be changed. */

const $ = (selector) => document.querySelector(selector);
const form = $("#documents form");
const rows = $("#document-rows");
const more = $("#more");
let place = { database: "", path: "" };

export function watchDocuments() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open(form.elements.path.value);
  });
  form.elements.database.addEventListener("change", () => open(""));
  addEventListener("hashchange", start);
  start();
}

async function start() {
  if (!location.hash.startsWith("#documents")) return;
  const { firestore, database } = await ask("/databases", {});
  const options = [
    ...firestore.map((name) => ["firestore", name, `Firestore ${name.split("/").at(-1)} of ${name.split("/")[1]}`]),
    ...database.map((name) => ["database", name, `Realtime Database ${name}`]),
  ];
  const chosen = form.elements.database.value;
  form.elements.database.replaceChildren(
    ...options.map(([service, name, label]) => element("option", { value: `${service} ${name}` }, label)),
  );
  if (options.some(([service, name]) => `${service} ${name}` === chosen)) form.elements.database.value = chosen;
  await open(form.elements.path.value);
}

async function open(path) {
  place = { database: form.elements.database.value, path: path.split("/").filter(Boolean).join("/") };
  form.elements.path.value = place.path;
  showCrumbs();
  rows.replaceChildren();
  await load({});
}

/** @param from where the next page begins, as the server has said */
async function load(from) {
  const asked = place;
  const [service, name] = asked.database.split(" ");
  more.hidden = true;
  if (name === undefined) return;
  const isTree = service === "database";
  const parameters = { [isTree ? "ns" : "database"]: name, path: asked.path, ...from };
  const answer = await ask(isTree ? "/tree" : "/documents", parameters).catch((error) => ({ trouble: error.message }));
  if (asked !== place) return;
  rows.append(...(isTree ? treeRows(answer) : documentRows(answer)));
  const next = isTree ? answer.hasMore && { after: answer.children.at(-1).key } : tokenOf(answer);
  more.hidden = !next;
  more.onclick = () => load(next);
}

function tokenOf({ nextPageToken }) {
  return nextPageToken && { pageToken: nextPageToken };
}

function documentRows({ documents = [], document, collectionIds = [], trouble }) {
  return [
    ...(trouble ? [element("li", { class: "link is-bad" }, trouble)] : []),
    ...(document ? [element("li", { class: "link" }, element("pre", {}, fieldsText(document)))] : []),
    ...collectionIds.map((id) => element("li", { class: "link" }, linkTo(below(id), id))),
    ...documents.map(documentRow),
  ];
}

function documentRow(document) {
  const id = document.name.split("/").at(-1);
  const head = element("summary", { class: "document" }, id);
  const body = element("div", {}, element("pre", {}, fieldsText(document)), linkTo(below(id), "its collections"));
  return element("li", {}, element("details", {}, head, body));
}

function treeRows({ children = [], value, trouble }) {
  if (trouble) return [element("li", { class: "link is-bad" }, trouble)];
  if (value !== undefined && value !== null) return [element("li", { class: "link" }, JSON.stringify(value))];
  return children.map(({ key, size, value: leaf }) =>
    element(
      "li",
      { class: "link" },
      linkTo(below(key), key),
      size === undefined ? `: ${JSON.stringify(leaf)}` : ` (${size})`,
    ),
  );
}

function below(id) {
  return place.path === "" ? id : `${place.path}/${id}`;
}

function linkTo(path, text) {
  const link = element("button", { type: "button", class: "inline" }, text);
  link.addEventListener("click", () => open(path));
  return link;
}

function showCrumbs() {
  const parts = place.path === "" ? [] : place.path.split("/");
  const crumbs = parts.map((part, i) => linkTo(parts.slice(0, i + 1).join("/"), part));
  $("#crumbs").replaceChildren(linkTo("", "top"), ...crumbs.flatMap((crumb) => [" / ", crumb]));
}

async function ask(path, parameters) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}
