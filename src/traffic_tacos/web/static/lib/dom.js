/** Elements, made without texts of HTML: so nothing that somebody typed can ever become markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. Properties that begin with `on` are listeners; true and false set and leave out an attribute.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...any} children elements and texts; null and false are left out
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/**
 * The same for SVG.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...any} children
 * @returns {any}
 */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

/** @param {Element} element @param {Record<string, any>} properties @param {any[]} children */
function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * Put a view on the page, and with the next frame the focus on its heading, so that who listens to the page learns where
 * they are. To do that at once would lay the page out before its time, on a slow phone for as long as it took to make it.
 * @param {...any} children
 */
export function show(...children) {
  const main = byId("main");
  main.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
  const heading = main.querySelector("h1");
  requestAnimationFrame(() => {
    if (main.querySelector("h1") !== heading) return; // another view has come since
    scrollTo(0, 0);
    if (!heading || main.contains(document.activeElement)) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  });
}

/** A picture for an event that brought none: always the same for the same event. @param {string} id @param {string} style */
export function poster(id, style) {
  const seed = [...id].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0, 7);
  const picture = h("div", { class: `poster ${style}`, "aria-hidden": "true" });
  picture.style.setProperty("--hue", String(seed % 360));
  picture.style.setProperty("--at", `${20 + (seed % 60)}%`);
  return picture;
}

/** Say something to who cannot see the page; the page itself shows it elsewhere. @param {string} text */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** Show what went wrong in the place for it. @param {HTMLElement} place @param {string} text */
export function complain(place, text) {
  delete place.dataset.offline;
  place.replaceChildren(h("p", { class: "problem" }, text));
}

/** Show there that the connection is lost: until `online`, and where nothing else is shown. @param {HTMLElement} place @param {string} text */
export function offline(place, text) {
  if (place.textContent) return;
  complain(place, text);
  place.dataset.offline = "";
}

/** @param {HTMLElement} place */
export function online(place) {
  if (place.dataset.offline === undefined) return;
  delete place.dataset.offline;
  place.replaceChildren();
}

/** Whether what a button does may begin: while it is busy it is not pressed twice. @param {Element} button */
export function begin(button) {
  if (button.getAttribute("aria-busy") === "true") return false;
  button.setAttribute("aria-busy", "true");
  return true;
}

/**
 * Do something once a frame is painted and nothing else waits, and within so many milliseconds.
 * @param {() => void} act
 * @param {number} latest
 */
export function whenIdle(act, latest) {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(act, { timeout: latest });
  else setTimeout(act); // Safari
}

/** Change a text only where it differs: else screen readers and selections start anew. @param {Element} element @param {string} text */
export function retext(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Do something again and again until the signal says stop, or it answers null. What it answers is the pause, in
 * milliseconds; pauses differ a little, so that pages that were opened together do not ask together.
 * @param {AbortSignal} signal
 * @param {() => Promise<number | null> | number | null} step
 */
export async function again(signal, step) {
  while (!signal.aborted) {
    const pause = await step();
    if (signal.aborted || pause === null) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, pause * (0.85 + Math.random() * 0.3));
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve(undefined)), { once: true });
    });
  }
}
