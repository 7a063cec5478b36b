/** Choosing seats: the best there are, or a block of the house and then its seats by hand. */

import { bitsOf } from "../lib/bits.js";
import { again, announce, begin, complain, h, offline, online, retext, show } from "../lib/dom.js";
import { nameOf } from "../lib/seatname.js";
import { isExpected, newKey, now, read, Refused } from "../lib/server.js";
import { clock, money, prices, t, why } from "../lib/words.js";
import { blockOf } from "./block.js";
import { ask } from "./fan.js";
import { houseOf } from "./map.js";
import { freeIn } from "../lib/plan.js";
import { quantities } from "./quantity.js";

const LOOKED = 4000; // milliseconds between two looks at what is free
const OVER = new Set(["FORBIDDEN", "TURN_USED"]); // codes and reasons of an admission that is no good

/** @param {import("./event.js").Stage} stage */
export async function view(stage) {
  const { event, signal, way, set, forget, go, head, problem } = stage;
  const admission = way().admission ?? { token: "", until: 0 };
  const path = encodeURIComponent(event.id);
  /** @type {Map<string, {id: string, name: string, price: number, index: number}>} */
  const chosen = new Map();
  /** @type {any} */
  let plan = null;
  /** @type {(index: number) => boolean} */
  let isFree = () => false;
  /** @type {ReturnType<typeof blockOf> | null} */
  let block = null;
  let drawn = "";
  /** @type {() => void} */
  let refreshBlocks = () => undefined;

  const trouble = h("div", { role: "alert" }, problem);
  const until = h("p", { class: "hint" }, t("choose_until", { time: clock(admission.until) }));
  const sum = h("p", {});
  const hold = h("button", { type: "button", onclick: holdChosen }, t("hold_seats"));
  const bar = h("div", { class: "chosen" }, sum, hold);

  await again(signal, async () => {
    if (now() > admission.until) return over();
    try {
      await look();
      online(trouble);
    } catch (fault) {
      if (signal.aborted) return null;
      if (!isExpected(fault)) throw fault;
      if (!plan)
        show(head, h("h1", {}, t("choose_title")), h("p", { class: "notice", role: "status" }, t("no_connection")));
      else offline(trouble, t("no_connection"));
    }
    return LOOKED;
  });

  async function look() {
    const states = await read(`seats/${path}`);
    if (plan?.revision !== states.revision) plan = await read(`plan/${path}/${encodeURIComponent(states.revision)}`);
    if (signal.aborted) return;
    const before = drawn;
    drawn = `${states.revision} ${states.free}`;
    isFree = bitsOf(states.free);
    if (!before) return plan.sections.length === 1 && plan.sections[0].standing ? open(plan.sections[0]) : house();
    if (before === drawn) return;
    for (const [id, seat] of chosen) {
      if (isFree(seat.index)) continue;
      chosen.delete(id);
      complain(trouble, `${t("seat_gone", { seat: seat.name })} ${chosen.size ? t("others_chosen") : ""}`);
    }
    update();
    if (!block && !bar.contains(document.activeElement) && document.activeElement?.tagName !== "SELECT")
      refreshBlocks();
  }

  /** All blocks. */
  function house() {
    block = null;
    const lists = h("div", {});
    refreshBlocks = () => {
      const focused = /** @type {any} */ (document.activeElement)?.dataset?.section;
      /** @type {Map<string, number>} */
      const free = new Map(plan.sections.map((/** @type {any} */ one) => [one.id, freeIn(one, isFree)]));
      const isEmpty = [...free.values()].every((count) => count === 0);
      const buttons = plan.sections.map((/** @type {any} */ one) => blockButton(one, free.get(one.id) ?? 0));
      lists.replaceChildren(
        isEmpty ? h("p", { class: "notice", role: "status" }, t("none_free_now")) : "",
        houseOf(plan, free, open),
        h("ul", { class: "blocks" }, buttons),
      );
      if (focused) lists.querySelector(`[data-section="${CSS.escape(focused)}"]`)?.focus();
    };
    refreshBlocks();
    show(head, h("h1", {}, t("choose_title")), until, trouble, best(), h("h2", {}, t("or_by_hand")), lists, bar);
    update();
  }

  /** @param {any} section @param {number} free how many of its seats are */
  function blockButton(section, free) {
    const says = free ? t("free", { n: free }) : t("none_free");
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "data-section": section.id, disabled: free === 0, onclick: () => open(section) },
        section.name,
        h("small", {}, prices(section, event)),
        h("small", {}, says),
      ),
    );
  }

  /** The best seats there are, of a block or of any; where people stand, only how many. @param {any} [standing] the section in which they do */
  function best(standing) {
    const wish = way().wish ?? {};
    const sections = plan.sections.map((/** @type {any} */ one) =>
      h("option", { value: one.id }, `${one.name} · ${prices(one, event)}`),
    );
    const quantity = h("select", { id: "best-quantity" }, quantities(event.max_per_order, wish.quantity));
    const section = h("select", { id: "best-section" }, h("option", { value: "" }, t("any_section")), sections);
    const take = h(
      "button",
      {
        type: "button",
        onclick: () =>
          reserve(take, "tacos.reservation.v1.BestSeatsService/ReserveBest", {
            quantity: Number(quantity.value),
            section: standing ? standing.id : section.value,
          }),
      },
      t(standing ? "hold_places" : "best_available"),
    );
    return h(
      "section",
      { class: "card" },
      !standing && h("h2", {}, t("best_title")),
      h(
        "div",
        { class: "fields" },
        h("div", { class: "field" }, h("label", { for: "best-quantity" }, t("how_many")), quantity),
        !standing && h("div", { class: "field" }, h("label", { for: "best-section" }, t("which_section")), section),
      ),
      take,
    );
  }

  /** One block. @param {any} section */
  function open(section) {
    const back = h("button", { type: "button", class: "second", onclick: house }, t("all_blocks"));
    if (section.standing) {
      const left = h("p", {});
      refreshBlocks = () => {
        const free = freeIn(section, isFree);
        retext(left, free ? t("free", { n: free }) : t("none_free_now"));
      };
      refreshBlocks();
      show(
        head,
        h("h1", {}, section.name),
        until,
        trouble,
        h("p", {}, t("standing_says")),
        h("p", {}, prices(section, event)),
        left,
        best(section),
        plan.sections.length > 1 && h("div", { class: "acts" }, back),
      );
      return;
    }
    block = blockOf({
      section,
      event,
      accessible: Boolean(way().wish?.accessible),
      isFree: (index) => isFree(index),
      chosen,
      choose: (seat, row) => choose(seat, row, section),
    });
    const kept = section.rows.some((/** @type {any} */ row) => row.accessible.length);
    update();
    show(
      head,
      h("h1", {}, section.name),
      until,
      trouble,
      h(
        "div",
        { class: "card" },
        h(
          "p",
          { class: "hint" },
          t("grid_says"),
          kept && ` ${t(way().wish?.accessible ? "accessible_says" : "accessible_kept")}`,
        ),
        block.element,
      ),
      h("div", { class: "acts" }, back),
      bar,
    );
    block.shown();
  }

  /** @param {import("../lib/plan.js").Seat} seat @param {any} row @param {any} section */
  function choose(seat, row, section) {
    if (chosen.has(seat.id)) chosen.delete(seat.id);
    else if (chosen.size >= event.max_per_order)
      return complain(trouble, t("no_more_than", { n: event.max_per_order }));
    else
      chosen.set(seat.id, {
        id: seat.id,
        price: seat.price,
        index: seat.index,
        name: nameOf({ section: section.name, row: row.label || row.id, number: seat.number, standing: false }),
      });
    trouble.replaceChildren();
    update();
    announce(sum.textContent ?? "");
  }

  function update() {
    const total = [...chosen.values()].reduce((all, seat) => all + seat.price, 0);
    retext(sum, chosen.size ? t("chosen", { n: chosen.size, total: money(total, event) }) : t("none_chosen"));
    hold.disabled = chosen.size === 0;
    bar.hidden = chosen.size === 0 && !block;
    block?.update();
  }

  function holdChosen() {
    return reserve(hold, "gateway.v1.GatewayService/CreateReservation", { seatIds: [...chosen.keys()] });
  }

  /** Hold seats. The same wish sent again is the same reservation, also when the answer to the first was lost. @param {any} button @param {string} rpc @param {object} wish */
  async function reserve(button, rpc, wish) {
    if (!begin(button)) return;
    const of = JSON.stringify([wish, admission.token]);
    const last = way().holding;
    const key = last?.of === of ? last.key : newKey();
    set({ holding: { key, of } });
    try {
      const held = await ask(stage, rpc, {
        eventId: event.id,
        reservationToken: admission.token,
        idempotencyKey: key,
        ...wish,
      });
      set({ reservation: held.reservationId, holding: undefined, extended: false, payment: undefined, declined: undefined });
      await go();
    } catch (fault) {
      button.removeAttribute("aria-busy");
      if (!isExpected(fault)) throw fault;
      if (signal.aborted) return; // another stage says what to do now
      if (!(fault instanceof Refused)) return complain(trouble, why(fault));
      set({ holding: undefined });
      if (OVER.has(fault.code) || OVER.has(fault.reason)) return over();
      if (fault.code === "UNAUTHENTICATED") {
        set({ admission: undefined, fan: undefined }); // perhaps with a key that was revoked: the place gives new tokens
        return go();
      }
      if (fault.reason === "RESERVATION_OPEN") {
        set({ reservation: fault.value }); // another tab has made it
        return go();
      }
      complain(trouble, why(fault));
      drawn = drawn && " ";
      await look().catch(() => undefined);
    }
  }

  /** The time to choose is over. */
  function over() {
    forget();
    void go(t("choosing_over"));
    return null;
  }
}
