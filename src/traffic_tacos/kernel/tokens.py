"""Tokens: what proves who somebody is, and where they stand.

- A *waiting token* carries event, number and a hash of the session, with a MAC over all three (keyed
  BLAKE2b, RFC 7693, 128 bits). Checking one needs no store. HMAC would be as good, but Python's gives
  up the GIL for it, which under load costs ten times the MAC itself. Written in hex: nothing is faster
  to read, and every status call reads one.
- A *reservation token* is sealed in the same way: nobody but the platform ever reads one, and a MAC
  costs a fiftieth of a signature, to make and to check (docs/decisions/0064). It names the signing key
  that was in force, from which the secret of its MAC is derived: so it is good as long as that key is.
- *User tokens* and *tickets* are JWTs (RFC 7519) signed with EdDSA (RFC 8037), for others to check. The
  algorithm is fixed: what a token's header claims counts for nothing.
"""

import base64
import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_user_id
from traffic_tacos.kernel.instants import SECOND, Instant

ISSUER = "traffic-tacos"
AUDIENCE = "traffic-tacos"
ALGORITHM = "EdDSA"
TICKET = "ticket"  # the type of a ticket's JWT
TICKET_SECONDS = 10 * 365 * 24 * 3600  # for so long after it was bought
WAITING_TOKEN_LENGTH_MAX = 320
TICKETS_REMEMBERED = 10_000

CLOCK_SKEW_SECONDS = 5
LIFETIME_SECONDS_MAX = 30 * 24 * 3600  # of any token that is issued here
SEALING_SECRET_BYTES = 32
FOREIGN_ALGORITHMS = ("RS256", "ES256", "EdDSA")

_MAC_BYTES = 16
_SESSION_BYTES = 8
_NUMBER_BYTES = 6
_HEAD_BYTES = _NUMBER_BYTES + _SESSION_BYTES
_KEY_ID_BYTES = 8
_SEALING_PURPOSE = b"reservation"
TOKEN_LENGTH_MAX = 8192
HEADERS_REMEMBERED = 10  # of the keys that sign, by type
_YEAR_10000_SECONDS = 253_402_300_800
_ROLES = {role.value: role for role in Role if role is not Role.ANONYMOUS}
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_NO_JWT = "is not a JWT of ours"
# What a token may do to its reader: PyJWT and json raise more than their own errors on what was made to break them.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError)
# Of what a reservation token says: admission, event, user, and from when to when it is good, in seconds.
_admission_encoder = msgspec.msgpack.Encoder()
_admission_decoder = msgspec.msgpack.Decoder(tuple[str, str, str, int, int])


# Public keys by their id, the one in force first; and what goes with each of them, see `sealing_secret`.
VerifyingKeys: TypeAlias = Mapping[str, Ed25519PublicKey]
SealingSecrets: TypeAlias = Mapping[str, bytes]


class UnknownKey(Refusal):
    """The token names a key that is not known here: it may have been made since."""


class Issuer(msgspec.Struct, frozen=True):
    """Another issuer whose users are fans here: its `iss`, the `aud` that its tokens for us have, and its keys
    (JSON Web Keys that PyJWT has read) by their ids.
    """

    url: str
    audience: str
    keys: Mapping[str, jwt.PyJWK]


class Ticket(msgspec.Struct, frozen=True):
    """Which place in which line a waiting token stands for."""

    event_id: str
    number: int
    session_hash: bytes


class UserToken(msgspec.Struct, frozen=True):
    caller: Caller
    scopes: tuple[str, ...]
    expires_at: Instant


class TicketToken(msgspec.Struct, frozen=True):
    """A ticket: it lets one person in to `event_id`, once. `bought_at` is when its order was confirmed."""

    event_id: str
    reservation_id: str
    seat_id: str
    bought_at: Instant


class ReservationToken(msgspec.Struct, frozen=True):
    """An admission: it lets one reservation at a time be made for `event_id`, and buys at most once."""

    admission_id: str
    event_id: str
    user_id: str
    expires_at: Instant


def session_hash(session_id: str) -> bytes:
    return hashlib.blake2b(session_id.encode(), digest_size=_SESSION_BYTES).digest()


def seal_ticket(ticket: Ticket, secret: bytes) -> str:
    """The waiting token of a ticket."""
    body = ticket.number.to_bytes(_NUMBER_BYTES) + ticket.session_hash + ticket.event_id.encode()
    mac = _mac(body, secret)
    return (mac + body).hex()


