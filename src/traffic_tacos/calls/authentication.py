"""Who a bearer token speaks for: one of ours, or one of the issuer whose users are fans here."""

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
import certifi
import jwt
import msgspec
import structlog

from traffic_tacos.calls.keys import Keyring
from traffic_tacos.calls.policy import SCOPES
from traffic_tacos.kernel.addresses import checked_issuer
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant
from traffic_tacos.kernel.tokens import ISSUER, Issuer, UnknownKey, UserToken, issuer_of, verify_foreign, verify_user
from traffic_tacos.ports.clock import Clock

TOKENS_REMEMBERED_MAX = 50_000
ISSUER_ASKED_EVERY_SECONDS = 600.0
ISSUER_ASKED_AGAIN_AFTER = 30 * SECOND
ISSUER_SECONDS = 10.0
ISSUER_BYTES_MAX = 1_000_000
DISCOVERY = "/.well-known/openid-configuration"

log = structlog.get_logger()

FetchJson = Callable[[str], Awaitable[Any]]


class Authenticator:
    """`issuer` is described by OpenID Connect Discovery; None when only our own tokens are accepted.

    Checked tokens are remembered until they expire or the keys change: a signature costs more than many a call.
    """

    def __init__(self, keyring: Keyring, clock: Clock, issuer: "ForeignIssuer | None" = None) -> None:
        self._keyring = keyring
        self._clock = clock
        self._issuer = issuer
        self.known: dict[bytes, UserToken] = {}  # by their digests: what callers send is not kept
        keyring.on_change(self.known.clear)

    def user(self, token: str) -> UserToken:
        """Whom the token speaks for now; UNAUTHENTICATED or FORBIDDEN, with the reason, when it is not good."""
        now, digest = self._clock.now(), _digest(token)
        known = self.known.get(digest)
        if known is None or now >= known.expires_at:
            known = self._verified(token, now)
            if missing := set(SCOPES[known.caller.role]) - set(known.scopes):
                raise Refusal(Code.FORBIDDEN, f"token: must have the scope {sorted(missing)[0]}")
            if len(self.known) >= TOKENS_REMEMBERED_MAX:
                self.known.clear()
            self.known[digest] = known
        return known

    def _verified(self, token: str, now: Instant) -> UserToken:
        foreign = self._issuer
        if foreign is not None and issuer_of(token) == foreign.known.url != ISSUER:
            try:
                return verify_foreign(token, foreign.known, SCOPES[Role.FAN], now)
            except UnknownKey:
                foreign.ask_soon(now)
                raise
        try:
            return verify_user(token, self._keyring.verifying, now)
        except UnknownKey:
            if not self._keyring.refresh():
                raise
            return verify_user(token, self._keyring.verifying, now)


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Endpoints(msgspec.Struct, frozen=True):
    """Where a browser signs in, has its tokens, and signs out (OpenID Connect Discovery 1.0, 3; RP-Initiated Logout
    1.0, 2.1). Empty where the issuer names none, or has not answered yet.
    """

    authorization_endpoint: str = ""
    token_endpoint: str = ""
    end_session_endpoint: str = ""


class ForeignIssuer:
    """The issuer's keys and endpoints, asked for at the start, every ten minutes, and when a token names a key that is
    not known.
    """

    def __init__(self, url: str, audience: str, clock: Clock, fetch: FetchJson) -> None:
        self.known = Issuer(url, audience, {})
        self.endpoints = Endpoints()
        self._clock = clock
        self._fetch = fetch
        self._asked_at: Instant = -MINUTE
        self._soon = asyncio.Event()

    def ask_soon(self, now: Instant) -> None:
        if now >= self._asked_at + ISSUER_ASKED_AGAIN_AFTER:
            self._soon.set()

    async def ask(self) -> None:
        """Its keys as they are now. What cannot be had leaves those before in force, and is logged."""
        self._asked_at = self._clock.now()
        self._soon.clear()
        url = self.known.url
        try:
            described = await self._fetch(url.rstrip("/") + DISCOVERY)
            if described.get("issuer") != url:
                raise ValueError(f"it calls itself {str(described.get('issuer'))[:200]}")
            endpoints = _endpoints(described)
            keys = jwt.PyJWKSet.from_dict(await self._fetch(checked_issuer("jwks_uri", described["jwks_uri"]))).keys
        except Exception as error:  # noqa: BLE001 - whatever another system shows must not end the loop that asks it
            log.warning("issuer_did_not_answer", issuer=url, error=str(error)[:300])
            return
        self.endpoints = endpoints
        self.known = Issuer(url, self.known.audience, {key.key_id: key for key in keys if key.key_id is not None})

    async def run(self) -> None:
        """Keep its keys, until cancelled."""
        while True:
            await self.ask()
            waiting = asyncio.ensure_future(self._soon.wait())
            sleeping = asyncio.ensure_future(self._clock.sleep(ISSUER_ASKED_EVERY_SECONDS))
            try:
                await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
                sleeping.cancel()


def _endpoints(described: Mapping[str, Any]) -> Endpoints:
    """Those that the issuer names, checked like its own address: pages send people there."""
    named = {name: described[name] for name in Endpoints.__struct_fields__ if described.get(name)}
    return Endpoints(**{name: checked_issuer(name, str(url)) for name, url in named.items()})


async def fetch_json(url: str) -> Any:
    """What an issuer shows at an address of its own, within ISSUER_SECONDS in all. Redirects are not followed."""
    believed = ssl.create_default_context(cafile=certifi.where())
    async with (
        asyncio.timeout(ISSUER_SECONDS),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=believed), trust_env=True) as client,
        client.get(url, allow_redirects=False, raise_for_status=True) as answer,
    ):
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"{url} answers {answer.status}")
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > ISSUER_BYTES_MAX:
                raise ValueError(f"{url} shows more than {ISSUER_BYTES_MAX} bytes")
    return msgspec.json.decode(bytes(body))
