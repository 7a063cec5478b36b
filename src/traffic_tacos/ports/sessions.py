"""Whose a session is. Its id is chosen by a client, many choose the same, and it is in logs and forms: whoever names
one has proved nothing.

So a session belongs to whoever came with it first: to the user who joined a queue or opened a stream, or, of who is not
signed in, to the place that they got in a queue. Messages to the session reach nobody else. It is decided in the commit
that gives the place, and forgotten a while after it was last used.

The record also says which place was the first that anybody had with the session without being signed in. That is never
forgotten: whoever joins that queue with the session again is to find it.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from traffic_tacos.kernel.instants import DAY, Instant
from traffic_tacos.ports.store import Key, Kind, View, Write, put

KEPT_FOR = 2 * DAY
RENEWED_AFTER = DAY
DIGEST_BYTES = 16


class Session(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`owner` has the session until `expires_at`. `place` is the event and the number of its first place."""

    owner: str
    expires_at: Instant
    place: tuple[str, int] | None = None

    @property
    def forgotten_at(self) -> Instant | None:
        return None if self.place else self.expires_at


SESSION = Kind("session", Session)


def user_owner(user_id: str) -> str:
    return f"user {user_id}"


def place_owner(event_id: str, number: int) -> str:
    """Whoever holds the token of this place in a queue, and is not signed in."""
    return f"place {event_id} {number}"


def session_key(session_id: str) -> Key[Session]:
    return SESSION.key(hashlib.blake2b(session_id.encode(), digest_size=DIGEST_BYTES).hexdigest())


def is_owner(
    view: View, key: Key[Session], names: Sequence[str], now: Instant, place: tuple[str, int] | None = None
) -> tuple[bool, list[Write]]:
    """Whether the session belongs to who has these names; and what is to be written.

    One that is nobody's is theirs from now on, under the first name. `place` is kept where nothing was known of the
    session. The view must have declared the key.
    """
    known = view.get(key)
    if known is None:
        return True, [put(key, Session(names[0], now + KEPT_FOR, place))]
    is_known = now < known.expires_at
    if is_known and known.owner not in names:
        return False, []
    if is_known and now < known.expires_at - KEPT_FOR + RENEWED_AFTER:
        return True, []
    return True, [put(key, Session(known.owner if is_known else names[0], now + KEPT_FOR, known.place))]
