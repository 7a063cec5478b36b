"""Which answers say no. Most do so in their `error`; those that do it in another way stand here, in one table."""

from typing import Any

from traffic_tacos import wire
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.kernel.errors import Precondition, Refusal

# Answers that say no in a field of their own: the field, and the refusal that each value of it stands for.
_NOT_YOUR_TURN = Refusal.of_precondition(
    "waiting_token", "it is not this place's turn yet; ask for its status", Precondition.NOT_YOUR_TURN
)
SAYS_NO: dict[str, tuple[str, dict[int, Refusal]]] = {
    queue_pb2.RequestAdmissionResponse.DESCRIPTOR.full_name: (
        "admission",
        {queue_pb2.ADMISSION_STATUS_DENIED: _NOT_YOUR_TURN},
    ),
}
# Answers that carry an error beside what was asked for: the field that has it.
GIVES_ANYWAY = {queue_pb2.JoinQueueResponse.DESCRIPTOR.full_name: "waiting_token"}


def error_of(response: Any, trace_id: str) -> errors_pb2.Error | None:
    """The error of an answer that says no; None of any other."""
    if response.HasField("error"):
        error: errors_pb2.Error = response.error
        return error
    field, refusals = SAYS_NO.get(response.DESCRIPTOR.full_name, ("", {}))
    refusal = refusals.get(getattr(response, field)) if field else None
    return None if refusal is None else wire.error(refusal, trace_id)


def gives_what_was_asked(response: Any) -> bool:
    """Whether the answer has what was asked for, whatever its error says: the place of somebody who had joined."""
    return bool(getattr(response, GIVES_ANYWAY.get(response.DESCRIPTOR.full_name, ""), False))


def rest_of(response: Any) -> Any:
    """What the answer says besides its error; None when that is nothing."""
    if len(response.ListFields()) == int(response.HasField("error")):
        return None
    rest = type(response)()
    rest.CopyFrom(response)
    rest.ClearField("error")
    return rest
