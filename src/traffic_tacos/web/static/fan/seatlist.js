/** The seats of a reservation, with what each of them costs. */

import { h } from "../lib/dom.js";
import { seatName } from "../lib/seatname.js";
import { money, number, t } from "../lib/words.js";

/** One line for each seat; places to stand, which are alike, have one together. @param {any} reservation @param {any} event */
export function seatLines(reservation, event) {
  /** @type {Map<string, {name: string, price: number, count: number}>} */
  const lines = new Map();
  for (const seat of reservation.seats) {
    const [name, price] = [seatName(seat, event), Number(seat.price?.amount ?? 0)];
    const line = lines.get(`${name} ${price}`) ?? { name, price, count: 0 };
    lines.set(`${name} ${price}`, { ...line, count: line.count + 1 });
  }
  const seats = [...lines.values()].map(({ name, price, count }) =>
    h(
      "li",
      {},
      h("span", {}, count > 1 ? `${number(count)} × ${name}` : name),
      h("span", {}, money(price * count, event)),
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
