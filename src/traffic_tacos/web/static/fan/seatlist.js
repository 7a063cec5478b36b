/** The seats of a reservation, with what each of them costs. */

import { h } from "../lib/dom.js";
import { seatName } from "../lib/seatname.js";
import { money, t } from "../lib/words.js";

/** @param {any} reservation @param {any} event */
export function seatLines(reservation, event) {
  const seats = reservation.seats.map((/** @type {any} */ seat) =>
    h(
      "li",
      {},
      h("span", {}, seatName(seat, event)),
      h("span", {}, money(seat.price?.amount ?? 0, event)),
    ),
  );
  const total = money(reservation.totalAmount?.amount ?? 0, event);
  return [
    h("ul", { class: "seats" }, seats),
    h("p", { class: "total" }, h("span", {}, t("total")), h("span", {}, total)),
  ];
}

/** The same with a heading. @param {any} reservation @param {any} event */
export const seatsOf = (reservation, event) =>
  h("section", { class: "card" }, h("h2", {}, t("your_seats")), seatLines(reservation, event));

/** Where its tickets are. @param {any} reservation */
export const ticketsAt = (reservation) => `/t/${encodeURIComponent(reservation.reservationId)}`;
