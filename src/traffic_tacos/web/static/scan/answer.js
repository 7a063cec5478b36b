/** What the door says of a ticket, to be distinguished at a glance: each answer has a shape, words and a colour of its own. */

import { h, svg } from "../lib/dom.js";
import { seatNameById } from "../lib/seatname.js";
import { clock, t } from "../lib/words.js";

const SHAPES = {
  enter: ["M24 3a21 21 0 1 1 0 42a21 21 0 1 1 0-42z", "M13 25l8 8 15-17"],
  entered: ["M4 4h28v28h-28z", "M38 16h6v28h-28v-6"],
  other_event: ["M24 2l22 22-22 22-22-22z", "M14 20h20M14 28h20M29 14l-10 20"],
  returned: ["M4 8h40v32h-40z", "M19 16l-7 7 7 7M12 23h22v9"],
  forged: ["M15 3h18l12 12v18l-12 12h-18l-12-12v-18z", "M16 16l16 16M32 16l-16 16"],
  unsure: ["M24 3l22 41h-44z", "M19 22a5 5 0 1 1 6 5v4M25 36v2"],
};

/**
 * @param {import("./door.js").Answer} answer
 * @param {boolean} isSent whether the server has received it
 * @param {any} plan of the seats; undefined where none is known
 */
export function answered({ verdict, scan, entry }, isSent, plan) {
  const lines = [
    verdict === "entered" && entry && t("scan_entered_by", { scanner: nameOf(entry.scanner) }),
    t(`scan_${verdict}_says`),
    verdict === "enter" && !isSent && t("scan_noted"),
    scan && seatNameById(scan.seat, plan),
  ];
  const says = verdict === "entered" && entry ? t("scan_entered_at", { time: clock(entry.at) }) : t(`scan_${verdict}`);
  return h(
    "section",
    { class: `verdict ${verdict}` },
    svg(
      "svg",
      { viewBox: "0 0 48 48", "aria-hidden": "true" },
      SHAPES[verdict].map((path) => svg("path", { d: path })),
    ),
    h(
      "div",
      {},
      h("h2", {}, says),
      lines.filter(Boolean).map((line) => h("p", {}, line)),
    ),
  );
}

/** What was said at the door and is not so by the server's word. @param {import("./book.js").Conflict} conflict @param {any} plan */
export function conflictWords({ verdict, seat, at, entry }, plan) {
  const here = { seat: seatNameById(seat, plan), time: clock(at) };
  if (verdict === "entered" && entry) {
    return t("scan_conflict_entered", { ...here, scanner: nameOf(entry.scanner), other: clock(entry.at) });
  }
  return t(verdict === "returned" ? "scan_conflict_returned" : "scan_conflict_refused", here);
}

/** A scanner's name as it was typed: on its way it was percent-encoded, unless another program has made it. @param {string} scanner */
function nameOf(scanner) {
  try {
    return decodeURIComponent(scanner);
  } catch {
    return scanner;
  }
}
