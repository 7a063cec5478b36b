/** The page of one event. Where somebody stands in it, from the queue to the order, follows from what the device keeps. */

import { h, poster, show } from "../lib/dom.js";
import { call, idInAddress, isExpected, keep, kept, keptInTab, newKey, onKept, read, Refused } from "../lib/server.js";
import { opening, prices, speak, startOf, t, venueOf, whenHere, why } from "../lib/words.js";

/**
 * What this device keeps of its way to one purchase. All of it is optional.
 * @typedef {object} Way
 * @property {string} [session] our own name in the queue
 * @property {string} [waiting] the waiting token
 * @property {string} [account] the user who has joined, if it was with an account
 * @property {number} [first] the place at first
 * @property {{token: string, userId: string, until: number}} [fan] which guest we are, once it is our turn
 * @property {{token: string, until: number}} [admission] what lets us reserve, until then
 * @property {{key: string, of: string}} [holding] the key of a request to hold seats, and what it asks for
 * @property {string} [reservation]
 * @property {boolean} [extended]
 * @property {{id: string, key: string}} [payment]
 * @property {string} [declined] the last payment that was, while the seats stayed held
 * @property {{quantity?: number, name?: string, accessible?: boolean}} [wish] what was asked while waiting
 */

/**
 * What a stage of the page is given.
 * @typedef {object} Stage
 * @property {any} event as /web/events/EVENT shows it
 * @property {AbortSignal} signal ends when another stage takes its place
 * @property {() => Way} way
 * @property {(change: Partial<Way>) => void} set keep something more of the way
 * @property {() => void} forget forget the way, but for what was wished
 * @property {(problem?: string) => Promise<void>} go show the stage that what is kept leads to; with what went wrong
 * @property {any} head which event this is, in one line
 * @property {any} problem what went wrong before, to be shown; false for nothing
 */

const ID = idInAddress();
const NAME = `event.${ID}`;
const TRIED_AGAIN = 3000; // milliseconds
const OVER = new Set(["over", "sold_out"]);

/** @type {Record<string, () => Promise<{view: (stage: Stage) => unknown}>>} */
const STAGES = {
  about: async () => ({ view: about }),
  line: () => import("./line.js"),
  member: () => import("./member.js"),
  seats: () => import("./seats.js"),
  pay: () => import("./pay.js"),
};

/** @param {Way} way */
function stageOf(way) {
  if (way.account && way.account !== keptInTab("account")?.userId) return "member"; // whose it is has to sign in here
  if (way.reservation) return "pay";
  if (way.admission) return "seats";
  return way.waiting ? "line" : "about";
}

let running = new AbortController();

async function go(problem = "") {
  running.abort();
  const mine = (running = new AbortController());
  /** @type {any} */
  let found;
  try {
    found = (await read(`events/${encodeURIComponent(ID)}`)).event;
  } catch (fault) {
    if (!isExpected(fault)) throw fault;
    if (!mine.signal.aborted) absent(fault, problem);
    return;
  }
  const name = stageOf(kept(NAME));
  const stage = await STAGES[name]();
  if (mine.signal.aborted) return;
  document.title = `${found.name} · Traffic Tacos`;
  document.body.dataset.stage = name;
  onKept(NAME, () => stageOf(kept(NAME)) !== name && go(), mine.signal);
  const shown = problem && h("p", { class: "problem", role: "alert" }, problem);
  await stage.view({
    event: found,
    signal: mine.signal,
    way: () => kept(NAME),
    set,
    forget,
    go,
    head: headOf(found),
    problem: shown,
  });
}

/** @param {Partial<Way>} change */
const set = (change) => keep(NAME, { ...kept(NAME), ...change });

/** Forget the way to this purchase, but for what was wished. */
const forget = () => keep(NAME, { wish: kept(NAME).wish });

