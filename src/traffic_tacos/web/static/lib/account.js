/**
 * Who has signed in at another issuer: by an authorization code with PKCE (RFC 6749, 4.1; RFC 7636), as a public client.
 * Tokens are kept in this tab until it is closed, and pass no server but the issuer's and the platform's.
 */

import { call, keptInTab, KNOWN, now, read, Refused, Unreachable } from "./server.js";

const ACCOUNT = "account";
const BEGUN = "signing_in";
const TIMEOUT = 15_000; // milliseconds
const RENEWED_BEFORE = 120_000; // milliseconds before a token ends
const RANDOM_BYTES = 32; // RFC 7636, 4.1

/** @typedef {{token: string, refresh: string, id: string, userId: string, until: number}} Account `until`: milliseconds */
/** @typedef {{url: string, client_id: string, scope: string, authorization_endpoint: string, token_endpoint: string, end_session_endpoint: string}} Issuer */

/** Where people sign in; null where there is no such place. @returns {Promise<Issuer | null>} */
export const issuer = async () => (await read("config.json")).issuer;

/** Whether people can be sent there now: its addresses are known, and this browser has what it takes. @param {Issuer} where */
export const isReady = (where) => Boolean(where.authorization_endpoint && where.token_endpoint && crypto.subtle);

/** Leave for the issuer's own page. @param {Issuer} where @param {string} back a path of ours, to come back to */
export async function signIn(where, back) {
  const [state, verifier] = [random(), random()];
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  store(BEGUN, { state, verifier, back });
  location.assign(
    withQuery(where.authorization_endpoint, {
      response_type: "code",
      client_id: where.client_id,
      redirect_uri: returnAddress(),
      scope: where.scope,
      state,
      code_challenge: base64url(new Uint8Array(digest)),
      code_challenge_method: "S256",
    }),
  );
}

/**
 * Take what the issuer has sent back in the address: the path to go on to. Refused with what the issuer says, or with
 * FAILED_PRECONDITION when it is no answer to what this tab has asked.
 * @param {Issuer} where
 * @param {URLSearchParams} returned
 * @returns {Promise<string>}
 */
export async function arrive(where, returned) {
  const { state, verifier, back } = keptInTab(BEGUN) ?? {};
  store(BEGUN, null); // an answer is taken once
  const isOurs = returned.get("state") === state && (returned.get("iss") ?? where.url) === where.url; // RFC 9207
  if (!isOurs) throw new Refused("FAILED_PRECONDITION", "state: is not what this tab has asked with");
  const error = returned.get("error");
  if (error) throw new Refused("UNAUTHENTICATED", error);
  await fetched(where, {
    grant_type: "authorization_code",
    code: returned.get("code") ?? "",
    redirect_uri: returnAddress(),
    code_verifier: verifier,
  });
  return back;
}

/** @type {Promise<Account | null> | null} */
let renewing = null;

/**
 * Whoever is signed in, with a token that lasts so long from now, if it can be renewed; null when nobody is.
 * @param {number} [lasting] milliseconds
 * @returns {Promise<Account | null>}
 */
export async function account(lasting = RENEWED_BEFORE) {
  const known = /** @type {Account | null} */ (keptInTab(ACCOUNT));
  if (!known || now() < known.until - lasting) return known;
  renewing ??= renewed(known).finally(() => (renewing = null)); // a token that renews may be good only once
  return renewing;
}

/**
 * The account of this user, with a token that lasts so long from now, if it can be renewed. Refused with SIGNED_OUT when
 * this tab has another account or none; Unreachable when only the issuer's answer is missing.
 * @param {string} userId
 * @param {number} [lasting] milliseconds
 * @returns {Promise<Account>}
 */
export async function accountOf(userId, lasting) {
  const known = await account(lasting);
  if (known?.userId === userId) return known;
  if (keptInTab(ACCOUNT)?.userId === userId) throw new Unreachable("the issuer does not answer");
  throw new Refused("UNAUTHENTICATED", "account: is not signed in here", { reason: "SIGNED_OUT" });
}

/** @param {Account} known @returns {Promise<Account | null>} */
async function renewed(known) {
  let rest = now() < known.until ? known : null;
  try {
    const where = known.refresh ? await issuer() : null;
    if (where) return await fetched(where, { grant_type: "refresh_token", refresh_token: known.refresh });
  } catch (fault) {
    if (fault instanceof Unreachable) return rest; // it is asked again while the old one lasts
    if (!(fault instanceof Refused)) throw fault;
    rest &&= { ...rest, refresh: "" }; // what was refused is refused again
    if (rest) store(ACCOUNT, rest);
  }
  if (!rest) forget();
  return rest;
}

/** Forget who is signed in here. */
export const forget = () => store(ACCOUNT, null);

/** Sign out here, and leave for the issuer to sign out there, where it has a page for that. @param {Issuer} where */
export function signOut(where) {
  const id = keptInTab(ACCOUNT)?.id;
  forget();
  if (!where.end_session_endpoint) return location.assign("/signed-in");
  /** @type {Record<string, string>} */
  const hint = id ? { id_token_hint: id } : {};
  const ours = { client_id: where.client_id, post_logout_redirect_uri: returnAddress() };
  location.assign(withQuery(where.end_session_endpoint, { ...ours, ...hint }));
}

/** Tokens from the issuer, kept once the platform says whom they speak for. @param {Issuer} where @param {Record<string, string>} grant @returns {Promise<Account>} */
async function fetched(where, grant) {
  const body = new URLSearchParams({ client_id: where.client_id, ...grant });
  const tokens = await asked(where.token_endpoint, body);
  const shown = await call("gateway.v1.GatewayService/ValidateToken", { token: tokens.access_token });
  if (!shown.valid) throw new Refused("UNAUTHENTICATED", "token: is not taken here");
  const before = keptInTab(ACCOUNT);
  const found = {
    token: tokens.access_token,
    refresh: tokens.refresh_token ?? before?.refresh ?? "",
    id: tokens.id_token ?? before?.id ?? "",
    userId: shown.user.userId,
    until: Date.parse(shown.expiresAt),
  };
  store(ACCOUNT, found);
  return found;
}

/** @param {string} endpoint @param {URLSearchParams} body @returns {Promise<any>} */
async function asked(endpoint, body) {
  let response;
  try {
    response = await fetch(endpoint, {
      method: "POST",
      body,
      credentials: "omit",
      redirect: "error", // a code is for this server only
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch (fault) {
    throw new Unreachable(String(fault));
  }
  const answer = await response.json().catch(() => ({}));
  if (response.status >= 500) throw new Unreachable(`HTTP ${response.status}`);
  if (!response.ok || !answer.access_token) throw new Refused("UNAUTHENTICATED", String(answer.error ?? response.status));
  return answer;
}

const returnAddress = () => `${location.origin}/signed-in`;

/** @param {string} address @param {Record<string, string>} query */
function withQuery(address, query) {
  const whole = new URL(address);
  for (const [name, value] of Object.entries(query)) whole.searchParams.set(name, value);
  return whole.href;
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)));

/** @param {Uint8Array} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** @param {string} name @param {any} value */
function store(name, value) {
  if (value === null) sessionStorage.removeItem(KNOWN + name);
  else sessionStorage.setItem(KNOWN + name, JSON.stringify(value));
}
