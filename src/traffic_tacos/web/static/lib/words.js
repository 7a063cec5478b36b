/** Words, numbers, money and times as the visitor reads them. */

import { byId, whenIdle } from "./dom.js";
import { keep, kept, now, Refused } from "./server.js";

const LANGUAGES = { en: "English", ko: "한국어" };
const MINUTE = 60_000;
const SOON = 50; // milliseconds

/** @type {Record<string, any>} */
let words = {};
let language = "en";

/** The language in use, as in "ko". */
export const spoken = () => language;

/** What was chosen here before, or else the first of the browser's languages that there is. */
function preferred() {
  const asked = [kept("language").chosen, ...(navigator.languages ?? [])].map((one) => String(one).slice(0, 2));
  return asked.find((one) => one in LANGUAGES) ?? "en";
}

/**
 * Load the words, and put them wherever the page says which it wants. Calls `changed` when another language is chosen.
 * @param {() => void} changed
 * @param {string} [own] the folder of words that this page alone needs
 */
export async function speak(changed, own = "") {
  await use(preferred(), own);
  const button = byId("language");
  button.addEventListener("click", async () => {
    await use(language === "en" ? "ko" : "en", own);
    keep("language", { chosen: language });
    changed();
  });
}

/** @param {string} wanted @param {string} own */
async function use(wanted, own) {
  const files = own ? [wanted, `${own}/${wanted}`] : [wanted];
  const reading = Promise.all(files.map((file) => import(`../i18n/${file}.js`)));
  // A browser's first form takes 50 ms on a slow phone: it is made while words and data are on their way.
  whenIdle(() => formOf(Intl.NumberFormat, {}, wanted), SOON);
  words = Object.assign({}, ...(await reading).map((one) => one.default));
  language = wanted;
  document.documentElement.lang = wanted;
  for (const element of document.querySelectorAll("[data-t]")) {
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.t ?? "");
  }
  const other = wanted === "en" ? "ko" : "en";
  const button = byId("language");
  button.textContent = LANGUAGES[other];
  button.lang = other;
  button.hidden = false;
}

/**
 * The words under a key. `{name}` stands for a value; where a key has forms, the value `n` chooses among them.
 * @param {string} key
 * @param {Record<string, any>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  let text = words[key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  if (typeof text === "object") text = text[formOf(Intl.PluralRules).select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) =>
    typeof values[name] === "number" ? number(values[name]) : String(values[name]),
  );
}

/** Whether there are words under a key. @param {string} key */
export const has = (key) => key in words;

/**
 * Why something was not done and what to do now, in a sentence: by what the server says was in the way, else by its code.
 * @param {unknown} fault
 */
export function why(fault) {
  if (!(fault instanceof Refused)) return t("no_answer");
  const [reason, code] = [fault.reason.toLowerCase(), fault.code.toLowerCase()];
  if (has(`because_${reason}`)) return t(`because_${reason}`);
  return t(has(`refused_${code}`) ? `refused_${code}` : "refused", { n: Math.max(1, Math.ceil(fault.retryAfter)) });
}

/** Forms of numbers and times: to make one takes longer than to use it a hundred times. @type {Map<string, any>} */
const forms = new Map();

/**
 * A form of numbers or times in a language: that in use, where none is named. It is made once.
 * @template Form
 * @param {new (language: string, options: any) => Form} kind one of `Intl`
 * @param {object} [options]
 * @param {string} [of] the language
 * @returns {Form}
 */
function formOf(kind, options = {}, of = language) {
  const name = `${kind.name} ${of} ${JSON.stringify(options)}`;
  const form = forms.get(name) ?? new kind(of, options);
  forms.set(name, form);
  return form;
}

/** @param {number} value */
export const number = (value) => formOf(Intl.NumberFormat).format(value);

/** @param {number | string} amount in minor units @param {{currency: string, decimals: number}} of */
export function money(amount, of) {
  const digits = { minimumFractionDigits: of.decimals, maximumFractionDigits: of.decimals };
  const form = formOf(Intl.NumberFormat, { style: "currency", currency: of.currency, ...digits });
  return form.format(Number(amount) / 10 ** of.decimals);
}

/** The lowest and the highest, or the one price that there is. @param {any} of with price_min and price_max @param {any} event */
export function prices(of, event) {
  const least = of.price_min || of.price_max ? money(of.price_min, event) : t("no_price");
  return of.price_min === of.price_max ? least : `${least} – ${money(of.price_max, event)}`;
}

/** A moment by the clocks at the event. @param {string} time @param {number | null} offset minutes from UTC */
export function when(time, offset) {
  const at = Date.parse(time);
  const shown = formed(new Date(at + (offset ?? 0) * MINUTE), { dateStyle: "full", timeStyle: "short" }, "UTC");
  return offset == null ? `${shown} UTC` : shown;
}

/** When an event starts, by the clocks there; null where nobody has said. @param {any} event */
export const startOf = (event) => event.starts_at && when(event.starts_at, event.utc_offset_minutes);

/** Where an event is: the house and its city; "" where nobody has said. @param {any} event */
export const venueOf = ({ venue }) => [venue.name, venue.city].filter(Boolean).join(", ");

/** The same moment by the visitor's own clock, or "" where both show the same. @param {string} time @param {number | null} offset */
export function whenHere(time, offset) {
  const at = new Date(Date.parse(time));
  if (-at.getTimezoneOffset() === (offset ?? 0)) return "";
  return formed(at, { dateStyle: "medium", timeStyle: "short" });
}

/** A time of day by the visitor's clock; with its date where that is not today's. @param {number} at milliseconds */
export function clock(at) {
  const isToday = new Date(at).toDateString() === new Date(now()).toDateString();
  return formed(new Date(at), isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** When a sale opens: by the visitor's clock, and it says so where those at the event show something else. @param {string} time @param {number | null} offset */
export function opening(time, offset) {
  const shown = clock(Date.parse(time));
  return whenHere(time, offset) ? t("by_your_clock", { time: shown }) : shown;
}

/** @param {Date} date @param {Intl.DateTimeFormatOptions} form @param {string} [timeZone] */
const formed = (date, form, timeZone) => formOf(Intl.DateTimeFormat, { ...form, timeZone }).format(date);

/** About so long, in words: nobody believes seconds of an hour. @param {number} seconds */
export function about(seconds) {
  if (seconds < 60) return t("under_a_minute");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t("minutes", { n: minutes });
  return t("hours", { n: Math.floor(minutes / 60), minutes: minutes % 60 });
}
