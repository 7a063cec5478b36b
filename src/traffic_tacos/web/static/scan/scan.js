/** The page of whoever stands at the door: who they are, at which event, and then the scanning. */

import { byId, complain, h, show } from "../lib/dom.js";
import { isExpected, keep, kept } from "../lib/server.js";
import { speak, startOf, t } from "../lib/words.js";
import * as book from "./book.js";
import { Door, onSale } from "./door.js";
import { keptHere } from "./offline.js";
import { view as scanning } from "./scanning.js";

const SESSION = "tacos.door"; // the token lasts as long as the tab, and stands in no address
const NAME_LENGTH_MAX = 24;

let isKept = true; // until it is known that it is not
let running = new AbortController();
/** @type {Door | null} */
let door = null;

/** @typedef {{token?: string, event?: string, name?: string}} Session `name` is the event's */

/** @returns {Session} */
const session = () => JSON.parse(sessionStorage.getItem(SESSION) ?? "{}");

/** @param {Session} change */
const remember = (change) => sessionStorage.setItem(SESSION, JSON.stringify({ ...session(), ...change }));

/** Show what the session leads to. @param {string} [problem] what went wrong before */
async function go(problem = "") {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const shown = problem && h("p", { class: "problem", role: "alert" }, problem);
  document.title = `${t("scan_title")} · Traffic Tacos`;
  byId("scanner-name").textContent = session().token ? kept("scanner").name : "";
  if (!session().token) return signIn(shown);
  if (!session().event) return choose(shown, signal);
  show(h("h1", {}, t("scan_title")), h("p", { role: "status" }, t("loading")));
  const opened = await openedDoor();
  if (signal.aborted) return;
  if (typeof opened === "string") return go(opened);
  await scanning({
    door: opened,
    signal,
    isKept: () => isKept,
    leave: () => leave({ event: undefined }),
    signIn: signOut,
  });
}

const signOut = () => leave({ token: undefined });

/** @param {Session} change */
function leave(change) {
  door = null;
  remember(change);
  void go();
}

/** The door of the event that was chosen; or else why there is none. @returns {Promise<Door | string>} */
async function openedDoor() {
  if (door) return door;
  const { token = "", event: id = "", name = id } = session();
  const known = (await book.events()).find((one) => one.id === id);
  const found = new Door(token, kept("scanner").name, known ?? { id, name, keys: { keys: [] }, at: 0 });
  await found.open();
  if (known || (await found.fetchLists())) return (door = found);
  remember(found.isKnown ? { event: undefined } : { token: undefined });
  return t(found.isKnown ? "scan_not_loaded" : "scan_wrong_token");
}

/** @param {any} shown */
function signIn(shown) {
  const token = h("input", { id: "token", type: "password", autocomplete: "off", required: true });
  const name = h("input", {
    id: "scanner",
    autocomplete: "off",
    required: true,
    maxlength: NAME_LENGTH_MAX,
    value: kept("scanner").name ?? "",
  });

  /** @param {SubmitEvent} event */
  function signedIn(event) {
    event.preventDefault();
    keep("scanner", { name: name.value.trim() });
    remember({ token: token.value.trim() });
    void go();
  }

  show(
    h("h1", {}, t("scan_title")),
    shown,
    h(
      "form",
      { class: "card", onsubmit: signedIn },
      h("p", {}, t("scan_sign_in_says")),
      h("div", { class: "field" }, h("label", { for: "token" }, t("scan_token")), token),
      h("div", { class: "field" }, h("label", { for: "scanner" }, t("scan_name")), name),
      h("div", { class: "acts" }, h("button", { type: "submit" }, t("scan_sign_in"))),
    ),
  );
}

/** @param {any} shown @param {AbortSignal} signal */
async function choose(shown, signal) {
  show(h("h1", {}, t("scan_choose")), shown, h("p", { role: "status" }, t("loading")));
  const trouble = h("div", { role: "alert" });
  /** @type {any[]} */
  let found = await book.events();
  try {
    found = await onSale();
  } catch (fault) {
    if (!isExpected(fault)) throw fault;
    complain(trouble, t("scan_offline_events"));
  }
  if (signal.aborted) return;

  /** @param {any} event */
  function chosen(event) {
    remember({ event: event.id, name: event.name });
    void go();
  }

  /** @param {any} event */
  const button = (event) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", onclick: () => chosen(event) },
        h("strong", {}, event.name),
        event.starts_at && h("small", {}, startOf(event)),
      ),
    );

  show(
    h("h1", {}, t("scan_choose")),
    shown,
    trouble,
    found.length ? h("ul", { class: "blocks" }, found.map(button)) : h("p", { class: "notice" }, t("no_events")),
    h("div", { class: "acts" }, h("button", { type: "button", class: "second", onclick: signOut }, t("scan_sign_out"))),
  );
}

/** Keep the page for when there is no connection. */
async function keepPage() {
  isKept = await keptHere();
  door?.changed();
}

await speak(() => go(), "door");
await go();
await keepPage();