def open_ticket(token: str, secret: bytes) -> Ticket:
    """The ticket of a waiting token; UNAUTHENTICATED when it is not one of ours."""
    if not token:
        raise Refusal.of_field("waiting_token", "is required")
    if len(token) > WAITING_TOKEN_LENGTH_MAX:
        raise _no_ticket()
    return _opened(token, secret)


@lru_cache(maxsize=TICKETS_REMEMBERED)
def _opened(token: str, secret: bytes) -> Ticket:
    """Remembered, for a call looks at its ticket before it is counted and when it is carried out. What is refused is
    not, so that nobody can fill the memory with what is none.
    """
    try:
        raw = bytes.fromhex(token)
    except ValueError:
        raise _no_ticket() from None
    body = raw[_MAC_BYTES:]
    is_ours = len(body) > _HEAD_BYTES and hmac.compare_digest(raw[:_MAC_BYTES], _mac(body, secret))
    if not is_ours or raw.hex() != token:  # one ticket has one token, to the letter
        raise _no_ticket()
    return Ticket(body[_HEAD_BYTES:].decode(), int.from_bytes(body[:_NUMBER_BYTES]), body[_NUMBER_BYTES:_HEAD_BYTES])


def _no_ticket() -> Refusal:
    return Refusal(Code.UNAUTHENTICATED, "waiting_token: is not a token of this waiting room")


def is_ticket(token: str, secret: bytes) -> bool:
    """Whether a text is a waiting token of ours: in microseconds, and without asking the store for its place."""
    try:
        open_ticket(token, secret)
    except Refusal:
        return False
    return True


def _mac(body: bytes, secret: bytes) -> bytes:
    return hashlib.blake2b(body, key=secret, digest_size=_MAC_BYTES).digest()


def sign_user(key: Ed25519PrivateKey, user: UserToken, now: Instant) -> str:
    """A JWT for a fan, a door, a service or an administrator."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user.caller.name,
        "role": user.caller.role.value,
        "scope": " ".join(user.scopes),
        "iat": now // SECOND,
        "nbf": now // SECOND,
        "exp": user.expires_at // SECOND,
    }
    return _signed(key, claims)


def verify_user(token: str, keys: VerifyingKeys, now: Instant) -> UserToken:
    """Who a user's JWT speaks for; UNAUTHENTICATED, with the reason, when it is not good now."""
    claims = _verified(token, _key_of(token, keys, "token"), [ALGORITHM], ISSUER, AUDIENCE, now, "token")
    role = _ROLES.get(str(claims.get("role", "")))
    scope = claims.get("scope", "")
    if role is None:
        raise Refusal(Code.UNAUTHENTICATED, f"token: must have one of the roles {', '.join(_ROLES)}")
    if not isinstance(scope, str):
        raise Refusal(Code.UNAUTHENTICATED, "token: scope must be a text, with its scopes between spaces")
    return UserToken(Caller(role, _subject(claims)), tuple(scope.split()), claims["exp"] * SECOND)


def sealing_secret(key: Ed25519PrivateKey) -> bytes:
    """The secret that reservation tokens are sealed with while this key signs. The key cannot be found from it."""
    raw = key.private_bytes_raw()
    return hashlib.blake2b(raw, digest_size=SEALING_SECRET_BYTES, person=_SEALING_PURPOSE).digest()


