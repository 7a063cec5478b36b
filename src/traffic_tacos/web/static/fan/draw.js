/** The proof of a draw: what was fixed before it, and everybody's place worked out anew on this device. */

import { announce, h, retext, show } from "../lib/dom.js";
import { call, idInAddress, isExpected, keep, kept, read, Refused } from "../lib/server.js";
import { number, opening, speak, t, why } from "../lib/words.js";
import { EMPTY, entryOf, isSame, placesOf, withEntry } from "./proof.js";
import { sha256 } from "../lib/sha256.js";

const ID = idInAddress();
const NOTED = `draw.${ID}`; // the commitment that this device has seen before the draw
const SIZE_MAX = 1 << 30; // larger pools are none

/** Bytes as protobuf's JSON has them. @param {string} packed base64 */
const bytesOf = (packed = "") => Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));

/** @param {Uint8Array} bytes */
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const toEvent = () =>
  h("div", { class: "acts" }, h("a", { class: "button second", href: `/e/${encodeURIComponent(ID)}` }, t("see_event")));

async function view() {
  document.title = `${t("draw_title")} · Traffic Tacos`;
  show(h("h1", {}, t("draw_title")), h("p", { role: "status" }, t("loading")));
  try {
    const { event } = await read(`events/${encodeURIComponent(ID)}`);
    const { draw } = await call("tacos.waiting_room.v1.DrawService/GetDraw", { eventId: ID });
    const head = [h("p", { class: "muted" }, event.name), h("h1", {}, t("draw_title"))];
    if (draw.closedAt) await check(draw, head);
    else promise(draw, event, head);
  } catch (fault) {
    if (!isExpected(fault)) throw fault;
    const isNone = fault instanceof Refused && fault.code === "NOT_FOUND";
    const again = h("button", { type: "button", onclick: view }, t("try_again"));
    show(
      h("h1", {}, t("draw_title")),
      h("p", { class: isNone ? "notice" : "problem", role: "alert" }, isNone ? t("draw_none") : why(fault)),
      isNone ? toEvent() : h("div", { class: "acts" }, again),
    );
  }
}

/** Before the draw: what is fixed already. @param {any} draw @param {any} event @param {any[]} head */
function promise(draw, event, head) {
  const commitment = hex(bytesOf(draw.seedSha256));
  keep(NOTED, { commitment: kept(NOTED).commitment ?? commitment });
  show(
    head,
    h("p", {}, t("draw_says")),
    h("p", { class: "notice" }, t("opens_at", { time: opening(draw.opensAt, event.utc_offset_minutes) })),
    h(
      "section",
      { class: "card" },
      h("h2", {}, t("draw_commitment")),
      h("p", {}, h("code", {}, commitment)),
      h("p", {}, t("draw_commitment_says")),
    ),
    toEvent(),
  );
}

/** Work everything out anew, and show what came of it. @param {any} draw @param {any[]} head */
async function check(draw, head) {
  const [seed, commitment, digest] = [draw.seed, draw.seedSha256, draw.poolDigest].map(bytesOf);
  const size = Math.min(Number(draw.poolSize) || 0, SIZE_MAX);
  const bar = h("progress", { max: Math.max(1, size), value: 0, "aria-label": t("progress") });
  const status = h("p", { role: "status" }, t("draw_working", { n: 0, size }));
  show(head, status, bar);

  const waiting = kept(`event.${ID}`).waiting;
  const mine = waiting ? entryOf(waiting) : null;
  const placeOf = placesOf(seed, ID, digest, size);
  /** @type {{number: number, place: number} | null} */
  let own = null;
  let chain = EMPTY;
  let done = 0;
  let wrongAt = 0; // the first number whose place is another
  let isMore = size > 0;
  while (isMore) {
    const request = { eventId: ID, afterNumber: done };
    const page = await call("tacos.waiting_room.v1.DrawService/ListDrawEntries", request);
    for (const one of page.entries ?? []) {
      const entry = bytesOf(one.entry);
      chain = withEntry(chain, entry);
      done += 1;
      if (!wrongAt && (done > size || one.number !== done || one.place !== placeOf(done))) wrongAt = done;
      if (mine && isSame(entry, mine)) own = { number: one.number, place: one.place };
    }
    isMore = Boolean(page.hasNextPage && page.entries?.length);
    bar.value = done;
    retext(status, t("draw_working", { n: done, size }));
  }

  const noted = kept(NOTED).commitment;
  const checks = [
    noted && { isRight: noted === hex(commitment), says: "draw_noted" },
    { isRight: isSame(sha256(seed), commitment), says: "draw_seed" },
    { isRight: done === size && isSame(chain, digest), says: "draw_pool" },
    { isRight: !wrongAt, says: "draw_places" },
  ].filter(Boolean);
  const isRight = checks.every((one) => one.isRight);
  const verdict = t(isRight ? "draw_right" : "draw_wrong");
  announce(verdict);
  show(
    head,
    h("p", { class: isRight ? "notice" : "problem", role: "status" }, verdict),
    own && h("p", { class: "total" }, t("draw_mine", { number: own.number, place: own.place })),
    h(
      "section",
      { class: "card" },
      h("h2", {}, t("draw_checked")),
      h("ul", { class: "seats" }, checks.map(line)),
      wrongAt > 0 && h("p", {}, t("draw_wrong_at", { number: wrongAt })),
      !noted && h("p", { class: "hint" }, t("draw_not_noted")),
    ),
    h(
      "section",
      { class: "card" },
      h("h2", {}, t("draw_published")),
      h(
        "dl",
        { class: "facts" },
        [
          ["draw_size", number(size)],
          ["draw_commitment", hex(commitment)],
          ["draw_the_seed", hex(seed)],
          ["draw_digest", hex(digest)],
        ].map(([key, value]) => [h("dt", {}, t(key)), h("dd", {}, h("code", {}, value))]),
      ),
      h("p", { class: "hint" }, t("draw_elsewhere")),
      h("p", {}, h("code", {}, `tacos draw verify ${ID}`)),
    ),
    toEvent(),
  );
}

/** @param {{isRight: boolean, says: string}} one */
const line = ({ isRight, says }) =>
  h("li", {}, h("span", {}, t(says)), h("strong", {}, isRight ? `✓ ${t("draw_yes")}` : `✗ ${t("draw_no")}`));

await speak(view, "draw");
await view();
