/** Who a browser is: the account that a place was taken with, or else the guest of the place, whose token is to be had again from it. */

import { call, keep, kept, keptInTab, now, Refused } from "../lib/server.js";

const RENEWED_BEFORE = 120_000; // milliseconds before a token ends
const TURN = 300_000; // milliseconds in which seats can be chosen, once the turn is taken
const EXTENSION = 60_000; // milliseconds by which a hold can be extended

/** @typedef {{token: string, userId: string, until: number, code?: string}} Fan `until`: milliseconds; `code` makes the same guest elsewhere */

/**
 * The token and the name of whoever has a place. Refused with SIGNED_OUT where its account is not signed in here.
 * @param {{waiting?: string, code?: string, account?: string, fan?: Fan}} way
 * @param {number} [lasting] milliseconds that an account's token should last
 * @returns {Promise<Fan>}
 */
export async function fanOf(way, lasting = RENEWED_BEFORE) {
  if (way.account) return (await import("../lib/account.js")).accountOf(way.account, lasting);
  if (way.fan && now() < way.fan.until - RENEWED_BEFORE) return way.fan;
  const guest = way.code
    ? await call("tacos.identity.v1.GuestService/Recover", { recoveryCode: way.code })
    : await call("tacos.identity.v1.GuestService/Become", { waitingToken: way.waiting });
  const code = way.code ?? guest.recoveryCode;
  return { token: guest.token, userId: guest.userId, until: Date.parse(guest.expiresAt), code };
}

/** Milliseconds that an account's token has to last when a turn is taken: through it, and the hold of the seats. @param {any} event */
const purchase = (event) => TURN + event.hold_seconds * 1000 + EXTENSION;

/**
 * Renew the sign-in that a place belongs to, where it would end before a purchase from now on does. When it ends, in
 * milliseconds, if it cannot be renewed; 0 where all is well.
 * @param {import("./event.js").Stage} stage
 */
export async function signInEnds({ event, way }) {
  const { account } = way();
  if (!account) return 0;
  const known = await (await import("../lib/account.js")).accountOf(account, purchase(event) + RENEWED_BEFORE);
  return known.refresh || now() + purchase(event) < known.until ? 0 : known.until;
}

/** Take the turn: with a token that outlasts it, and the hold of the seats. @param {import("./event.js").Stage} stage */
export async function admit({ event, way, set }) {
  const fan = await fanOf(way(), purchase(event) + RENEWED_BEFORE);
  if (!way().account) set({ fan });
  const request = { waitingToken: way().waiting, eventId: event.id, userId: fan.userId };
  const admission = await call("gateway.v1.QueueService/RequestAdmission", request, fan.token);
  set({ admission: { token: admission.reservationToken, until: Date.parse(admission.validUntil) } });
}

/** A call in somebody's name. @param {{token: string, userId: string}} fan @param {string} rpc @param {object} request */
export const askAs = (fan, rpc, request) => call(rpc, { userId: fan.userId, ...request }, fan.token);

/**
 * A call in the name of whoever goes this way. Where their account is not signed in here any more, the page has gone on
 * to say so when this is refused.
 * @param {import("./event.js").Stage} stage
 * @param {string} rpc
 * @param {object} request
 */
export async function ask({ way, set, go }, rpc, request) {
  const fan = await fanOf(way()).catch((fault) => {
    if (fault instanceof Refused && fault.reason === "SIGNED_OUT") void go();
    throw fault;
  });
  const isGuest = !way().account; // an account's token stays in its tab
  if (isGuest && fan.token !== way().fan?.token) set({ fan });
  return askAs(fan, rpc, request);
}

/** The ways of everybody that this browser is: whoever is signed in here, and each guest who has bought on this device, or whose code was entered here. */
export function everybody() {
  const account = keptInTab("account")?.userId;
  const guests = kept("guests").all ?? [];
  return account ? [{ account }, ...guests] : guests;
}

/** Remember the guest who has bought, for the list of orders; an account lists its own. @param {string} event @param {import("./event.js").Way} way */
export function remember(event, { waiting, account }) {
  const guests = kept("guests").all ?? [];
  if (waiting && !account && !guests.some((/** @type {any} */ one) => one.waiting === waiting))
    keep("guests", { all: [...guests, { event, waiting }] });
}

/** Remember the guest of another device whose recovery code this is. @param {string} code */
export function rememberCode(code) {
  const guests = kept("guests").all ?? [];
  if (!guests.some((/** @type {any} */ one) => one.code === code)) keep("guests", { all: [...guests, { code }] });
}
