/** Nothing is at this address. The page says so without this script, which says it in the language that was chosen here. */

import { speak } from "../lib/words.js";

/** The heading is the title as well. */
function entitle() {
  document.title = `${document.querySelector("h1")?.textContent} · Traffic Tacos`;
}

await speak(entitle);
entitle();
