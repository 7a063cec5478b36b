/** The form for a card, and the cards that the simulated bank knows. */

import { byId, h } from "../lib/dom.js";
import { now, read } from "../lib/server.js";
import { has, t } from "../lib/words.js";

const FIELDS = ["card_number", "expiry_month", "expiry_year", "cvv", "cardholder_name"];
const YEARS = 2; // that a test card is good for

/**
 * @param {string} total what is to be paid
 * @param {string} name of the card's holder, as it was typed before
 * @param {(button: any) => void} pay
 */
export function cardForm(total, name, pay) {
  const button = h("button", {}, t("pay", { total }));
  const field = (/** @type {string} */ id, /** @type {object} */ more) =>
    h("div", { class: "field" }, h("label", { for: id }, t(id)), h("input", { id, ...more }));
  const digits = { inputmode: "numeric", required: true };
  const submit = (/** @type {Event} */ sent) => {
    sent.preventDefault();
    pay(button);
  };
  return h(
    "form",
    { class: "card", novalidate: true, onsubmit: submit },
    h("h2", {}, t("payment")),
    h("p", { class: "hint" }, t("simulated")),
    field("card_number", { ...digits, autocomplete: "cc-number" }),
    h(
      "div",
      { class: "short-fields" },
      field("expiry_month", { ...digits, autocomplete: "cc-exp-month", placeholder: "MM", maxlength: 2 }),
      field("expiry_year", { ...digits, autocomplete: "cc-exp-year", placeholder: "YYYY", maxlength: 4 }),
      field("cvv", { ...digits, autocomplete: "cc-csc", maxlength: 4 }),
    ),
    field("cardholder_name", { autocomplete: "cc-name", value: name, maxlength: 100 }),
    h("p", { id: "field-problem", class: "problem", role: "alert", hidden: true }),
    h("div", { class: "acts" }, button),
    testCards(),
  );
}

/** The card as it was typed, as the contract has it: digits without gaps, months and years in full. */
export function typedCard() {
  const [number, month, year, cvv, cardholderName] = FIELDS.map((name) => byId(name).value.trim());
  return {
    cardNumber: number.replace(/[ -]/g, ""),
    expiryMonth: month.padStart(2, "0"),
    expiryYear: year.length === 2 ? `20${year}` : year,
    cvv,
    cardholderName,
  };
}

/**
 * Show which field is wrong; all else that was typed stays. Whether it is one of the form.
 * @param {string} field as the server names it, as in "payment_details.credit_card.cvv"; "" where nothing is wrong
 */
export function wrong(field) {
  const name = field.split(".").pop() ?? "";
  for (const one of FIELDS) {
    byId(one).removeAttribute("aria-invalid");
    byId(one).removeAttribute("aria-describedby");
  }
  const problem = byId("field-problem");
  const isOurs = FIELDS.includes(name);
  problem.hidden = !isOurs;
  problem.textContent = isOurs ? t(has(`wrong_${name}`) ? `wrong_${name}` : "wrong_card") : "";
  if (!isOurs) return false;
  byId(name).setAttribute("aria-invalid", "true");
  byId(name).setAttribute("aria-describedby", "field-problem");
  byId(name).focus();
  return true;
}

/** Cards of the simulated bank; choosing one fills the form. */
function testCards() {
  const list = h("ul", { class: "seats" });

  /** @param {[string, string]} card */
  const line = ([number, reason]) =>
    h(
      "li",
      {},
      h("span", {}, h("code", {}, number), ` ${t(`card_${reason}`)}`),
      h("button", { type: "button", class: "quiet", onclick: () => use(number) }, t("use_card")),
    );

  async function fill() {
    if (list.childElementCount) return;
    const { test_cards } = await read("config.json");
    list.replaceChildren(...test_cards.map(line));
  }

  /** @param {string} number */
  function use(number) {
    const year = String(new Date(now()).getFullYear() + YEARS);
    const values = { card_number: number, expiry_month: "12", expiry_year: year, cvv: "123" };
    for (const [name, value] of Object.entries(values)) byId(name).value = value;
  }
  return h("details", { ontoggle: fill }, h("summary", {}, t("test_cards")), list);
}
