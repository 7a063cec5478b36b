/** How many tickets somebody may ask for. */

import { h } from "../lib/dom.js";
import { number } from "../lib/words.js";

/** The choices from one up, with what was wished, or else two. @param {number} most @param {number} [wished] */
export const quantities = (most, wished = Math.min(2, most)) =>
  Array.from({ length: most }, (_, i) => h("option", { value: i + 1, selected: i + 1 === wished }, number(i + 1)));
