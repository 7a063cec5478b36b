"""What may be asked of a line now: ladders that every engine asks, in the order in which their errors are documented.
Pure.
"""

from traffic_tacos.kernel.errors import Code, Precondition, Refusal
from traffic_tacos.kernel.event_info import SaleWindow
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.rooms.waiting_room.model import LineModel
from traffic_tacos.rooms.waiting_room.values import State


def check_joinable(
    model: LineModel, event_id: str, window: SaleWindow, now: Instant, *, is_closed: bool, joining: int = 0
) -> None:
    """Refuse whoever wants a new number and cannot have one; `joining` are about to have theirs."""
    window.check_not_over(now)
    if model.is_sold_out:
        raise sold_out(event_id)
    if is_closed:
        says = "the queue is closed: nobody new can join now"
        raise Refusal.of_precondition("event_id", says, Precondition.QUEUE_CLOSED)
    if model.waiting() + joining >= model.limits.waiting_max:
        raise Refusal.rate_limited(model.limits.offer_seconds)


def may_be_granted(model: LineModel, event_id: str, window: SaleWindow, number: int, now: Instant) -> bool:
    """Whether it is the ticket's turn, or it is admitted; refuses where neither can be any more."""
    window.check_not_over(now)
    state = model.state(number)
    if state is not State.ADMITTED and model.is_sold_for_good:
        raise sold_out(event_id)
    if state > State.ADMITTED:
        raise place_ended()
    if state is not State.ADMITTED and model.is_sold_out:
        raise sold_out(event_id)
    return state is not State.WAITING and not (state is State.READY and model.is_stopped)


def check_shown(number: int, shown: int) -> None:
    """Whose place without a user it is, only its token proves: a session's id is no secret."""
    if shown != number:
        raise Refusal(
            Code.ALREADY_EXISTS,
            "session_id: is in this queue already; show its waiting token as x-waiting-token to have its place, "
            "or join with another session_id",
        )


def place_ended() -> Refusal:
    says = "this place has ended; join the queue again"
    return Refusal.of_precondition("waiting_token", says, Precondition.PLACE_ENDED)


def of_another_user() -> Refusal:
    return Refusal(Code.FORBIDDEN, "user_id: the place belongs to another user")


def sold_out(event_id: str) -> Refusal:
    return Refusal.of_precondition("event_id", f"{event_id} is sold out", Precondition.SOLD_OUT)
