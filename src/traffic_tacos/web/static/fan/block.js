/** One block's seats as buttons: one stop for the Tab key, arrows from seat to seat. */

import { h } from "../lib/dom.js";
import { money, t } from "../lib/words.js";
import { seatsOf } from "./plan.js";

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * @param {object} of
 * @param {any} of.section
 * @param {any} of.event
 * @param {boolean} of.accessible whether seats kept for who needs them may be chosen
 * @param {(seat: import("./plan.js").Seat, row: any) => void} of.choose
 */
export function blockOf({ section, event, accessible, choose }) {
  /** @type {{button: any, seat: import("./plan.js").Seat}[][]} */
  const rows = section.rows.map((/** @type {any} */ row) =>
    seatsOf(row).map((seat) => ({ seat, button: seatButton(seat, row) })),
  );

  /** @param {import("./plan.js").Seat} seat @param {any} row */
  function seatButton(seat, row) {
    const place = { row: row.label || row.id, seat: seat.number, price: money(seat.price, event) };
    const name = t(seat.accessible ? "seat_name_accessible" : "seat_name", place);
    const press = () => button.getAttribute("aria-disabled") !== "true" && choose(seat, row);
    const button = h(
      "button",
      {
        type: "button",
        class: seat.accessible ? "seat accessible" : "seat",
        tabindex: -1,
        "aria-label": name,
        "aria-pressed": "false",
        title: name,
        onclick: press,
      },
      seat.number,
    );
    return button;
  }

  /** @param {any} event_ */
  function move(event_) {
    const step = STEPS[/** @type {keyof typeof STEPS} */ (event_.key)];
    const at = rows.findIndex((row) => row.some((one) => one.button === event_.target));
    if (!step || at < 0) return;
    event_.preventDefault();
    const row = rows[Math.min(rows.length - 1, Math.max(0, at + step[0]))];
    const column = rows[at].findIndex((one) => one.button === event_.target);
    const from = step[0] ? nearest(row, event_.target) : column + step[1];
    focus(row[Math.min(row.length - 1, Math.max(0, from))].button);
  }

  /** The seat of another row that stands nearest to a seat. @param {{button: any}[]} row @param {any} target */
  function nearest(row, target) {
    const gaps = row.map((one) =>
      Math.abs(
        one.button.offsetLeft + one.button.parentNode.offsetLeft - target.offsetLeft - target.parentNode.offsetLeft,
      ),
    );
    return gaps.indexOf(Math.min(...gaps));
  }

  /** @param {any} button */
  function focus(button) {
    for (const one of rows.flat()) one.button.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  }

  const lines = rows.map((row, i) =>
    h(
      "div",
      { class: "row", role: "group", "aria-label": t("row", { row: section.rows[i].label || section.rows[i].id }) },
      h("span", { "aria-hidden": "true" }, section.rows[i].label || section.rows[i].id),
      row.map(({ button, seat }) => [button, seat.aisle && h("i", { class: "aisle" })]).flat(),
    ),
  );
  const element = h(
    "div",
    { class: "grid", role: "group", "aria-label": t("seats_of", { section: section.name }), onkeydown: move },
    h("div", {}, lines),
  );
  const first = rows.flat()[0];
  if (first) first.button.tabIndex = 0;

  /**
   * Show which seats can be chosen, and which are.
   * @param {(index: number) => boolean} isFree
   * @param {Map<string, any>} chosen
   */
  function update(isFree, chosen) {
    for (const { button, seat } of rows.flat()) {
      const can = chosen.has(seat.id) || (isFree(seat.index) && (accessible || !seat.accessible));
      button.setAttribute("aria-disabled", String(!can));
      button.setAttribute("aria-pressed", String(chosen.has(seat.id)));
    }
  }
  return { element, update };
}
