/** SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104): at once, many times over, and without asking for https. Pure. */

const BLOCK = 64; // bytes
const COUNT_AT = 56; // where a block's last bytes say how long the message was
const K = new Int32Array(64); // the first 32 bits of the fractions of the cube roots of the first 64 primes
const START = new Int32Array(8); // the same of the square roots of the first 8

for (let found = 0, candidate = 2; found < 64; candidate++) {
  let isPrime = true;
  for (let by = 2; by * by <= candidate; by++) if (candidate % by === 0) isPrime = false;
  if (!isPrime) continue;
  if (found < 8) START[found] = bitsOf(candidate, 2);
  K[found++] = bitsOf(candidate, 3);
}

/** The first 32 bits of the fraction of a root, exactly. @param {number} value @param {number} root */
function bitsOf(value, root) {
  const wanted = BigInt(value) << BigInt(32 * root);
  let [low, high] = [0n, 1n << 40n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(root) <= wanted) low = middle;
    else high = middle;
  }
  return Number(low & 0xffffffffn) | 0;
}

/** @param {Uint8Array} message @returns {Uint8Array} */
export function sha256(message) {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  const at = padded.length - BLOCK + COUNT_AT;
  view.setUint32(at, Math.floor(message.length / 2 ** 29));
  view.setUint32(at + 4, message.length << 3);
  const state = START.slice();
  for (let block = 0; block < padded.length; block += BLOCK) compress(state, view, block);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => digest.setInt32(index * 4, word));
  return new Uint8Array(digest.buffer);
}

/** @param {Uint8Array} key @param {Uint8Array} message */
export function hmac(key, message) {
  const short = key.length > BLOCK ? sha256(key) : key;
  const inner = new Uint8Array(BLOCK).fill(0x36);
  const outer = new Uint8Array(BLOCK).fill(0x5c);
  short.forEach((byte, index) => {
    inner[index] ^= byte;
    outer[index] ^= byte;
  });
  return sha256(joined(outer, sha256(joined(inner, message))));
}

/** Bytes one behind the other. @param {...Uint8Array} parts */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const schedule = new Int32Array(64);

/** @param {Int32Array} state @param {DataView} view @param {number} block where it begins */
function compress(state, view, block) {
  const w = schedule;
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(block + i * 4);
  for (let i = 16; i < 64; i++) {
    const [early, late] = [w[i - 15], w[i - 2]];
    const s0 = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
    const s1 = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const first = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] = (state[index] + word) | 0));
}

/** @param {number} word @param {number} bits to the right */
const turned = (word, bits) => (word >>> bits) | (word << (32 - bits));