/** @param {unknown} fault @param {string} problem */
function absent(fault, problem) {
  const isUnknown = fault instanceof Refused && fault.code === "NOT_FOUND";
  show(
    h("h1", {}, t(isUnknown ? "no_such_event" : "no_connection_title")),
    h("p", { class: "notice", role: "status" }, t(isUnknown ? "no_such_event_says" : "no_connection")),
    h("a", { class: "button second", href: "/" }, t("see_events")),
  );
  if (!isUnknown) setTimeout(() => go(problem), TRIED_AGAIN);
}

/** @param {any} event */
function headOf(event) {
  return h("p", { class: "muted head" }, [event.name, startOf(event), venueOf(event)].filter(Boolean).join(" · "));
}

/** @param {any} event */
function saleOf(event) {
  const opens = event.sale === "before" && event.opens_at;
  return t(`sale_${event.sale}`) + (opens ? ` · ${t("opens", { time: opening(event.opens_at, event.utc_offset_minutes) })}` : "");
}

/** What has no opening was on sale from the first, and nothing is drawn. @param {any} event */
const drawLink = (event) => h("a", { href: `/draw/${encodeURIComponent(event.id)}` }, t("draw_link"));

/** All there is to know of the event. @param {any} event */
function described(event) {
  const { venue } = event;
  const here = event.starts_at && whenHere(event.starts_at, event.utc_offset_minutes);
  const where = [venue.name, venue.street, venue.city].filter(Boolean).join(", ");
  const refunds = event.refunds.percent
    ? t("refunds_until", { n: event.refunds.hours_before, percent: event.refunds.percent })
    : t("no_refunds");
  /** @type {[string, any][]} */
  const facts = [
    [
      "when",
      event.starts_at && [startOf(event), here && h("div", { class: "hint" }, t("by_your_clock", { time: here }))],
    ],
    ["where", where],
    ["price", prices(event, event)],
    ["sale", [saleOf(event), event.opens_at && h("div", {}, drawLink(event))]],
    ["at_most", t("tickets", { n: event.max_per_person || event.max_per_order })],
    ["giving_back", refunds],
  ];
  return [
    poster(event.id, "banner"),
    h("h1", {}, event.name),
    event.description && h("p", {}, event.description),
    h(
      "dl",
      { class: "facts card" },
      facts.filter(([, fact]) => fact).map(([key, fact]) => [h("dt", {}, t(key)), h("dd", {}, fact)]),
    ),
  ];
}

/** The event before the queue, and the way into it: as whoever is signed in here, or else as a guest. @param {Stage} stage */
async function about({ event, signal, way, set, go, problem }) {
  const button = h("button", { type: "button", onclick: join }, t("join_queue"));

  async function join() {
    button.setAttribute("aria-busy", "true");
    const session = way().session ?? newKey();
    set({ session });
    try {
      const member = account && (await (await import("../lib/account.js")).accountOf(account));
      const request = { eventId: event.id, sessionId: session, userId: account };
      const place = await call("gateway.v1.QueueService/JoinQueue", request, member?.token);
      set({ waiting: place.waitingToken, account });
      await go();
    } catch (fault) {
      if (fault instanceof Refused && fault.code === "ALREADY_EXISTS") set({ session: undefined });
      await go(fault instanceof Refused && fault.reason === "SIGNED_OUT" ? t("account_gone") : why(fault));
    }
  }

  const account = keptInTab("account")?.userId;
  const isOver = OVER.has(event.sale);
  const canJoin = !isOver && (event.guests || account);
  const signIn = !isOver && !canJoin && (await (await import("./member.js")).signInFrom(location.pathname));
  if (signal.aborted) return;
  show(
    ...described(event),
    problem,
    canJoin
      ? h(
          "section",
          { class: "card" },
          h("h2", {}, t("how_it_goes")),
          h("p", {}, t("how_it_goes_says", { seconds: event.hold_seconds })),
          account && h("p", { class: "hint" }, t("account_is", { user: account })),
          h("div", { class: "acts" }, button),
        )
      : h("p", { class: "notice" }, t(isOver ? `sale_${event.sale}_says` : "needs_account")),
    !canJoin && h("div", { class: "acts" }, signIn, h("a", { class: "button second", href: "/" }, t("see_events"))),
  );
}

await speak(() => go());
await go();
