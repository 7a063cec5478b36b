/** What became of a reservation: the tickets, or what happened to the money and the seats, and where to go from here. */

import { h } from "../lib/dom.js";
import { clock, has, t } from "../lib/words.js";
import { seatsOf, ticketsAt } from "./seatlist.js";

/**
 * What ended a reservation, as the words name it.
 * @param {string} status of the reservation, as in "CANCELLED"
 * @param {string} paid status of its payment, "" where there is none
 */
export function outcomeOf(status, paid) {
  if (status === "REFUNDED") return "refunded";
  if (status === "EXPIRED") return paid === "COMPLETED" || paid === "REFUNDED" ? "late" : "expired";
  return paid === "FAILED" ? "declined" : "released";
}

/** Why the bank has declined. @param {any} payment null where there is none */
export function bankSaid(payment) {
  const reason = `card_${payment?.result?.failureReason ?? ""}`;
  return t("bank_said", { reason: t(has(reason) ? reason : "card_declined") });
}

/** @param {any} reservation @param {any} event @param {boolean} isMember whether it was bought with an account @param {() => void} more */
export const bought = (reservation, event, isMember, more) => [
  h(
    "section",
    { class: "card turn" },
    h("h1", {}, t("bought_title")),
    h("p", {}, t(isMember ? "bought_account_says" : "bought_says", { order: reservation.orderId })),
    h(
      "div",
      { class: "acts" },
      h("a", { class: "button", href: ticketsAt(reservation) }, t("show_tickets")),
      h("a", { class: "button second", href: "/orders" }, t("my_orders")),
      h("button", { type: "button", class: "second", onclick: more }, t("buy_more")),
    ),
  ),
  seatsOf(reservation, event),
];

/**
 * @param {string} outcome
 * @param {any} payment null where there is none
 * @param {{until: number, choose: () => void, join: () => void}} next `until` is 0 where the turn is used up
 */
export function ended(outcome, payment, { until, choose, join }) {
  const act = until
    ? h("button", { type: "button", onclick: choose }, t("choose_again"))
    : h("button", { type: "button", onclick: join }, t("join_again"));
  return [
    h("h1", {}, t(`${outcome}_title`)),
    h(
      "section",
      { class: "card" },
      outcome === "declined" && h("p", {}, bankSaid(payment)),
      h("p", {}, t(`${outcome}_says`)),
      h("p", {}, until ? t("still_your_turn", { time: clock(until) }) : t("turn_used")),
      h("div", { class: "acts" }, act, h("a", { class: "button second", href: "/" }, t("see_events"))),
    ),
  ];
}
