/** The house drawn from above: its blocks. Whoever cannot see or point has the list of blocks below it. */

import { h, svg } from "../lib/dom.js";
import { t } from "../lib/words.js";
import { boxOf } from "../lib/plan.js";

const LETTER = 0.045; // of the drawing's longer side
const LEGIBLE = 0.6; // of that: what would be smaller is left out
const WIDE = 0.62; // of its height: a letter

/**
 * @param {any} plan
 * @param {Map<string, number>} free how many seats of each section are, by its id
 * @param {(section: any) => void} open
 */
export function houseOf(plan, free, open) {
  const size = Math.max(plan.width, plan.height) * LETTER;
  const blocks = plan.sections.map((/** @type {any} */ section) => {
    const isFull = !free.get(section.id);
    const { x, y, width, height } = boxOf(section.outline);
    const room = (/** @type {number} */ length) => Math.min(size, length / (section.name.length * WIDE));
    const fitting = Math.max(room(width), room(height));
    const turned = fitting > room(width) && `rotate(-90 ${x} ${y})`; // upwards, in a block that is narrow
    const shape = svg("polygon", {
      points: section.outline.join(" "),
      class: isFull && "full",
      onclick: () => isFull || open(section),
    });
    const title = svg("title", {}, section.name);
    shape.append(title);
    return [shape, fitting >= size * LEGIBLE && svg("text", { x, y, "font-size": fitting, transform: turned }, section.name)];
  });
  const stage =
    plan.stage && svg("text", { x: plan.stage[0], y: plan.stage[1], "font-size": size, class: "stage" }, t("stage"));
  const margin = size;
  const box = `${-margin} ${-margin * 2} ${plan.width + margin * 2} ${plan.height + margin * 3}`;
  return h(
    "figure",
    { "aria-hidden": "true" },
    svg("svg", { class: "map", viewBox: box }, blocks.flat().filter(Boolean), stage),
  );
}