def seal_reservation(token: ReservationToken, issued_at: Instant, secrets: SealingSecrets) -> str:
    """The reservation token of an admission, sealed with the first of these secrets: as long as that is the first, the
    same admission gives the same token.
    """
    name, secret = next(iter(secrets.items()))
    said = (token.admission_id, token.event_id, token.user_id, issued_at // SECOND, token.expires_at // SECOND)
    body = bytes.fromhex(name) + _admission_encoder.encode(said)
    return (_mac(body, secret) + body).hex()


def open_reservation(token: str, secrets: SealingSecrets, event_id: str, now: Instant) -> ReservationToken:
    """The admission of a reservation token, for this event, now.

    UNAUTHENTICATED when the token is missing, not ours or expired; FORBIDDEN when it is for another event.
    """
    if not token:
        raise _no_admission("is required; RequestAdmission gives one")
    try:
        raw = bytes.fromhex(token) if len(token) <= TOKEN_LENGTH_MAX else b""
    except ValueError:
        raw = b""
    body = raw[_MAC_BYTES:]
    secret = secrets.get(body[:_KEY_ID_BYTES].hex())
    if secret is None:
        raise UnknownKey(Code.UNAUTHENTICATED, "reservation_token: is not a token of ours, or no longer")
    if not hmac.compare_digest(raw[:_MAC_BYTES], _mac(body, secret)) or raw.hex() != token:
        raise _no_admission("is not a token of ours")  # one admission has one token, to the letter
    admission_id, for_event, user_id, begins, ends = _admission_decoder.decode(body[_KEY_ID_BYTES:])
    if for_event != event_id:
        raise Refusal(Code.FORBIDDEN, "reservation_token: was issued for something else")
    if now >= ends * SECOND:
        raise _no_admission("has expired")
    if now < (begins - CLOCK_SKEW_SECONDS) * SECOND:
        raise _no_admission("is not valid yet")
    return ReservationToken(admission_id, event_id, user_id, ends * SECOND)


def _no_admission(why: str) -> Refusal:
    return Refusal(Code.UNAUTHENTICATED, f"reservation_token: {why}")


def sign_ticket(key: Ed25519PrivateKey, ticket: TicketToken) -> str:
    """The JWT of a ticket. EdDSA is deterministic: the same ticket gives the same text, however often it is printed."""
    bought = ticket.bought_at // SECOND
    claims = {
        "iss": ISSUER,
        "aud": ticket.event_id,
        "sub": ticket.reservation_id,
        "seat": ticket.seat_id,
        "nbf": bought,
        "exp": bought + TICKET_SECONDS,
    }
    return _signed(key, claims, TICKET)


def verify_ticket(token: str, keys: VerifyingKeys, event_id: str, now: Instant) -> TicketToken:
    """The ticket for this event. UNAUTHENTICATED when it is none of ours; FORBIDDEN when it is for another event."""
    if not token:
        raise Refusal(Code.UNAUTHENTICATED, "ticket: is required")
    claims = _verified(token, _key_of(token, keys, "ticket"), [ALGORITHM], ISSUER, event_id, now, "ticket")
    if _header(token, "ticket").get("typ") != TICKET or not isinstance(claims.get("seat"), str):
        raise Refusal(Code.UNAUTHENTICATED, "ticket: is a token of ours, but no ticket")
    return TicketToken(event_id, str(claims["sub"]), claims["seat"], claims["nbf"] * SECOND)


def verify_foreign(token: str, issuer: Issuer, scopes: tuple[str, ...], now: Instant) -> UserToken:
    """The fan that another issuer's token speaks for: by its subject, with the scopes that fans have here.

    Whatever such a token says of roles is ignored. UNAUTHENTICATED, with the reason, when it is not good now.
    """
    key = issuer.keys.get(_header(token, "token").get("kid", ""))
    if key is None:
        raise UnknownKey(Code.UNAUTHENTICATED, "token: was signed with a key that its issuer does not show")
    if key.algorithm_name not in FOREIGN_ALGORITHMS:
        raise Refusal(Code.UNAUTHENTICATED, f"token: must be signed with one of {', '.join(FOREIGN_ALGORITHMS)}")
    claims = _verified(token, key, [key.algorithm_name], issuer.url, issuer.audience, now, "token")
    return UserToken(Caller(Role.FAN, _subject(claims)), scopes, claims["exp"] * SECOND)


def issuer_of(token: str) -> str:
    """What a token says of its issuer, not verified yet: it only chooses whose keys to try."""
    if len(token) > TOKEN_LENGTH_MAX or _JWT.fullmatch(token) is None:
        return ""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except _UNREADABLE:
        return ""
    return str(claims.get("iss", ""))


def verify_reservation(token: str, keys: VerifyingKeys, event_id: str, now: Instant) -> ReservationToken:
    """As `open_reservation`, of a JWT: version 0.1.0 signed them, and an upgrade must lose nobody's turn."""
    field = "reservation_token"
    claims = _verified(token, _key_of(token, keys, field), [ALGORITHM], ISSUER, event_id, now, field)
    if "jti" not in claims:
        raise Refusal(Code.UNAUTHENTICATED, "reservation_token: is not an admission")
    return ReservationToken(claims["jti"], event_id, claims["sub"], claims["exp"] * SECOND)


def _signed(key: Ed25519PrivateKey, claims: Mapping[str, object], typ: str = "JWT") -> str:
    """The claims in the compact form of RFC 7515, 7.1, byte for byte as PyJWT writes it in five times the time. What
    comes from outside is read by PyJWT.
    """
    signed = _header_of(key, typ) + b"." + _base64url(msgspec.json.encode(claims))
    return (signed + b"." + _base64url(key.sign(signed))).decode()


@lru_cache(maxsize=HEADERS_REMEMBERED)
def _header_of(key: Ed25519PrivateKey, typ: str) -> bytes:
    return _base64url(msgspec.json.encode({"alg": ALGORITHM, "kid": key_id(key.public_key()), "typ": typ}))


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def key_id(key: Ed25519PublicKey) -> str:
    """The name of a key: the start of its SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _header(token: str, field: str) -> dict[str, Any]:
    if len(token) > TOKEN_LENGTH_MAX:
        raise Refusal(Code.UNAUTHENTICATED, f"{field}: is too long to be a token of ours")
    if _JWT.fullmatch(token) is None:
        raise Refusal(Code.UNAUTHENTICATED, f"{field}: {_NO_JWT}")
    try:
        return jwt.get_unverified_header(token)
    except _UNREADABLE as error:
        raise Refusal(Code.UNAUTHENTICATED, f"{field}: {_reason(error)}") from None


def _key_of(token: str, keys: VerifyingKeys, field: str) -> Ed25519PublicKey:
    """The key that the token says it was signed with; the one in force when it says nothing."""
    name = _header(token, field).get("kid") or next(iter(keys))
    if name not in keys:
        raise UnknownKey(Code.UNAUTHENTICATED, f"{field}: was signed with a key that is not ours, or no longer")
    return keys[name]


def _verified(
    token: str,
    key: Ed25519PublicKey | jwt.PyJWK,
    algorithms: list[str],
    issuer: str,
    audience: str,
    now: Instant,
    field: str,
) -> dict[str, Any]:
    """The claims of a JWT. Times are checked against `now`, since nothing here may read a clock."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            issuer=issuer,
            audience=audience,
            options={
                # Ours have a beginning; of others' it is enough that they end.
                "require": ["exp", "sub", "iss", "aud", *(["nbf"] if issuer == ISSUER else [])],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidAudienceError:
        raise Refusal(Code.FORBIDDEN, f"{field}: was issued for something else") from None
    except _UNREADABLE as error:
        raise Refusal(Code.UNAUTHENTICATED, f"{field}: {_reason(error)}") from None
    ends, begins = _seconds(claims, "exp", field), _seconds(claims, "nbf", field)
    if now >= ends * SECOND:
        raise Refusal(Code.UNAUTHENTICATED, f"{field}: has expired")
    if now < (begins - CLOCK_SKEW_SECONDS) * SECOND:
        raise Refusal(Code.UNAUTHENTICATED, f"{field}: is not valid yet")
    return {**claims, "exp": ends, "nbf": begins}


def _subject(claims: Mapping[str, Any]) -> str:
    try:
        return checked_user_id("sub", str(claims["sub"]))
    except Refusal as refusal:
        raise Refusal(Code.UNAUTHENTICATED, f"token: {refusal.message}") from None


def _seconds(claims: Mapping[str, Any], name: str, field: str) -> int:
    """A NumericDate (RFC 7519, 2): seconds since 1970, perhaps with a fraction. What is no such time, or lies after
    the year 9999 (which no timestamp on the wire can say), is refused; so is NaN, which is neither more nor less.
    """
    value = claims.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _YEAR_10000_SECONDS:
        raise Refusal(Code.UNAUTHENTICATED, f"{field}: {name} must be in seconds, between 1970 and 9999")
    return math.floor(value)


def _reason(error: Exception) -> str:
    match error:
        case jwt.InvalidSignatureError():
            return "the signature is wrong"
        case jwt.InvalidIssuerError():
            return "the issuer is not ours"
        case jwt.MissingRequiredClaimError():
            return f"the claim {error.claim} is missing"
        case jwt.InvalidAlgorithmError():
            return "must be signed with the algorithm of its key"
        case _:
            return _NO_JWT
