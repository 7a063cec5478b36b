/** The door: what a ticket is answered, by the server where there is a connection and else by what this device knows. */

import { all, call, isExpected, newKey, now, read, Refused, Unreachable } from "../lib/server.js";
import * as book from "./book.js";
import { keyNameOf, keysOf, opened } from "./ticket.js";

/** @typedef {"enter" | "entered" | "other_event" | "returned" | "forged" | "unsure"} Verdict */
/** @typedef {{verdict: Verdict, scan?: import("./book.js").Scan, entry?: import("./book.js").Entry}} Answer */

const DOOR = "tacos.admission.v1.DoorService";
const TIMEOUT = 4000; // milliseconds that somebody stands there for the server's answer
const TIMEOUT_OFFLINE = 1000; // the same where there was no connection just before
const KEYS_ASKED = 10_000; // milliseconds between two looks for a key that is not known here
const PAGE = 100;
const WHY = "taken back at the scanner";

/** How the server's refusals of a ticket read at the door. */
const REFUSALS = /** @type {Record<string, Verdict>} */ ({
  UNAUTHENTICATED: "forged",
  FORBIDDEN: "other_event",
  FAILED_PRECONDITION: "returned",
  NOT_FOUND: "forged",
});
const OF_TOKEN = new Set(["UNAUTHENTICATED", "FORBIDDEN"]); // unless they name the ticket
const OF_ONE_SCAN = new Set(["DATA_CORRUPTION", "INTERNAL", "INVALID_ARGUMENT"]); // those behind it are sent all the same

export class Door {
  /** @param {string} token @param {string} scanner its name @param {import("./book.js").Known} event */
  constructor(token, scanner, event) {
    this.event = event;
    this.isConnected = true;
    this.isKnown = true; // whether the server takes the token
    this.canCheck = true; // whether this browser can recognise a forgery
    this.token = token;
    this.scanner = encodeURIComponent(scanner); // the server's names are ASCII
    this.changed = () => {}; // called when something is to be shown
    this.listedAt = 0; // when the lists were fetched, by this device's clock
    /** @type {import("./ticket.js").Keys | null} */
    this.keys = null;
    this.keysAsked = 0;
    /** @type {Promise<void> | null} */
    this.sending = null;
  }

  /** By what this device knows already. */
  async open() {
    this.keys = await keysOf(this.event.keys);
    this.canCheck = this.keys !== null;
  }

  /** What is to be said of a scanned text. Who may enter is noted before it is said. @param {string} text @returns {Promise<Answer>} */
  async check(text) {
    const ticket = this.canCheck ? await this.opened(text) : unchecked(text);
    if (!ticket) return { verdict: "forged" };
    if (ticket.event !== this.event.id) return { verdict: "other_event" };
    const scan = { ...ticket, scan: newKey(), text, at: now() };
    const timeout = this.isConnected ? TIMEOUT : TIMEOUT_OFFLINE;
    const said = this.isKnown ? await Promise.race([this.asked(scan), later(timeout)]) : null;
    if (said) return said;
    if (!this.canCheck) return { verdict: "unsure" };
    return { scan, ...(await book.decide(scan, this.scanner)) };
  }

  /** @param {string} text */
  async opened(text) {
    const isNew = keyNameOf(text) && !this.keys?.has(keyNameOf(text));
    if (isNew && Date.now() - this.keysAsked > KEYS_ASKED) {
      this.keysAsked = Date.now();
      await this.reached(async () => this.keep({ keys: await keySet() }));
    }
    return this.keys && opened(text, this.keys, now());
  }

  /** The server's word, noted here; null when there is none. @param {import("./book.js").Scan} scan @returns {Promise<Answer | null>} */
  async asked(scan) {
    const checked = await this.reached(() => this.checkIn(scan));
    if (!checked) return null;
    const { verdict, entry } = checked;
    try {
      if (entry) await book.note(entry);
      if (verdict === "returned") await book.noteReturned(scan.event, scan.reservation);
    } catch (fault) {
      reportError(fault); // the server has noted it: its word is good without ours
    }
    return { verdict, entry, scan };
  }

  /** @param {import("./book.js").Scan} scan @returns {Promise<{verdict: Verdict, entry?: import("./book.js").Entry}>} */
  async checkIn({ scan, event, text, at }) {
    const scannedAt = new Date(at).toISOString();
    const request = { ticket: text, eventId: event, scannerId: this.scanner, scanId: scan, scannedAt };
    try {
      const answer = await this.call("CheckIn", request);
      return { verdict: answer.entered ? "enter" : "entered", entry: entryOf(event, answer.checkedIn) };
    } catch (fault) {
      if (!(fault instanceof Refused) || !REFUSALS[fault.code]) throw fault;
      if (OF_TOKEN.has(fault.code) && fault.field !== "ticket") throw fault;
      return { verdict: REFUSALS[fault.code] };
    }
  }

  /** Take back what was said of a scan. @param {import("./book.js").Scan} scan */
  async undo(scan) {
    await book.undo(scan);
    await this.send();
  }

