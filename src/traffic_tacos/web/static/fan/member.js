/** Buying with an account. Guests load none of it. */

import { forget as forgetAccount, issuer } from "../lib/account.js";
import { h, show } from "../lib/dom.js";
import { isExpected } from "../lib/server.js";
import { clock, t } from "../lib/words.js";

/** The way to sign in and back to a page of ours; null where people cannot sign in, or it is not known now. @param {string} back */
export async function signInFrom(back) {
  try {
    return (await issuer()) && linkFrom(back, "account_sign_in");
  } catch (fault) {
    if (!isExpected(fault)) throw fault;
    return null;
  }
}

/** @param {string} back @param {string} key */
const linkFrom = (back, key) => h("a", { class: "button", href: addressFrom(back) }, t(key));

/** @param {string} back */
const addressFrom = (back) => `/signed-in?back=${encodeURIComponent(back)}`;

/** A sign-in that ends before a purchase could, and cannot be renewed: there is time to sign in again. @param {number} until milliseconds */
export function endsSoon(until) {
  function again() {
    forgetAccount();
    location.assign(addressFrom(location.pathname));
  }
  return h(
    "section",
    { class: "notice", role: "status" },
    h("p", {}, t("account_ends", { time: clock(until) })),
    h("button", { type: "button", class: "second", onclick: again }, t("account_again")),
  );
}

/** A place that belongs to an account which is not signed in here. @param {import("./event.js").Stage} stage */
export function view({ head, forget, go }) {
  const leave = h("button", { type: "button", class: "second", onclick: giveUp }, t("account_place_forget"));

  function giveUp() {
    forget();
    void go();
  }

  show(
    head,
    h("h1", {}, t("account_place_title")),
    h("p", { class: "notice", role: "status" }, t("account_place_says")),
    h("div", { class: "acts" }, linkFrom(location.pathname, "account_sign_in"), leave),
  );
}
