/** A text to take elsewhere. */

import { announce, h, retext } from "../lib/dom.js";
import { t } from "../lib/words.js";

/** The text, and a button that copies it. @param {string} text @param {string} label what it is @param {number} rows lines of it */
export function copied(text, label, rows) {
  const code = h("textarea", { readonly: true, rows, spellcheck: "false", "aria-label": label }, text);
  const said = h("p", { class: "hint" });
  const button = h("button", { type: "button", class: "second", onclick: copy }, t("copy_code"));

  async function copy() {
    code.select(); // where the browser copies nothing by itself, the visitor does
    const isCopied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    retext(said, t(isCopied ? "code_copied" : "code_selected"));
    announce(said.textContent);
  }

  return [code, h("div", { class: "acts" }, button), said];
}
