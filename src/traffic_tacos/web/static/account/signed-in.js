/** Where the issuer sends people back to; and without an answer of the issuer's, who is signed in here. */

import { account, arrive, isReady, issuer, signIn, signOut } from "../lib/account.js";
import { begin, h, show } from "../lib/dom.js";
import { isExpected, Refused } from "../lib/server.js";
import { speak, t, why } from "../lib/words.js";

const HERE = "/signed-in";
/** @type {Record<string, string>} */
const WHY = { UNAUTHENTICATED: "account_refused", FAILED_PRECONDITION: "account_not_ours" };
const returned = new URLSearchParams(location.search);
history.replaceState(null, "", HERE); // a code stays in no history, and goes along to no other page
let isTaken = !returned.has("state");

/** Where to go on to: a path of this site, and never another site that somebody has put into a link. */
function backOf() {
  const back = new URL(returned.get("back") ?? HERE, location.origin);
  return back.origin === location.origin ? back.pathname : HERE;
}

async function view() {
  document.title = `${t("account_title")} · Traffic Tacos`;
  show(h("h1", {}, t("account_title")), h("p", { role: "status" }, t("loading")));
  try {
    const where = await issuer();
    if (!where) return present(h("p", { class: "notice" }, t("account_none")));
    if (!isTaken) {
      isTaken = true;
      const back = await arrive(where, returned);
      if (back !== HERE) return location.replace(back);
    }
    const known = await account();
    if (known) {
      const out = h(
        "button",
        { type: "button", class: "second", onclick: () => signOut(where) },
        t("account_sign_out"),
      );
      return present(h("p", {}, t("account_is", { user: known.userId })), h("div", { class: "acts" }, out, events()));
    }
    present(
      h("p", {}, t("account_says")),
      isReady(where) ? wayIn(where) : h("p", { class: "notice" }, t("account_later")),
    );
  } catch (fault) {
    if (!isExpected(fault)) throw fault;
    failed(fault);
  }
}

/** @param {...any} content */
const present = (...content) => show(h("h1", {}, t("account_title")), content);

const events = () => h("a", { class: "button second", href: "/" }, t("see_events"));

/** @param {import("../lib/account.js").Issuer} where */
function wayIn(where) {
  const go = h("button", { type: "button", onclick: () => begin(go) && signIn(where, backOf()) }, t("account_sign_in"));
  return h("div", { class: "acts" }, go, events());
}

/** @param {unknown} fault */
function failed(fault) {
  const reason = fault instanceof Refused ? WHY[fault.code] : undefined;
  const says = reason ? t(reason) : why(fault);
  const again = h("button", { type: "button", onclick: view }, t("try_again"));
  present(h("p", { class: "problem", role: "alert" }, says), h("div", { class: "acts" }, again, events()));
}

await speak(view, "account");
await view();
