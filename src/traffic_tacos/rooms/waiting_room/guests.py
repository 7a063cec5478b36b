"""GuestService: whoever holds a place whose turn has come is a fan by that place, without an account.

The guest's name is a digest of the place under the secret that seals waiting tokens: the same each time, also after a
restart, and nobody who sees it can tell or make another. So is the recovery code, which makes the same guest of whoever
writes it down and types it on another device.
"""

import hashlib
import hmac
from base64 import b32encode
from typing import NamedTuple

from traffic_tacos import wire
from traffic_tacos.gen.tacos.identity.v1 import identity_pb2 as pb
from traffic_tacos.kernel.calls import FAN_SCOPES, Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Precondition, Refusal
from traffic_tacos.kernel.instants import HOUR, Instant
from traffic_tacos.kernel.tokens import Ticket, UserToken, open_ticket, sign_user
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.rooms.waiting_room.lines import Lines
from traffic_tacos.rooms.waiting_room.values import State

LIFETIME: Instant = HOUR  # longer than a turn and a purchase; another token is to be had at any time
NAME_BYTES = 12
PROOF_BYTES = 10  # 80 bits: nobody guesses them, and a person can copy them by hand
# Letters that nobody takes for others, and what is meant when somebody does: https://www.crockford.com/base32.html
_WRITTEN = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_READ = str.maketrans("OIL", "011", "- ")
GROUP = 4
NUMBER_DIGITS_MAX = 15  # of a number in a queue


class Guest(NamedTuple):
    token: str
    user_id: str
    expires_at: Instant


class GuestRpc:
    def __init__(self, lines: Lines, clock: Clock, keyring: Keyring) -> None:
        self._lines = lines
        self._clock = clock
        self._keyring = keyring

    async def Become(self, request: pb.BecomeRequest, call: Call) -> pb.BecomeResponse:
        ticket = open_ticket(request.waiting_token, self._keyring.waiting)
        guest = await self._guest(ticket, call, "waiting_token")
        return pb.BecomeResponse(
            token=guest.token,
            user_id=guest.user_id,
            expires_at=wire.timestamp(guest.expires_at),
            recovery_code=recovery_code(ticket.event_id, ticket.number, self._keyring.waiting),
        )

    async def Recover(self, request: pb.RecoverRequest, call: Call) -> pb.RecoverResponse:
        guest = await self._guest(opened_code(request.recovery_code, self._keyring.waiting), call, "recovery_code")
        return pb.RecoverResponse(token=guest.token, user_id=guest.user_id, expires_at=wire.timestamp(guest.expires_at))

    async def _guest(self, ticket: Ticket, call: Call, field: str) -> Guest:
        """Whom this place makes of its holder, who has shown this field."""
        name = guest_name(ticket, self._keyring.waiting)
        await self._check(ticket, name, call, field)
        now = self._clock.now()
        user = UserToken(Caller(Role.FAN, name), FAN_SCOPES, now + LIFETIME)
        return Guest(sign_user(self._keyring.signing, user, now), name, user.expires_at)

    async def _check(self, ticket: Ticket, guest: str, call: Call, field: str) -> None:
        """Refuse whoever may not be a guest by this place now."""
        opened = await self._lines.of(ticket.event_id, call)  # as the event is now
        await self._lines.found(ticket, call)
        if not opened.line.terms.takes_guests:
            raise Refusal(Code.FORBIDDEN, f"{field}: {ticket.event_id} takes no guests; sign in")
        holder = await opened.line.holder(ticket.number)
        if holder is not None and holder.user_id not in ("", guest):
            raise Refusal(Code.FORBIDDEN, f"{field}: this place belongs to a user; sign in")
        was_admitted = holder is not None and holder.was_admitted
        if not was_admitted and opened.line.view().tickets.state(ticket.number) is not State.READY:
            says = "the turn of this place has not come"
            raise Refusal.of_precondition(field, says, Precondition.NOT_YOUR_TURN)


def recovery_code(event_id: str, number: int, secret: bytes) -> str:
    """What makes the guest of this place of whoever has it, as in `evt_taco_club.1042.7KQF-2M9D-XW4T-8PRC`."""
    letters = _proof(event_id, number, secret)
    groups = (letters[start : start + GROUP] for start in range(0, len(letters), GROUP))
    return f"{event_id}.{number}.{'-'.join(groups)}"


def opened_code(code: str, secret: bytes) -> Ticket:
    """The place of a recovery code, without its session; UNAUTHENTICATED when it is not one of ours."""
    place, _, letters = code.strip().rpartition(".")
    event_id, _, rest = place.rpartition(".")
    number = int(rest) if rest.isascii() and rest.isdecimal() and len(rest) <= NUMBER_DIGITS_MAX else 0
    shown = letters.upper().translate(_READ).encode()
    if not hmac.compare_digest(shown, _proof(event_id, number, secret).encode()):
        raise Refusal(Code.UNAUTHENTICATED, "recovery_code: is not a recovery code of this platform")
    return Ticket(event_id, number, b"")


def _proof(event_id: str, number: int, secret: bytes) -> str:
    return b32encode(_digest("recovery", event_id, number, secret, PROOF_BYTES)).decode().translate(_WRITTEN)


def guest_name(ticket: Ticket, secret: bytes) -> str:
    """Whom a place makes of its holder."""
    return f"guest:{_digest('guest', ticket.event_id, ticket.number, secret, NAME_BYTES).hex()}"


def _digest(purpose: str, event_id: str, number: int, secret: bytes, size: int) -> bytes:
    """Of a place: for each purpose another, and for nobody without the secret."""
    place = f"{purpose}\x00{event_id}\x00{number}".encode()
    return hashlib.blake2b(place, key=secret, digest_size=size).digest()
