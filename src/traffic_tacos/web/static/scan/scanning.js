/** Scanning: by camera, by a scanner that types, or by hand; and what of it the server has received. */

import { again, announce, begin, complain, h, retext, show } from "../lib/dom.js";
import { seatNameById } from "../lib/seatname.js";
import { clock, t } from "../lib/words.js";
import { answered, conflictWords } from "./answer.js";
import * as book from "./book.js";
import * as camera from "./camera.js";

const TRIED_AGAIN = 3000; // milliseconds, while there is no connection or something is to be sent
const LOOKED = 15_000; // milliseconds, while nothing is
const LISTS_KEPT = 300_000; // milliseconds, while there is a connection

/**
 * What scanning is given.
 * @typedef {object} Stage
 * @property {import("./door.js").Door} door
 * @property {AbortSignal} signal ends when something else is shown
 * @property {() => boolean} isKept whether the page opens without a connection
 * @property {() => void} leave to another event
 * @property {() => void} signIn to another token
 */

/** @param {Stage} stage */
export async function view({ door, signal, isKept, leave, signIn }) {
  /** @type {import("./book.js").Scan | undefined} */
  let last; // who was let in last, to be taken back
  let checking = Promise.resolve();
  const code = h("input", { id: "code", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const answer = h("div", { "aria-live": "assertive", "aria-atomic": "true", id: "answer" });
  const conflicts = h("div", { role: "alert" });
  const state = h("p", { class: "hint", role: "status" });
  const trouble = h("div", { role: "alert" });
  const undo = h("button", { type: "button", class: "second", hidden: true, onclick: takeBack });
  const canSee = await camera.canRead();

  show(
    h("h1", {}, door.event.name),
    state,
    trouble,
    conflicts,
    answer,
    canSee ? seeing() : h("p", { class: "notice" }, t("scan_no_camera")),
    h(
      "form",
      { class: "card", onsubmit: typed },
      h("label", { for: "code" }, t("scan_code")),
      code,
      h("p", { class: "hint" }, t("scan_code_says")),
      h("div", { class: "acts" }, h("button", { type: "submit" }, t("scan_check")), undo),
    ),
    h(
      "div",
      { class: "acts" },
      h("button", { type: "button", class: "second", onclick: leave }, t("scan_other")),
      h("button", { type: "button", class: "second", onclick: signIn }, t("scan_sign_out")),
    ),
  );
  if (!canSee) code.focus();
  door.changed = () => void refresh();
  await refresh();
  addEventListener("online", () => void step(), { signal });
  void again(signal, step);

  /** Send what is to be sent, and look at the lists anew. */
  async function step() {
    if (!door.isKnown) return LOOKED;
    await door.send();
    if (!door.isConnected || Date.now() - door.listedAt > LISTS_KEPT) await door.fetchLists();
    return !door.isConnected || (await book.scans()).length ? TRIED_AGAIN : LOOKED;
  }

  /** How it stands with the server. */
  async function refresh() {
    const unsent = (await book.scans()).length;
    const found = await book.conflicts();
    if (signal.aborted) return;
    const words = [
      t(door.isConnected ? "scan_online" : "scan_offline"),
      unsent > 0 && t("scan_unsent", { n: unsent }),
      t("scan_lists", { time: clock(door.event.at) }),
      !isKept() && t("scan_not_kept"),
      !door.canCheck && t("scan_cannot_check"),
    ];
    retext(state, words.filter(Boolean).join(" "));
    const isShown = trouble.childElementCount > 0;
    if (!door.isKnown && !isShown) complain(trouble, t("scan_signed_out"));
    const shown = [...conflicts.children].map((/** @type {any} */ one) => one.id).join(" ");
    if (shown !== found.map((one) => `conflict-${one.scan}`).join(" "))
      conflicts.replaceChildren(...found.map(conflictOf));
  }

  /** @param {import("./book.js").Conflict} conflict */
  function conflictOf(conflict) {
    const dismiss = async () => {
      await book.dismiss(conflict.scan);
      await refresh();
      code.focus();
    };
    return h(
      "section",
      { class: "problem", id: `conflict-${conflict.scan}` },
      h("h2", {}, t(conflict.verdict === "entered" ? "scan_conflict" : "scan_mistake")),
      h("p", {}, conflictWords(conflict, door.event.plan)),
      h("button", { type: "button", class: "second", onclick: dismiss }, t("scan_dismiss")),
    );
  }

  /** One after another: a ticket that comes while another is checked is not lost. @param {string} text */
  const check = (text) => (checking = checking.then(() => checkNow(text)));

  /** What was said of the ticket before is gone at once, so that it is not taken for this one's answer. @param {string} text */
  async function checkNow(text) {
    if (!text || signal.aborted) return;
    answer.replaceChildren(h("p", { class: "notice" }, t("loading")));
    try {
      const said = await door.check(text);
      const unsent = await book.scans();
      const isSent = unsent.every(({ scan }) => scan !== said.scan?.scan);
      answer.replaceChildren(answered(said, isSent, door.event.plan));
      if (said.verdict === "enter" && said.scan) {
        last = said.scan;
        undo.hidden = false;
        retext(undo, t("scan_undo", { seat: seatNameById(last.seat, door.event.plan) }));
      }
    } catch (fault) {
      complain(answer, t("scan_failed"));
      reportError(fault);
    }
    await refresh();
  }

  /** @param {SubmitEvent} event */
  async function typed(event) {
    event.preventDefault();
    const text = code.value.trim();
    code.value = ""; // a hand scanner may type the next one before this one is answered
    code.focus();
    await check(text);
  }

  async function takeBack() {
    if (!last || !begin(undo)) return;
    const seat = seatNameById(last.seat, door.event.plan);
    await door.undo(last);
    last = undefined;
    undo.removeAttribute("aria-busy");
    undo.hidden = true;
    answer.replaceChildren(h("p", { class: "notice" }, t("scan_undone", { seat })));
    await refresh();
    code.focus();
  }

  /** What the camera sees; it is asked for by a button, since browsers ask whether it may. */
  function seeing() {
    const video = h("video", { class: "camera", muted: true, playsinline: true, hidden: true, "aria-hidden": "true" });
    const start = h("button", { type: "button", onclick: see }, t("scan_camera"));
    const wrong = h("div", { role: "alert" });
    return h("div", {}, wrong, video, start);

    async function see() {
      start.hidden = true;
      video.hidden = false;
      announce(t("scan_camera_on"));
      try {
        await camera.watch(video, check, signal);
      } catch {
        video.hidden = true;
        start.hidden = false;
        complain(wrong, t("scan_no_permission"));
      }
    }
  }
}
