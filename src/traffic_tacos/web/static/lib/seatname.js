/** What a seat is called wherever people read it; a place to stand is not called by a row and a number. */

import { seatsOf } from "./plan.js";
import { t } from "./words.js";

/**
 * @typedef {object} Seat
 * @property {string} section as people call it
 * @property {string} row
 * @property {string} number
 * @property {boolean} standing whether it is a place to stand, in a section without rows
 */

/** @param {Seat} seat */
export function nameOf({ section, row, number, standing }) {
  if (!standing) return t("seat_full", { section, row, seat: number });
  const says = section.toLowerCase().includes(t("standing").toLowerCase()); // as in "Standing floor"
  return says ? section : t("seat_standing", { section });
}

/** Of a reservation or a ticket. @param {any} seat @param {any} event */
export const seatName = (seat, event) =>
  nameOf({
    ...seat,
    section: event.section_names[seat.section] ?? seat.section,
    standing: Boolean(event.standing?.includes(seat.section)),
  });

/** By its id: the id itself where the plan does not have it, or there is no plan. @param {string} id @param {any} plan */
export function seatNameById(id, plan) {
  for (const { name, standing, rows } of plan?.sections ?? []) {
    for (const row of rows) {
      const isElsewhere = typeof row.ids === "string" ? !id.startsWith(row.ids) : !row.ids.includes(id);
      const seat = isElsewhere ? undefined : seatsOf(row).find((one) => one.id === id);
      if (seat) return nameOf({ section: name, row: row.label || row.id, number: seat.number, standing });
    }
  }
  return id;
}
