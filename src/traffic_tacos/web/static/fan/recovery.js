/** Orders of guests on another device: a code that each has here, and a place to enter one. */

import { begin, complain, h } from "../lib/dom.js";
import { call, isExpected, Refused } from "../lib/server.js";
import { t, why } from "../lib/words.js";
import { copied } from "./copied.js";
import { rememberCode } from "./fan.js";

/**
 * @param {{code: string, name: string}[]} codes of the guests of this device, with the names of their events
 * @param {() => Promise<void>} found what happens once a code is taken
 */
export function elsewhere(codes, found) {
  const label = "recovery-code";
  const trouble = h("div", { role: "alert" });
  const code = h("input", {
    id: label,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    required: true,
    maxlength: 120,
    "aria-describedby": "recovery-says",
  });
  const take = h("button", { type: "submit" }, t("recover"));
  return h(
    "details",
    { open: !codes.length },
    h("summary", {}, t("recovery_title")),
    codes.map((one) => [
      h("h2", {}, t("recovery_of", { event: one.name })),
      h("p", { class: "hint" }, t("recovery_keep")),
      copied(one.code, t("recovery_of", { event: one.name }), 2),
    ]),
    h(
      "form",
      { onsubmit: recover, novalidate: true },
      h("h2", {}, t("recovery_enter")),
      h("p", { class: "hint", id: "recovery-says" }, t("recovery_says")),
      h("div", { class: "field" }, h("label", { for: label }, t("recovery_code")), code),
      trouble,
      take,
    ),
  );

  /** @param {Event} event */
  async function recover(event) {
    event.preventDefault();
    if (!begin(take)) return;
    try {
      await call("tacos.identity.v1.GuestService/Recover", { recoveryCode: code.value.trim() });
      rememberCode(code.value.trim());
      await found();
    } catch (fault) {
      if (!isExpected(fault)) throw fault;
      const isWrong = fault instanceof Refused && ["UNAUTHENTICATED", "INVALID_ARGUMENT", "NOT_FOUND"].includes(fault.code);
      complain(trouble, isWrong ? t("recovery_wrong") : why(fault));
      take.removeAttribute("aria-busy");
      code.focus();
    }
  }
}
