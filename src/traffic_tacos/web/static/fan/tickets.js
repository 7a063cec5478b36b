/** The tickets of an order, to show at the door or to print: one for each seat. */

import { bitsOf } from "../lib/bits.js";
import { h, show, svg } from "../lib/dom.js";
import { idInAddress, isExpected, keptInTab, read, Refused } from "../lib/server.js";
import { seatName } from "../lib/seatname.js";
import { venueOf, speak, startOf, t, why } from "../lib/words.js";
import { copied } from "./copied.js";
import { askAs, everybody, fanOf } from "./fan.js";
import { signInFrom } from "./member.js";

const ID = idInAddress();
const OF_OTHERS = new Set(["NOT_FOUND", "UNAUTHENTICATED"]); // it is somebody else's, or who asks is nobody any more
const QUIET = 4; // modules round a QR code

/** The tickets, and their event: whoever is signed in here or whichever guest of this device has bought them. */
async function tickets() {
  for (const way of everybody()) {
    try {
      const fan = await fanOf(way);
      const request = { reservationId: ID };
      const found = await askAs(fan, "tacos.admission.v1.TicketService/ListTickets", request);
      const { reservation } = await askAs(fan, "gateway.v1.GatewayService/GetReservation", request);
      const { event } = await read(`events/${encodeURIComponent(reservation.eventId)}`);
      return { event, tickets: found.tickets ?? [] };
    } catch (fault) {
      if (!(fault instanceof Refused) || !OF_OTHERS.has(fault.code)) throw fault;
    }
  }
  return null;
}

/** A QR code, drawn as one path. @param {string} packed base64 @param {number} side modules */
function codeOf(packed, side) {
  const isDark = bitsOf(packed);
  let path = "";
  for (let i = 0; i < side * side; i++) if (isDark(i)) path += `M${i % side} ${Math.floor(i / side)}h1v1h-1z`;
  const whole = side + 2 * QUIET;
  return svg(
    "svg",
    { class: "qr", viewBox: `${-QUIET} ${-QUIET} ${whole} ${whole}`, role: "img", "aria-label": t("qr_code") },
    svg("rect", { x: -QUIET, y: -QUIET, width: whole, height: whole, fill: "#fff" }),
    svg("path", { d: path, fill: "#000" }),
  );
}

/** The ticket's code as text: a scanner without a camera takes what is typed or pasted. @param {string} text */
function textOf(text) {
  return h(
    "details",
    {},
    h("summary", {}, t("ticket_code")),
    h("p", { class: "hint" }, t("ticket_code_says")),
    copied(text, t("ticket_code"), 4),
  );
}

/** @param {any} ticket @param {any} event @param {string} which of how many it is; "" where it is the only one */
function ticketOf(ticket, event, which) {
  return h(
    "article",
    { class: "card ticket" },
    codeOf(ticket.qr, ticket.qrSide),
    h(
      "div",
      {},
      which && h("p", { class: "muted" }, which),
      h("h2", {}, event.name),
      event.starts_at && h("p", {}, startOf(event)),
      event.venue.name && h("p", { class: "muted" }, venueOf(event)),
      h("p", { class: "total" }, seatName(ticket.seat, event)),
      ticket.checkedIn && h("p", { class: "notice" }, t("ticket_used")),
      h("p", { class: "hint" }, t("ticket_once")),
      textOf(ticket.ticket),
    ),
  );
}

async function view() {
  document.title = `${t("tickets_title")} · Traffic Tacos`;
  show(h("h1", {}, t("tickets_title")), h("p", { role: "status" }, t("loading")));
  try {
    const found = await tickets();
    const signIn = found === null && !keptInTab("account") && (await signInFrom(location.pathname));
    const print = h("button", { type: "button", onclick: () => window.print() }, t("print"));
    show(
      h("h1", {}, t("tickets_title")),
      found === null &&
        h("p", { class: "notice" }, t(keptInTab("account") || signIn ? "no_tickets_account" : "no_tickets")),
      found?.tickets.map((/** @type {any} */ ticket, /** @type {number} */ i) =>
        ticketOf(ticket, found.event, found.tickets.length > 1 ? t("ticket_of", { n: i + 1, of: found.tickets.length }) : ""),
      ),
      h(
        "div",
        { class: "acts" },
        found && print,
        signIn,
        h("a", { class: "button second", href: "/orders" }, t("my_orders")),
      ),
    );
  } catch (fault) {
    if (!isExpected(fault)) throw fault;
    const again = h("button", { type: "button", onclick: view }, t("try_again"));
    show(h("h1", {}, t("tickets_title")), h("p", { class: "problem", role: "alert" }, why(fault)), again);
  }
}

await speak(view, "mine");
await view();
