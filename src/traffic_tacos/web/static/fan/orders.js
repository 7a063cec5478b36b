/** What was bought with an account or as a guest on this device, and giving it back. */

import { begin, complain, h, retext, show } from "../lib/dom.js";
import { all, isExpected, keptInTab, read } from "../lib/server.js";
import { has, money, speak, startOf, t, when, why } from "../lib/words.js";
import { askAs, everybody, fanOf } from "./fan.js";
import { signInFrom } from "./member.js";
import { elsewhere } from "./recovery.js";
import { seatLines, ticketsAt } from "./seatlist.js";

const SHOWN = new Set(["RESERVATION_STATUS_CONFIRMED", "RESERVATION_STATUS_REFUNDED"]);
const PAGE = 100; // reservations, the most that are listed at once

/** @typedef {{event: any, order: any, quote: any, fan: import("./fan.js").Fan}} Order */

/** The orders of whoever is signed in here and of all guests that this device has been, newest first; `lost` is how many there are no answers to. */
async function orders() {
  /** @type {Order[]} */
  const found = [];
  /** @type {Map<string, Promise<any>>} */
  const events = new Map();
  let lost = 0;
  for (const way of everybody())
    await unlessLost(async () => {
      const fan = await fanOf(way);
      const shown = (await reservationsOf(fan)).filter((order) => SHOWN.has(order.status));
      await Promise.all(shown.map((order) => unlessLost(() => add(order, fan)))); // browsers send some at once
    });
  found.sort((one, other) => Date.parse(other.order.createdAt) - Date.parse(one.order.createdAt));
  return { found, lost };

  /** @param {any} order @param {Order["fan"]} fan */
  async function add(order, fan) {
    const id = order.eventId;
    const reading = events.get(id) ?? read(`events/${encodeURIComponent(id)}`);
    events.set(id, reading);
    const [{ event }, quote] = await Promise.all([reading, quoteOf(order, fan)]);
    found.push({ event, order, fan, quote });
  }

  /** @param {() => Promise<void>} act */
  async function unlessLost(act) {
    try {
      await act();
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      lost += 1;
    }
  }
}

/** All that somebody has reserved, oldest first. @param {Order["fan"]} fan */
const reservationsOf = (fan) =>
  all(async (cursor) => {
    const pagination = { cursor, pageSize: PAGE };
    const page = await askAs(fan, "reservation.v1.ReservationService/ListReservations", { pagination });
    return { items: page.reservations ?? [], next: page.pageInfo?.nextCursor ?? "" };
  });

/** What giving an order back comes to now; null where that is not known. @param {any} order @param {Order["fan"]} fan */
async function quoteOf(order, fan) {
  try {
    const request = { reservationId: order.reservationId };
    return await askAs(fan, "tacos.reservation.v1.RefundService/GetRefundQuote", request);
  } catch (fault) {
    if (!isExpected(fault)) throw fault;
    return null;
  }
}

/** What is in the way of giving back, as in "too_late"; "" for nothing. @param {any} quote */
const obstacleOf = (quote) => (quote.obstacle ?? "").replace("REFUND_OBSTACLE_", "").toLowerCase();

