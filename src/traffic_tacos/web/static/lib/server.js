/** The server: asking it, its clock, and what this device remembers of what it said. */

/**
 * The server's answer was no. `code` is the contract's, as in "NOT_FOUND"; the first of its facts says what is wrong: the
 * `field`, a `reason`, as in "SOLD_OUT", and a `value`, each "" for nothing. Its sentence is for programmers: nobody
 * decides by it, and no page shows it; `why` in words.js says the same to people.
 */
export class Refused extends Error {
  /** @param {string} code @param {string} sentence @param {Record<string, string>} fact @param {number} retryAfter seconds */
  constructor(code, sentence, { field = "", reason = "", value = "" } = {}, retryAfter = 0) {
    super(sentence);
    this.code = code;
    this.field = field;
    this.reason = reason;
    this.value = value;
    this.retryAfter = retryAfter;
  }
}

/** There was no answer: nobody knows whether it was done. The same call, with the same key, finds out. */
export class Unreachable extends Error {}

/** Whether a call failed in a way that is expected of any call; every other fault is ours, and is not hidden. @param {unknown} fault */
export const isExpected = (fault) => fault instanceof Refused || fault instanceof Unreachable;

const TIMEOUT = 15_000; // milliseconds
export const KNOWN = "tacos."; // what we keep on this device begins with it
let ahead = 0; // milliseconds by which this device's clock is ahead of the server's

/** The server's time now, in milliseconds since 1970: a device's own clock may be minutes wrong. */
export const now = () => Date.now() - ahead;

/** @param {number} theirs what the server says it was, in the middle of the call @param {number} asked when it was asked, by this device */
function setClock(theirs, asked) {
  ahead = (asked + Date.now()) / 2 - theirs;
}

/** What everybody may read. @param {string} path under /web/ @returns {Promise<any>} */
export async function read(path) {
  const asked = Date.now();
  const response = await answered(`/web/${path}`, { cache: path.startsWith("plan/") ? "default" : "no-cache" });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw refusalOf(response, answer.error ?? {});
  if (answer.now) setClock(Date.parse(answer.now) + Number(response.headers.get("age") ?? 0) * 1000, asked);
  return answer;
}

/**
 * A call of the platform's own contract, as JSON.
 * @param {string} rpc as in "gateway.v1.QueueService/JoinQueue"
 * @param {Record<string, any>} request
 * @param {string} [token] who asks
 * @returns {Promise<any>}
 */
export async function call(rpc, request, token = "") {
  /** @type {Record<string, string>} */
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await answered(`/${rpc}`, { method: "POST", headers, body: JSON.stringify(request) });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const error = answer.details?.find((/** @type {any} */ one) => one.type === "common.v1.Error")?.debug ?? answer;
  throw refusalOf(response, error);
}

/**
 * All of a list that is read a page at a time.
 * @param {(cursor: string) => Promise<{items: any[], next: string}>} page the page behind a cursor; "" is the first, and ends
 */
export async function all(page) {
  const found = [];
  let cursor = "";
  do {
    const { items, next } = await page(cursor);
    found.push(...items);
    cursor = next;
  } while (cursor);
  return found;
}

/** @param {Response} response @param {any} error */
function refusalOf(response, error) {
  const code = String(error.code ?? "UNAVAILABLE").replace("ERROR_CODE_", "");
  const retry = Number(response.headers.get("retry-after")) || 0;
  return new Refused(code, error.message ?? `HTTP ${response.status}`, error.details?.[0], retry);
}

/** @param {string} path @param {RequestInit} how */
async function answered(path, how) {
  try {
    return await fetch(path, { ...how, credentials: "omit", signal: AbortSignal.timeout(TIMEOUT) });
  } catch (fault) {
    throw new Unreachable(String(fault));
  }
}

/**
 * What this device keeps under a name, here and in its other tabs. Where nothing may be kept it lasts as long as the page.
 * @param {string} name
 * @returns {any}
 */
export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(KNOWN + name) ?? "null") ?? memory[name] ?? {};
  } catch {
    return memory[name] ?? {};
  }
}

/** @type {Record<string, any>} */
const memory = {};

/** Keep a value; null forgets. @param {string} name @param {any} value */
export function keep(name, value) {
  memory[name] = value ?? undefined;
  try {
    if (value == null) localStorage.removeItem(KNOWN + name);
    else localStorage.setItem(KNOWN + name, JSON.stringify(value));
  } catch {
    return; // a full or forbidden storage: this page goes on
  }
}

/** What this tab alone keeps under a name until it is closed; null for nothing. @param {string} name @returns {any} */
export function keptInTab(name) {
  try {
    return JSON.parse(sessionStorage.getItem(KNOWN + name) ?? "null");
  } catch {
    return null; // a forbidden storage
  }
}

/** Called when another tab keeps something else. @param {string} name @param {() => void} listener @param {AbortSignal} signal */
export function onKept(name, listener, signal) {
  addEventListener("storage", (event) => event.key === KNOWN + name && listener(), { signal });
}

/** The id in the address of this page, as in /e/ID; as it stands there where it is not encoded as it should be. */
export function idInAddress() {
  const id = location.pathname.split("/")[2] ?? "";
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** A key of a new request: sent again with it, a request is done once. */
export const newKey = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");
