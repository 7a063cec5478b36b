/** The front page: what is on sale here, and what this place is. */

import { again, h, poster, show } from "../lib/dom.js";
import { all, isExpected, read } from "../lib/server.js";
import { venueOf, prices, speak, startOf, t } from "../lib/words.js";

const TRIED_AGAIN = 3000; // milliseconds

/** @param {any} event */
const address = (event) => `/e/${encodeURIComponent(event.id)}`;

/** @param {any} event */
function card(event) {
  return h(
    "li",
    {},
    h(
      "article",
      { class: "card" },
      poster(event.id, ""),
      h(
        "div",
        { class: "inside" },
        h("h2", {}, h("a", { href: address(event) }, event.name)),
        event.starts_at && h("p", {}, startOf(event)),
        event.venue.name && h("p", { class: "muted" }, venueOf(event)),
        h("p", {}, prices(event, event)),
        h("p", {}, h("span", { class: "tag" }, t(`sale_${event.sale}`))),
      ),
    ),
  );
}

const events = () =>
  all(async (cursor) => {
    const page = await read(`events?cursor=${encodeURIComponent(cursor)}`);
    return { items: page.events, next: page.next };
  });

/** @param {any[]} found @param {string} docs where the documentation is; "" where nobody has said */
function view(found, docs) {
  document.title = `${t("on_sale")} · Traffic Tacos`;
  const list = found.length
    ? h("ul", { class: "events" }, found.map(card))
    : h("p", { class: "notice" }, t("no_events"));
  show(
    h("h1", {}, t("on_sale")),
    list,
    h(
      "section",
      { class: "card" },
      h("h2", {}, t("what_this_is")),
      h("p", {}, t("what_this_is_says")),
      h(
        "p",
        {},
        t("built_on_says"),
        " ",
        docs && [h("a", { href: docs }, t("documentation")), ", "],
        h("a", { href: "/openapi.json" }, t("api_description")),
      ),
      h("p", {}, t("desk_says"), " ", h("code", {}, "tacos admin --help")),
    ),
  );
}

async function start() {
  /** @type {any[]} */
  let found = [];
  let docs = "";
  await speak(() => view(found, docs));
  await again(new AbortController().signal, async () => {
    try {
      found = await events();
      ({ docs } = await read("config.json"));
      view(found, docs);
      return null;
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      show(h("h1", {}, t("on_sale")), h("p", { class: "notice", role: "status" }, t("no_connection")));
      return TRIED_AGAIN;
    }
  });
}

await start();
