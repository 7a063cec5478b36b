"""Who calls, and under which trace and deadline: what every room is given beside the request."""

from enum import Enum

import msgspec

from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import Instant


class Role(Enum):
    """What a token lets its bearer be."""

    ANONYMOUS = "anonymous"
    FAN = "fan"
    DOOR = "door"  # lets people in with their tickets
    SERVICE = "service"
    ADMIN = "admin"


FAN_SCOPES = ("tickets:buy",)


class Caller(msgspec.Struct, frozen=True):
    """Somebody whose token was checked, or nobody in particular."""

    role: Role = Role.ANONYMOUS
    name: str = ""


ANONYMOUS = Caller()


class Call(msgspec.Struct, frozen=True):
    """One call. `deadline` is when nobody waits for the answer any more; `traceparent` is the caller's own trace
    context (W3C), and `waiting_token` what they sent as x-waiting-token, as they came: neither is checked yet.
    `token` is the caller's own, for a call that another process answers.
    """

    caller: Caller
    trace_id: str
    deadline: Instant | None = None
    traceparent: str = ""
    waiting_token: str = ""
    token: str = ""

    def may_act_for(self, user_id: str) -> bool:
        """Whether the caller is that user, or somebody trusted to speak for users."""
        return self.caller.role in TRUSTED or (self.caller.role is Role.FAN and self.caller.name == user_id)

    def require_user(self, user_id: str) -> None:
        """Refuse with FORBIDDEN unless the caller may act for that user."""
        if not self.may_act_for(user_id):
            raise Refusal(Code.FORBIDDEN, "user_id: must be the user of the token")


TRUSTED = frozenset({Role.SERVICE, Role.ADMIN})
