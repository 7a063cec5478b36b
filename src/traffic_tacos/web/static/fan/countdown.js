/** How much time is left, by the server's clock: shown four times a second, and spoken three times in all. */

import { again, announce, h, retext } from "../lib/dom.js";
import { now } from "../lib/server.js";
import { clock, t } from "../lib/words.js";

const TICK = 250; // milliseconds
const SPOKEN = [60, 30, 10]; // seconds that are left
const SHORT = 15;

/**
 * @param {() => number} deadline milliseconds; it may move
 * @param {string} title what stands in the page's title behind the time
 * @param {AbortSignal} signal
 */
export function countdown(deadline, title, signal) {
  const count = h("div", { class: "countdown", role: "timer", "aria-live": "off" });
  const until = h("p", { class: "hint" });
  const spoken = new Set(SPOKEN.filter((left) => left > (deadline() - now()) / 1000));

  const ticking = () =>
    again(signal, () => {
      if (!count.isConnected) return null;
      const left = Math.max(0, Math.ceil((deadline() - now()) / 1000));
      retext(count, `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`);
      retext(until, t("held_until", { time: clock(deadline()) }));
      count.classList.toggle("short", left <= SHORT);
      document.title = `${count.textContent} · ${title}`;
      if (SPOKEN.some((one) => left <= one && !spoken.has(one))) {
        SPOKEN.filter((one) => one >= left).forEach((one) => spoken.add(one));
        announce(t("seconds_left", { n: left }));
      }
      return TICK;
    });
  return { count, until, ticking };
}
