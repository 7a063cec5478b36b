/** Waiting: the place, how long it takes, what the operators say, and the turn when it comes. */

import { again, announce, h, retext, show } from "../lib/dom.js";
import { call, isExpected, now, read, Refused } from "../lib/server.js";
import { about, clock, number, opening, t, why } from "../lib/words.js";
import { admit, signInEnds } from "./fan.js";
import { isDrawn, numberOf, placeOf, waitOf } from "./place.js";
import { quantities } from "./quantity.js";

const LOOKED = 3000; // milliseconds between two looks at the queue
const SIGN_OF_LIFE = 120_000; // the most between two questions about one's own place; less where it would end sooner
const SIGNS = 3; // of life, at least, in the time in which a place without any ends
const NEAR = 50; // from this place on it is asked more often
const ASKED_NEAR = 5000;
const SPOKEN = 30_000; // a place is read aloud no more often
const ENDED = new Set(["QUEUE_STATUS_EXPIRED", "QUEUE_STATUS_LEFT", "QUEUE_STATUS_ERROR"]);

/** @param {import("./event.js").Stage} stage */
export async function view(stage) {
  const { event, signal, way, set, forget, go, head, problem } = stage;
  const waiting = way().waiting ?? "";
  let rank = numberOf(waiting);
  let place = Infinity;
  let asked = -Infinity; // when the server was last asked about this very place
  let alive = 0; // milliseconds until it has to be asked again
  let spoken = -Infinity;
  let isOver = false;
  let isSignInSeen = false;

  const figure = h("dd", {}, "…");
  const waitLabel = h("dt", {}, t("about_time"));
  const wait = h("dd", {}, "…");
  const bar = h("progress", { max: 1, value: 0, "aria-label": t("progress") });
  const notices = h("div", {});
  const signIn = h("div", {});
  show(
    head,
    h("h1", {}, t("in_queue")),
    problem,
    notices,
    signIn,
    h(
      "section",
      { class: "card" },
      h(
        "dl",
        { class: "figures" },
        h("div", {}, h("dt", {}, t("your_place")), figure),
        h("div", {}, waitLabel, wait),
      ),
      bar,
      h("p", { class: "hint" }, t("may_close")),
    ),
    wishes(stage),
    h(
      "div",
      { class: "acts" },
      notifying(),
      h("button", { type: "button", class: "second", onclick: leave }, t("leave_queue")),
    ),
  );

  await again(signal, async () => {
    try {
      const line = await read(`queue/${encodeURIComponent(event.id)}`);
      await lookAt(line);
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      if (!signal.aborted)
        notices.replaceChildren(h("p", { class: "notice", role: "status" }, t("no_connection_in_queue")));
      if (fault instanceof Refused && fault.retryAfter) return fault.retryAfter * 1000;
    }
    return isOver ? null : LOOKED;
  });

  /** @param {any} line */
  async function lookAt(line) {
    if (isDrawn(numberOf(waiting), line)) {
      if (line.draw.state !== "drawn") return drawPending(line);
      rank = (await drawnPlace()) ?? rank;
    }
    const reckoned = placeOf(rank, line);
    const due = Math.min(alive, place <= NEAR || reckoned === 0 ? ASKED_NEAR : Infinity);
    if (reckoned === null || reckoned === 0 || Date.now() - asked >= due) await askStatus();
    if (signal.aborted || isOver) return;
    if (reckoned) place = Math.min(place, reckoned);
    render(line);
    if (place <= NEAR) await seeSignIn();
  }

  async function askStatus() {
    asked = Date.now();
    const status = await call("gateway.v1.QueueService/GetQueueStatus", { waitingToken: waiting }).catch((fault) => {
      if (fault instanceof Refused && ["NOT_FOUND", "UNAUTHENTICATED", "INVALID_ARGUMENT"].includes(fault.code))
        return { status: "QUEUE_STATUS_EXPIRED" };
      throw fault;
    });
    if (signal.aborted) return;
    const ends = status.expiresAt ? Date.parse(status.expiresAt) - now() : Infinity;
    alive = Math.min(SIGN_OF_LIFE, ends / SIGNS);
    if (ENDED.has(status.status)) return ended();
    if (status.admissionReady) return turn(status);
    if (status.position) place = Math.min(place, status.position);
  }

  /** @param {any} line */
  function render(line) {
    if (place !== Infinity) {
      const first = way().first ?? place;
      if (way().first === undefined) set({ first });
      retext(figure, number(place));
      const seconds = line.state || line.all_held ? null : waitOf(place, line, now());
      retext(waitLabel, t("about_time"));
      retext(wait, seconds === null ? t("nobody_knows") : about(seconds));
      bar.hidden = false;
      bar.value = first > 0 ? Math.min(1, Math.max(0.02, 1 - (place - 1) / Math.max(1, first))) : 1;
      document.title = `${t("place_title", { n: place })} · ${event.name}`;
      if (Date.now() - spoken >= SPOKEN) {
        spoken = Date.now();
        announce(t("place_spoken", { n: place, time: wait.textContent }));
      }
    }
    const said = [
      line.phase === "before" && line.opens_at && t("opens_at", { time: opening(line.opens_at, event.utc_offset_minutes) }),
      line.state && t(`queue_${line.state}`),
      line.all_held && t("queue_all_held"),
      line.operator_message,
    ].filter(Boolean);
    const shown = said.map((text) => h("p", { class: "notice" }, text));
    if (notices.textContent !== said.join("")) notices.replaceChildren(...shown);
    if (line.sold_for_good || line.phase === "over") ended(line.sold_for_good ? "sold_out" : "over");
  }

  /** Nobody has a place before the draw. @param {any} line */
  function drawPending(line) {
    bar.hidden = true;
    retext(figure, t("drawn_later"));
    retext(waitLabel, t("sale_opens"));
    retext(wait, line.opens_at ? clock(Date.parse(line.opens_at)) : "");
    notices.replaceChildren(h("p", { class: "notice" }, t("draw_says")));
  }

  /** While there is still time: the account's sign-in, which has to last until the seats are paid for. */
  async function seeSignIn() {
    if (isSignInSeen) return;
    isSignInSeen = true;
    try {
      const ends = await signInEnds(stage);
      if (ends) signIn.replaceChildren((await import("./member.js")).endsSoon(ends));
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      if (fault instanceof Refused && !signal.aborted) void go(); // it has ended: the page says so
    }
  }

  async function drawnPlace() {
    const request = { eventId: event.id, afterNumber: numberOf(waiting) - 1, pageSize: 1 };
    const drawn = await call("tacos.waiting_room.v1.DrawService/ListDrawEntries", request);
    return Number(drawn.entries?.[0]?.place) || null;
  }

  /** @param {any} status */
  function turn(status) {
    isOver = true;
    document.title = `${t("your_turn")} · ${event.name}`;
    announce(t("your_turn"));
    if (document.hidden && globalThis.Notification?.permission === "granted")
      new Notification(t("your_turn"), { body: event.name });
    const button = h("button", { type: "button", onclick: enter }, t("choose_seats"));
    const until = status.expiresAt && t("turn_until", { time: clock(Date.parse(status.expiresAt)) });
    show(
      head,
      h(
        "section",
        { class: "card turn" },
        h("h1", {}, t("your_turn")),
        h("p", {}, t("your_turn_says")),
        h("p", { class: "hint" }, until),
        h("div", { class: "acts" }, button),
      ),
      signIn,
      problem,
    );
    void seeSignIn();

    async function enter() {
      button.setAttribute("aria-busy", "true");
      try {
        await admit(stage);
        await go();
      } catch (fault) {
        await go(why(fault));
      }
    }
  }

  /** The place is gone, or there is nothing left to wait for. */
  function ended(why = "place") {
    isOver = true;
    forget();
    const back = h("button", { type: "button", onclick: () => go() }, t("see_event"));
    show(
      head,
      h("h1", {}, t(`ended_${why}`)),
      h("p", { class: "notice" }, t(`ended_${why}_says`)),
      h("div", { class: "acts" }, back),
    );
  }

  async function leave() {
    if (!confirm(t("leave_sure"))) return;
    await call("gateway.v1.QueueService/LeaveQueue", { waitingToken: waiting }).catch(() => null);
    forget();
    await go();
  }
}

