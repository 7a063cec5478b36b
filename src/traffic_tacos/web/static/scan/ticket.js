/**
 * Tickets, checked without the server: a ticket is a JWT (RFC 7519) signed with Ed25519 (RFC 8037), and whoever has the
 * platform's public keys can distinguish one from a forgery.
 */

const ISSUER = "traffic-tacos";
const ALGORITHM = "EdDSA"; // whatever a ticket's own header says, no other is tried
const TYPE = "ticket";
const LENGTH_MAX = 8192;
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** @typedef {{event: string, reservation: string, seat: string}} Ticket */
/** @typedef {Map<string, CryptoKey>} Keys public keys by their `kid` */

/**
 * The keys of a key set, as `/.well-known/jwks.json` has it; null where this browser cannot check signatures of theirs.
 * @param {{keys: any[]}} set
 * @returns {Promise<Keys | null>}
 */
export async function keysOf(set) {
  try {
    const known = set.keys.filter((key) => key.kty === "OKP" && key.crv === "Ed25519");
    const read = known.map(async ({ kid, kty, crv, x }) => {
      const key = await crypto.subtle.importKey("jwk", { kty, crv, x }, "Ed25519", false, ["verify"]);
      return /** @type {[string, CryptoKey]} */ ([kid, key]);
    });
    return new Map(await Promise.all(read));
  } catch {
    return null; // an old browser, or a page that came over plain HTTP: those have no cryptography, or none of this kind
  }
}

/** The key that a ticket says it was signed with, "" when it says nothing that can be read. @param {string} text */
export const keyNameOf = (text) => String(read(text.split(".")[0] ?? "").kid ?? "");

/**
 * What a ticket says, once its signature is found good; null when it is no ticket, or not one that these keys have signed.
 * When it was bought is not looked at: a device's clock may be minutes behind, and the server looks again.
 * @param {string} text
 * @param {Keys} keys
 * @param {number} now milliseconds
 * @returns {Promise<Ticket | null>}
 */
export async function opened(text, keys, now) {
  if (text.length > LENGTH_MAX || !FORM.test(text)) return null;
  const [head, body, signature] = text.split(".");
  const { alg, typ, kid } = read(head);
  const key = keys.get(kid);
  if (alg !== ALGORITHM || typ !== TYPE || !key) return null;
  const signed = new TextEncoder().encode(`${head}.${body}`);
  if (!(await crypto.subtle.verify("Ed25519", key, bytes(signature), signed))) return null;
  const { iss, aud, sub, seat, exp } = read(body);
  const isWhole = [aud, sub, seat].every((one) => typeof one === "string") && typeof exp === "number";
  return isWhole && iss === ISSUER && now < exp * 1000 ? { event: aud, reservation: sub, seat } : null;
}

/** What a part of a JWT says; nothing when it cannot be read. @param {string} part @returns {any} */
function read(part) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes(part))) ?? {};
  } catch {
    return {};
  }
}

/** @param {string} text base64url, without padding */
function bytes(text) {
  try {
    const plain = text.replaceAll("-", "+").replaceAll("_", "/");
    return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array(); // no length that base64 has
  }
}
