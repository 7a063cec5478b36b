/** One block's seats as buttons: one stop for the Tab key, arrows from seat to seat. */

import { h, whenIdle } from "../lib/dom.js";
import { money, t } from "../lib/words.js";
import { seatsOf } from "../lib/plan.js";

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
// Seats that come with the first picture, which is there within 50 ms of the press on a slow phone; all others follow right
// behind it, so many at a time that a finger never waits.
const AT_ONCE = 40;
const AT_A_TIME = 120;
const LATEST = 200; // milliseconds after which they come even if the browser is never idle

/** @typedef {{button: any, seat: import("../lib/plan.js").Seat, row: any, says: string}} Placed */

// Every seat begins as a copy of it, which takes less time than an element that is made anew.
const SEAT = h("button", { type: "button", class: "seat", tabindex: -1, "aria-disabled": "true", "aria-pressed": "false" });
const UNSAID = "true false"; // what that says of itself, as `say` writes it

/**
 * @param {object} of
 * @param {any} of.section
 * @param {any} of.event
 * @param {boolean} of.accessible whether seats kept for who needs them may be chosen
 * @param {(index: number) => boolean} of.isFree as it is known now
 * @param {Map<string, any>} of.chosen by seats' ids, as it is now
 * @param {(seat: import("../lib/plan.js").Seat, row: any) => void} of.choose
 */
export function blockOf({ section, event, accessible, isFree, chosen, choose }) {
  /** @type {Placed[][]} as far as they are there */
  const rows = [];
  /** @type {Map<any, Placed>} */
  const placed = new Map();
  const letters = h("div", { class: "letters", "aria-hidden": "true" });
  const inside = h("div", { class: "rows" });
  const [widest] = [...section.rows].sort((one, other) => other.seats - one.seats || other.aisles.length - one.aisles.length);
  inside.style.setProperty("--seats", String(widest?.seats ?? 0));
  inside.style.setProperty("--aisles", String(widest?.aisles.length ?? 0));
  const element = h(
    "div",
    {
      class: "grid",
      role: "group",
      "aria-label": t("seats_of", { section: section.name }),
      onkeydown: move,
      onclick: press,
      onpointerover: name,
    },
    h("div", {}, letters, inside),
  );
  /** @type {any} the one stop for the Tab key */
  let stop = null;

  /** Put more rows there, until so many seats have come. @param {number} count */
  function add(count) {
    for (let seats = 0; seats < count && rows.length < section.rows.length; ) {
      const row = section.rows[rows.length];
      const label = row.label || row.id;
      const names = namesOf(label);
      const made = seatsOf(row).map((seat) => seatButton(seat, row, names));
      rows.push(made);
      seats += made.length;
      letters.append(h("div", {}, label));
      inside.append(
        h(
          "div",
          { class: "row", role: "group", "aria-label": t("row", { row: label }) },
          made.map(({ button, seat }) => [button, seat.aisle && h("i", { class: "aisle" })]),
        ),
      );
    }
    if (!stop && rows[0]?.[0]) {
      stop = rows[0][0].button;
      stop.tabIndex = 0;
    }
  }

  function more() {
    if (!element.isConnected || rows.length === section.rows.length) return;
    add(AT_A_TIME);
    whenIdle(more, LATEST);
  }

  /** What the seats of a row are called: words and price are put together once for all that differ by their number. @param {string} label */
  function namesOf(label) {
    /** @type {Map<string, string[]>} */
    const around = new Map();
    return (/** @type {import("../lib/plan.js").Seat} */ { accessible: isKept, price, number }) => {
      const like = `${isKept} ${price}`;
      const key = isKept ? "seat_name_accessible" : "seat_name";
      const parts = around.get(like) ?? t(key, { row: label, seat: "\n", price: money(price, event) }).split("\n");
      around.set(like, parts);
      return parts.join(number);
    };
  }

  /** @param {import("../lib/plan.js").Seat} seat @param {any} row @param {(seat: import("../lib/plan.js").Seat) => string} names */
  function seatButton(seat, row, names) {
    const button = /** @type {any} */ (SEAT.cloneNode());
    if (seat.accessible) button.classList.add("accessible");
    button.setAttribute("aria-label", names(seat));
    button.textContent = seat.number;
    const one = { button, seat, row, says: UNSAID };
    placed.set(button, one);
    say(one);
    return one;
  }

  /** A pointer on a seat reads its name. @param {any} event_ */
  function name({ target }) {
    if (placed.has(target)) target.title = target.getAttribute("aria-label");
  }

  /** @param {any} event_ */
  function press(event_) {
    const one = placed.get(event_.target);
    if (one && can(one)) choose(one.seat, one.row);
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
    stop.tabIndex = -1;
    stop = button;
    stop.tabIndex = 0;
    stop.focus();
  }

  /** Whether it can be chosen, or given back. @param {Placed} one */
  function can({ seat }) {
    return chosen.has(seat.id) || (isFree(seat.index) && (accessible || !seat.accessible));
  }

  /** Show whether it can be chosen, and whether it is. @param {Placed} one */
  function say(one) {
    const says = `${!can(one)} ${chosen.has(one.seat.id)}`;
    if (says === one.says) return;
    one.says = says;
    const [disabled, pressed] = says.split(" ");
    one.button.setAttribute("aria-disabled", disabled);
    one.button.setAttribute("aria-pressed", pressed);
  }

  /** Once it is on the page: the middle of the rows comes into the middle. */
  function shown() {
    requestAnimationFrame(() => {
      element.scrollLeft = (element.scrollWidth - element.clientWidth) / 2;
      whenIdle(more, LATEST);
    });
  }

  /** Show which seats can be chosen, and which are. */
  function update() {
    for (const one of placed.values()) say(one);
  }

  add(AT_ONCE);
  return { element, update, shown };
}