/** @param {Order} bought */
function orderOf({ event, order, fan, quote }) {
  const trouble = h("div", { role: "alert" });
  const tag = h("span", {});
  const says = h("p", { class: "hint" });
  const acts = h("div", { class: "acts" });
  const total = money(order.totalAmount?.amount ?? 0, event);
  draw(quote);

  /** The order as the server sees it now. @param {any} quote null where it has not said */
  function draw(quote) {
    const obstacle = quote && obstacleOf(quote);
    const isBack = order.status === "RESERVATION_STATUS_REFUNDED" || obstacle === "already_refunded";
    tag.className = isBack ? "tag" : "tag good";
    retext(tag, t(isBack ? "given_back" : "paid"));
    retext(says, quote ? comesTo(quote) : t("refund_unknown"));
    const tickets = !isBack && h("a", { class: "button", href: ticketsAt(order) }, t("show_tickets"));
    const back =
      !isBack &&
      !obstacle &&
      h("button", { type: "button", class: "second", onclick: () => ask(back) }, t("give_back"));
    acts.replaceChildren(...[tickets, back].filter(Boolean));
  }

  /** How much of its price an amount is, in a word of keys. @param {number} amount in minor units */
  function shareOf(amount) {
    if (!amount) return "nothing";
    return amount === Number(order.totalAmount?.amount) ? "all" : "part";
  }

  /** What giving it back comes to, in a sentence. @param {any} quote */
  function comesTo(quote) {
    const obstacle = obstacleOf(quote);
    const time = quote.until && when(quote.until, event.utc_offset_minutes);
    const amount = Number(quote.amount?.amount ?? 0);
    const back = t(`refund_${shareOf(amount)}`, { total, amount: money(amount, event) });
    if (obstacle === "already_refunded") return back;
    if (!obstacle) return `${t(time ? "refund_until" : "refund_any_time", { time })} ${back}`;
    return t(has(`refund_${obstacle}`) ? `refund_${obstacle}` : "refund_none", { time });
  }

  /** What comes back is said first, as the server says it now, and only then done. @param {any} button */
  async function ask(button) {
    if (!begin(button)) return;
    trouble.replaceChildren();
    const now = await quoteOf(order, fan);
    draw(now);
    if (!now) complain(trouble, t("refund_unknown"));
    if (!now || obstacleOf(now)) return;
    const amount = Number(now.amount?.amount ?? 0);
    const [share, values] = [shareOf(amount), { total, amount: money(amount, event) }];
    const yes = h(
      "button",
      { type: "button", onclick: () => giveBack(yes) },
      t(share === "nothing" ? "give_back_yes_nothing" : "give_back_yes", values),
    );
    const no = h("button", { type: "button", class: "second", onclick: () => draw(now) }, t("give_back_no"));
    acts.replaceChildren(h("p", {}, t(`give_back_sure_${share}`, values)), yes, no);
    yes.focus();
  }

  /** @param {any} button */
  async function giveBack(button) {
    if (!begin(button)) return;
    try {
      await askAs(fan, "gateway.v1.GatewayService/CancelReservation", {
        reservationId: order.reservationId,
        reason: "given back by the buyer",
        idempotencyKey: `back-${order.reservationId}`,
      });
      await view();
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      complain(trouble, why(fault));
      draw(await quoteOf(order, fan));
    }
  }

  return h(
    "article",
    { class: "card" },
    h("h2", {}, event.name),
    event.starts_at && h("p", { class: "muted" }, startOf(event)),
    h("p", {}, tag, ` ${t("order", { order: order.orderId })}`),
    seatLines(order, event),
    says,
    trouble,
    acts,
  );
}

/** The recovery code of each guest, with what was bought. @param {Order[]} found */
function codesOf(found) {
  /** @type {Map<string, string>} */
  const codes = new Map();
  for (const { fan, event } of found) if (fan.code) codes.set(fan.code, event.name);
  return [...codes].map(([code, name]) => ({ code, name }));
}

async function view() {
  document.title = `${t("my_orders")} · Traffic Tacos`;
  show(h("h1", {}, t("my_orders")), h("p", { role: "status" }, t("loading")));
  const { found, lost } = await orders();
  const isSignedIn = keptInTab("account") !== null;
  const signIn = !isSignedIn && (await signInFrom(location.pathname));
  show(
    h("h1", {}, t("my_orders")),
    lost > 0 &&
      h(
        "p",
        { class: "problem", role: "alert" },
        t("orders_lost", { n: lost }),
        " ",
        h("button", { type: "button", class: "second", onclick: view }, t("try_again")),
      ),
    found.map(orderOf),
    !found.length && !lost && h("p", { class: "notice" }, t(isSignedIn ? "no_orders_account" : "no_orders")),
    h("p", { class: "hint" }, t(isSignedIn || signIn ? "orders_say_account" : "orders_say")),
    elsewhere(codesOf(found), view),
    h("div", { class: "acts" }, signIn, h("a", { class: "button second", href: "/" }, t("see_events"))),
  );
}

await speak(view, "mine");
await view();