  /** Send the server the scans that it has not received. @returns {Promise<void>} */
  send() {
    this.sending ??= this.reached(() => this.sendAll())
      .then(() => undefined)
      .finally(() => (this.sending = null));
    return this.sending;
  }

  async sendAll() {
    for (const scan of await book.scans()) {
      try {
        await this.sendOne(scan);
      } catch (fault) {
        if (!(fault instanceof Refused) || !OF_ONE_SCAN.has(fault.code)) throw fault;
      }
      this.changed();
    }
  }

  /** @param {import("./book.js").Scan} scan */
  async sendOne(scan) {
    const { verdict, entry = null } = await this.checkIn(scan);
    const isIn = verdict === "enter";
    if (scan.undone) {
      // Sent again it is the same answer: so what somebody else has let in since is never taken back.
      if (isIn) await this.call("UndoCheckIn", { ticket: scan.text, eventId: scan.event, reason: WHY });
      return book.markSent(scan, isIn ? null : entry, null);
    }
    const { event, reservation, seat, at } = scan;
    const conflict = { scan: scan.scan, event, reservation, seat, at, verdict, entry };
    return book.markSent(scan, entry, isIn ? null : conflict);
  }

  /** Fetch the keys and the lists anew. Whether that was done. */
  async fetchLists() {
    const asked = Date.now();
    const done = await this.reached(async () => {
      const keys = await keySet();
      const { event } = await read(`events/${encodeURIComponent(this.event.id)}`); // and with it the server's time
      const entered = await this.listed("ListCheckIns", "checkIns");
      const returned = await this.listed("ListReturned", "reservationIds");
      this.event = { id: event.id, name: event.name, keys, plan: await this.planOf(event), at: now() };
      const entries = entered.map((one) => entryOf(this.event.id, one));
      await book.keepLists(this.event, entries, returned, asked);
      await this.open();
      this.listedAt = asked;
      return true;
    });
    return done === true;
  }

  /** Where the seats are, so that they are called as people call them; what was known before, where it cannot be had. @param {any} event */
  async planOf({ id, revision }) {
    const known = this.event.plan;
    if (known?.revision === revision) return known;
    try {
      return await read(`plan/${encodeURIComponent(id)}/${encodeURIComponent(revision)}`);
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      return known;
    }
  }

  /** @param {Partial<import("./book.js").Known>} change */
  async keep(change) {
    this.event = { ...this.event, ...change };
    await this.open();
  }

  /** All pages of a list. @param {string} rpc @param {string} field */
  listed(rpc, field) {
    return all(async (cursor) => {
      const page = await this.call(rpc, { eventId: this.event.id, pagination: { pageSize: PAGE, cursor } });
      return { items: page[field] ?? [], next: page.pageInfo?.nextCursor ?? "" };
    });
  }

  /** @param {string} rpc @param {any} request */
  call(rpc, request) {
    return call(`${DOOR}/${rpc}`, request, this.token);
  }

  /** What a call answers; null where the server cannot be asked now, which is remembered to be shown. @template T @param {() => Promise<T>} ask @returns {Promise<T | null>} */
  async reached(ask) {
    try {
      const answer = await ask();
      this.isConnected = true;
      return answer;
    } catch (fault) {
      if (!(fault instanceof Refused) && !(fault instanceof Unreachable)) throw fault;
      this.isConnected = fault instanceof Refused;
      if (fault instanceof Refused && OF_TOKEN.has(fault.code)) this.isKnown = false;
      return null;
    } finally {
      this.changed();
    }
  }
}

/** @param {string} event @param {any} checkIn @returns {import("./book.js").Entry} */
function entryOf(event, { reservationId: reservation, seatId: seat, scannerId: scanner, scanId: scan, scannedAt }) {
  return { event, reservation, seat, scanner, scan, at: Date.parse(scannedAt), noted: Date.now() };
}

/** The events there are, all pages of them. */
export const onSale = () =>
  all(async (cursor) => {
    const page = await read(`events?cursor=${encodeURIComponent(cursor)}`);
    return { items: page.events, next: page.next };
  });

/** @returns {Promise<{keys: any[]}>} */
async function keySet() {
  try {
    const answer = await fetch("/.well-known/jwks.json", { cache: "no-cache", signal: AbortSignal.timeout(TIMEOUT) });
    if (answer.ok) return await answer.json();
  } catch (fault) {
    throw new Unreachable(String(fault));
  }
  throw new Unreachable("the keys were not served");
}

/** Where the browser cannot check a ticket the server does: here it is only asked which it says it is. @param {string} text */
function unchecked(text) {
  try {
    const { aud, sub, seat } = JSON.parse(atob(text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return { event: String(aud), reservation: String(sub), seat: String(seat) };
  } catch {
    return null;
  }
}

/** @param {number} pause milliseconds @returns {Promise<null>} */
const later = (pause) => new Promise((resolve) => setTimeout(() => resolve(null), pause));
