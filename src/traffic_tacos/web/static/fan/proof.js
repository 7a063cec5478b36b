/** A draw, worked out anew from what is published of it; docs/draw.md says how. Pure. */

import { hmac, joined, sha256 } from "../lib/sha256.js";

const ROUNDS = 10;
const BITS_MIN = 10;
const text = new TextEncoder();

/** What a waiting token is published as. @param {string} token */
export const entryOf = (token) => sha256(text.encode(token));

/** The digest of the pool before anybody has joined. @type {Uint8Array} */
export const EMPTY = new Uint8Array(32);

/** The digest with one more entry. @param {Uint8Array} digest @param {Uint8Array} entry */
export const withEntry = (digest, entry) => sha256(joined(digest, entry));

/** @param {Uint8Array} one @param {Uint8Array} other */
export const isSame = (one, other) => one.length === other.length && one.every((byte, index) => byte === other[index]);

/**
 * The places of a draw, as a question about one number in order of joining; both count from 1.
 * @param {Uint8Array} seed @param {string} event @param {Uint8Array} digest of the pool @param {number} size
 * @returns {(number: number) => number}
 */
export function placesOf(seed, event, digest, size) {
  const key = hmac(seed, joined(text.encode(event), new Uint8Array(1), digest));
  const bits = Math.max(BITS_MIN, size > 1 ? 32 - Math.clz32(size - 1) : 0);
  const right = bits >> 1;
  const left = bits - right;
  // A half has few values, so what a round makes of each of them is worked out once.
  const rounds = Array.from({ length: ROUNDS }, (_, round) =>
    round % 2 ? roundOf(key, round, left, right) : roundOf(key, round, right, left),
  );

  return (number) => {
    let value = number - 1;
    do {
      let [one, other] = [value >> right, value & ((1 << right) - 1)];
      for (let round = 0; round < ROUNDS; round += 2) {
        one ^= rounds[round][other];
        other ^= rounds[round + 1][one];
      }
      value = (one << right) | other;
    } while (value >= size);
    return value + 1;
  };
}

/** @param {Uint8Array} key @param {number} round @param {number} given bits of the half that is read @param {number} changed bits of the other */
function roundOf(key, round, given, changed) {
  const message = new DataView(new ArrayBuffer(5));
  message.setUint8(0, round);
  return Array.from({ length: 1 << given }, (_, half) => {
    message.setUint32(1, half);
    return new DataView(hmac(key, new Uint8Array(message.buffer)).buffer).getUint32(0) & ((1 << changed) - 1);
  });
}
