/** Who a browser is: the guest of a place in the queue, whose token is to be had again from that place. */

import { call, keep, kept, now } from "../lib/server.js";

const RENEWED_BEFORE = 120_000; // milliseconds before a token ends

/**
 * The token and the name of the guest of a place.
 * @param {{waiting?: string, fan?: {token: string, userId: string, until: number}}} way
 * @returns {Promise<{token: string, userId: string, until: number}>}
 */
export async function fanOf(way) {
  if (way.fan && now() < way.fan.until - RENEWED_BEFORE) return way.fan;
  const guest = await call("tacos.identity.v1.GuestService/Become", { waitingToken: way.waiting });
  return { token: guest.token, userId: guest.userId, until: Date.parse(guest.expiresAt) };
}

/** Take the turn. @param {import("./event.js").Stage} stage */
export async function admit({ event, way, set }) {
  const fan = await fanOf(way());
  set({ fan });
  const request = { waitingToken: way().waiting, eventId: event.id, userId: fan.userId };
  const admission = await call("gateway.v1.QueueService/RequestAdmission", request, fan.token);
  set({ admission: { token: admission.reservationToken, until: Date.parse(admission.validUntil) } });
}

/** A call in the name of a guest. @param {{token: string, userId: string}} fan @param {string} rpc @param {object} request */
export const askAs = (fan, rpc, request) => call(rpc, { userId: fan.userId, ...request }, fan.token);

/** A call in the name of the guest of this way. @param {import("./event.js").Stage} stage @param {string} rpc @param {object} request */
export async function ask({ way, set }, rpc, request) {
  const fan = await fanOf(way());
  if (fan.token !== way().fan?.token) set({ fan });
  return askAs(fan, rpc, request);
}

/** Remember the guest who has bought, for the list of orders. @param {string} event @param {string} [waiting] */
export function remember(event, waiting) {
  const guests = kept("guests").all ?? [];
  if (waiting && !guests.some((/** @type {any} */ one) => one.waiting === waiting))
    keep("guests", { all: [...guests, { event, waiting }] });
}