/** What can be asked now need not be asked when the time runs. @param {import("./event.js").Stage} stage */
function wishes({ event, way, set }) {
  const wish = way().wish ?? {};
  const change = (/** @type {object} */ one) => set({ wish: { ...way().wish, ...one } });
  const most = event.max_per_person || event.max_per_order;
  const options = quantities(Math.min(most, event.max_per_order), wish.quantity);
  return h(
    "section",
    { class: "card" },
    h("h2", {}, t("meanwhile")),
    h(
      "div",
      { class: "fields" },
      h(
        "div",
        { class: "field" },
        h("label", { for: "quantity" }, t("how_many")),
        h(
          "select",
          { id: "quantity", onchange: (/** @type {any} */ e) => change({ quantity: Number(e.target.value) }) },
          options,
        ),
      ),
      h(
        "div",
        { class: "field" },
        h("label", { for: "name" }, t("name_on_card")),
        h("input", {
          id: "name",
          autocomplete: "cc-name",
          value: wish.name ?? "",
          maxlength: 100,
          oninput: (/** @type {any} */ e) => change({ name: e.target.value }),
        }),
      ),
    ),
    event.accessible_free > 0 &&
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          checked: wish.accessible,
          onchange: (/** @type {any} */ e) => change({ accessible: e.target.checked }),
        }),
        t("need_accessible"),
      ),
  );
}

/** Offers to say it aloud when the turn comes, where the browser can and was not asked yet. */
function notifying() {
  if (globalThis.Notification?.permission !== "default") return null;
  const button = h(
    "button",
    { type: "button", class: "second", onclick: () => Notification.requestPermission().then(() => button.remove()) },
    t("notify_me"),
  );
  return button;
}
