/** What was bought on this device, and giving it back. */

import { begin, complain, h, show } from "../lib/dom.js";
import { isExpected, kept, read, Refused } from "../lib/server.js";
import { money, speak, startOf, t } from "../lib/words.js";
import { askAs, fanOf } from "./fan.js";
import { seatLines, ticketsAt } from "./seatlist.js";

const SHOWN = new Set(["RESERVATION_STATUS_CONFIRMED", "RESERVATION_STATUS_REFUNDED"]);

/** @typedef {{event: any, order: any, fan: {token: string, userId: string}, waiting: string}} Order */

/** The orders of all guests that this device has been; `lost` is how many could not be asked for. */
async function orders() {
  /** @type {Order[]} */
  const found = [];
  let lost = 0;
  for (const { event: id, waiting } of kept("guests").all ?? []) {
    try {
      const fan = await fanOf({ waiting });
      const { event } = await read(`events/${encodeURIComponent(id)}`);
      const { reservations = [] } = await askAs(fan, "reservation.v1.ReservationService/ListReservations", {});
      found.push(
        ...reservations
          .filter((/** @type {any} */ one) => SHOWN.has(one.status))
          .map((/** @type {any} */ order) => ({ event, order, fan, waiting })),
      );
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      lost += 1;
    }
  }
  return { found, lost };
}

/** @param {Order} bought */
function orderOf({ event, order, fan }) {
  const isBack = order.status === "RESERVATION_STATUS_REFUNDED";
  const trouble = h("div", { role: "alert" });
  const back =
    !isBack &&
    event.refunds.percent > 0 &&
    h("button", { type: "button", class: "second", onclick: ask }, t("give_back"));
  const tickets = !isBack && h("a", { class: "button", href: ticketsAt(order) }, t("show_tickets"));
  const acts = h("div", { class: "acts" }, tickets, back);
  const total = Number(order.totalAmount?.amount ?? 0);
  const returned = money(Math.floor((total * event.refunds.percent) / 100), event);

  /** What comes back is said first, and only then done. */
  function ask() {
    const yes = h("button", { type: "button", onclick: () => giveBack(yes) }, t("give_back_yes", { amount: returned }));
    const no = h(
      "button",
      { type: "button", class: "second", onclick: () => acts.replaceChildren(tickets, back) },
      t("give_back_no"),
    );
    acts.replaceChildren(h("p", {}, t("give_back_sure", { amount: returned, total: money(total, event) })), yes, no);
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
      complain(trouble, fault instanceof Refused ? t("not_given_back", { reason: fault.message }) : t("no_connection"));
      acts.replaceChildren(tickets, back);
    }
  }

  return h(
    "article",
    { class: "card" },
    h("h2", {}, event.name),
    event.starts_at && h("p", { class: "muted" }, startOf(event)),
    h(
      "p",
      {},
      h("span", { class: isBack ? "tag" : "tag good" }, t(isBack ? "given_back" : "paid")),
      ` ${t("order", { order: order.orderId })}`,
    ),
    seatLines(order, event),
    trouble,
    acts,
  );
}

async function view() {
  document.title = `${t("my_orders")} · Traffic Tacos`;
  show(h("h1", {}, t("my_orders")), h("p", { role: "status" }, t("loading")));
  const { found, lost } = await orders();
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
    !found.length && !lost && h("p", { class: "notice" }, t("no_orders")),
    h("p", { class: "hint" }, t("orders_say")),
    h("a", { class: "button second", href: "/" }, t("see_events")),
  );
}

await speak(view);
await view();
