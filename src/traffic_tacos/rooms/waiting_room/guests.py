"""GuestService: whoever holds a place whose turn has come is a fan by that place, without an account.

The guest's name is a digest of the place under the secret that seals waiting tokens: the same each time, also after a
restart, and nobody who sees it can tell or make another.
"""

import hashlib

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


class GuestRpc:
    def __init__(self, lines: Lines, clock: Clock, keyring: Keyring) -> None:
        self._lines = lines
        self._clock = clock
        self._keyring = keyring

    async def Become(self, request: pb.BecomeRequest, call: Call) -> pb.BecomeResponse:
        ticket = open_ticket(request.waiting_token, self._keyring.waiting)
        guest = guest_name(ticket, self._keyring.waiting)
        await self._check(ticket, guest, call)
        now = self._clock.now()
        user = UserToken(Caller(Role.FAN, guest), FAN_SCOPES, now + LIFETIME)
        return pb.BecomeResponse(
            token=sign_user(self._keyring.signing, user, now),
            user_id=guest,
            expires_at=wire.timestamp(user.expires_at),
        )

    async def _check(self, ticket: Ticket, guest: str, call: Call) -> None:
        """Refuse whoever may not be a guest by this place now."""
        await self._lines.found(ticket, call)
        opened = await self._lines.of(ticket.event_id, call)  # as the event is now
        if not opened.line.terms.takes_guests:
            raise Refusal(Code.FORBIDDEN, f"waiting_token: {ticket.event_id} takes no guests; sign in")
        holder = await opened.line.holder(ticket.number)
        if holder is not None and holder.user_id not in ("", guest):
            raise Refusal(Code.FORBIDDEN, "waiting_token: this place belongs to a user; sign in")
        was_admitted = holder is not None and holder.was_admitted
        if not was_admitted and opened.line.view().tickets.state(ticket.number) is not State.READY:
            says = "it is not the turn of this place"
            raise Refusal.of_precondition("waiting_token", says, Precondition.NOT_YOUR_TURN)


def guest_name(ticket: Ticket, secret: bytes) -> str:
    """Whom a place makes of its holder."""
    place = f"guest\x00{ticket.event_id}\x00{ticket.number}".encode()
    return f"guest:{hashlib.blake2b(place, key=secret, digest_size=NAME_BYTES).hexdigest()}"
