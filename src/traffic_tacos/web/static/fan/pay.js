/** Seats that are held: the countdown, the payment, and what became of both. */

import { again, announce, begin, complain, h, offline, online, show } from "../lib/dom.js";
import { isExpected, newKey, now, Refused } from "../lib/server.js";
import { money, t, why } from "../lib/words.js";
import { cardForm, typedCard, wrong } from "./card.js";
import { countdown } from "./countdown.js";
import { ask, remember } from "./fan.js";
import { bankSaid, bought, ended, outcomeOf } from "./outcome.js";
import { seatsOf } from "./seatlist.js";

const LOOKED = 1500; // milliseconds between two looks at the reservation while the bank is asked
const LOOKED_HELD = 5000; // while nothing is asked
const EXTENSION = 60; // seconds
const DECIDED = new Set(["PROCESSING", "COMPLETED", "FAILED"]); // payments whose reservation is about to follow
const FOLLOWS = 3000; // milliseconds in which it does. What is held for longer can still be paid, by another payment

/** @param {import("./event.js").Stage} stage */
export async function view(stage) {
  const { event, signal, way, set, forget, go, head, problem } = stage;
  const id = way().reservation ?? "";
  let shown = ""; // which view is on the page: what is typed there outlives a look at the server
  let deadline = 0;
  const trouble = h("div", { role: "alert" }, problem);

  let watching = new AbortController();
  signal.addEventListener("abort", () => watching.abort());
  await watch();

  /** Look at once, and from then on. */
  function watch() {
    watching.abort();
    watching = new AbortController();
    return again(watching.signal, look);
  }

  async function look() {
    const mine = watching.signal;
    try {
      const { reservation } = await ask(stage, "gateway.v1.GatewayService/GetReservation", { reservationId: id });
      const intent = { paymentIntentId: way().payment?.id };
      const { payment = null } = intent.paymentIntentId
        ? await ask(stage, "gateway.v1.GatewayService/GetPaymentStatus", intent)
        : { payment: null };
      if (mine.aborted) return null;
      online(trouble);
      return draw(reservation, payment);
    } catch (fault) {
      if (mine.aborted) return null;
      if (!isExpected(fault)) throw fault;
      if (fault instanceof Refused && fault.code === "NOT_FOUND") return startAgain("gone");
      if (shown) offline(trouble, t("no_connection"));
      else show(head, h("h1", {}, t("your_seats")), h("p", { class: "notice", role: "status" }, t("no_connection")));
      return LOOKED;
    }
  }

  /** @param {any} reservation @param {any} payment */
  function draw(reservation, payment) {
    const status = reservation.status.replace("RESERVATION_STATUS_", "");
    const paid = payment?.status.replace("PAYMENT_STATUS_", "") ?? "";
    deadline = Date.parse(reservation.holdExpiresAt);
    const isRefused = paid === "FAILED" && now() - Date.parse(payment.processedAt) > FOLLOWS;
    const isAsking = status === "PENDING" && DECIDED.has(paid) && !isRefused;
    const state = isAsking ? "asking" : status;
    const isNew = state !== shown;
    shown = state;
    if (status === "PENDING") {
      if (isNew) (isAsking ? asking : held)(reservation);
      if (isRefused) {
        set({ payment: undefined, declined: payment.paymentIntentId });
        complain(trouble, `${bankSaid(payment)} ${t("pay_still_held")}`);
      }
      return isAsking || now() > deadline ? LOOKED : Math.min(LOOKED_HELD, deadline - now() + LOOKED);
    }
    if (status === "CONFIRMED") {
      remember(event.id, way());
      document.title = `${t("bought_title")} · ${event.name}`;
      show(
        head,
        bought(reservation, event, Boolean(way().account), () => startAgain()),
      );
    } else {
      const admitted = way().admission?.until ?? 0;
      const until = status === "CANCELLED" && now() < admitted ? admitted : 0;
      const next = { until, choose: chooseAgain, join: () => startAgain() };
      show(head, trouble, ended(outcomeOf(status, paid), payment, next));
    }
    return null;
  }

  /** @param {any} reservation */
  function held(reservation) {
    const isFree = Number(reservation.totalAmount?.amount ?? 0) === 0;
    const { count, until, ticking } = countdown(() => deadline, event.name, signal);
    const extend =
      !way().extended &&
      h("button", { type: "button", class: "second", onclick: () => longer(extend) }, t("more_time", { n: EXTENSION }));
    const release = h("button", { type: "button", class: "second", onclick: () => giveUp(release) }, t("release"));
    show(
      head,
      h("h1", {}, t("held_title")),
      trouble,
      h("div", { class: "timer" }, h("span", {}, t("time_left")), count),
      h(
        "div",
        { class: "held" },
        h("section", { class: "card" }, until, h("div", { class: "acts" }, extend, release)),
        isFree ? confirmForm() : cardForm(money(reservation.totalAmount.amount, event), way().wish?.name ?? "", pay),
        seatsOf(reservation, event),
      ),
    );
    void ticking();

    /** @param {any} button */
    async function pay(button) {
      if (!mayBegin(button)) return;
      wrong("");
      await attempt(button, () => payWith(reservation));
    }
  }

  function confirmForm() {
    const take = h("button", { type: "button", onclick: confirm }, t("take_free"));
    async function confirm() {
      if (!mayBegin(take)) return;
      await attempt(take, () =>
        ask(stage, "gateway.v1.GatewayService/ConfirmReservation", { reservationId: id, idempotencyKey: `free-${id}` }),
      );
    }
    return h("section", { class: "card" }, h("h2", {}, t("nothing_to_pay")), h("div", { class: "acts" }, take));
  }

  /** Pay with the card that was typed. What is wrong with it is shown at its field. @param {any} reservation */
  async function payWith(reservation) {
    if (!way().payment) {
      const intent = await ask(stage, "gateway.v1.GatewayService/CreatePaymentIntent", {
        reservationId: id,
        amount: reservation.totalAmount,
        method: 1,
        scenario: 1,
        idempotencyKey: `pay-${way().declined ?? id}`,
      });
      set({ payment: { id: intent.paymentIntentId, key: newKey() } });
    }
    const { id: paymentIntentId, key } = way().payment ?? { id: "", key: "" };
    const paymentDetails = { creditCard: typedCard() };
    const request = { paymentIntentId, idempotencyKey: key, paymentDetails, userId: undefined };
    try {
      await ask(stage, "payment.v1.PaymentService/ProcessPayment", request);
    } catch (fault) {
      if (!(fault instanceof Refused)) throw fault;
      set({ payment: { id: paymentIntentId, key: newKey() } });
      if (!wrong(fault.field)) throw fault;
    }
  }

  /** Whether an act may begin; what went wrong before is no longer said then. @param {any} button */
  function mayBegin(button) {
    const may = begin(button);
    if (may) trouble.replaceChildren();
    return may;
  }

  /** Do something, and show what has changed; what went wrong is said. @param {any} button @param {() => Promise<any>} act */
  async function attempt(button, act) {
    try {
      await act();
      void watch();
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      complain(trouble, fault instanceof Refused ? why(fault) : t("no_connection_pay"));
    }
    button.removeAttribute("aria-busy");
  }

  /** @param {any} button */
  async function longer(button) {
    if (!mayBegin(button)) return;
    try {
      const extended = await ask(stage, "reservation.v1.ReservationService/ExtendHold", {
        reservationId: id,
        extensionSeconds: EXTENSION,
        idempotencyKey: `longer-${id}`,
      });
      set({ extended: true });
      deadline = Date.parse(extended.newExpiresAt);
      announce(t("seconds_left", { n: Math.round((deadline - now()) / 1000) }));
      button.remove();
    } catch (fault) {
      button.removeAttribute("aria-busy");
      if (!isExpected(fault)) throw fault;
      complain(trouble, why(fault));
    }
  }

  /** @param {any} button */
  async function giveUp(button) {
    if (!mayBegin(button)) return;
    await attempt(button, () =>
      ask(stage, "gateway.v1.GatewayService/CancelReservation", {
        reservationId: id,
        reason: "released by the buyer",
        idempotencyKey: `release-${id}`,
      }),
    );
  }

  /** @param {any} reservation */
  function asking(reservation) {
    show(
      head,
      h("h1", {}, t("asking_title")),
      trouble,
      h(
        "section",
        { class: "card" },
        h("p", { role: "status" }, t("asking_says")),
        h("progress", { "aria-label": t("asking_title") }),
      ),
      seatsOf(reservation, event),
    );
  }

  function chooseAgain() {
    set({ reservation: undefined, payment: undefined, declined: undefined, extended: undefined, holding: undefined });
    void go();
  }

  /** A new way to a purchase; the guest's orders stay. */
  function startAgain(why = "") {
    forget();
    void go(why && t(why));
    return null;
  }
}
