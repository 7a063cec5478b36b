"""The worker's verbs: expire a reservation, apply a payment's result, give a payment back."""

import random

from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.topics import EXPIRE_RESERVATION, REFUND_PAYMENT, SETTLE_PAYMENT_RESULT
from traffic_tacos.ports.jobs import Handler, Handlers, PermanentFailure
from traffic_tacos.ports.store import Job
from traffic_tacos.rooms.worker.clients import LifecycleClient, PaymentClient
from traffic_tacos.rooms.worker.model import Done

TRACE_BITS = 128
# Refusals that asking again cannot change. Some say that there is no work: news of what is not ours, or a refund of
# what was never captured. The others make a dead letter at once, for a person to look at.
NO_WORK = {
    EXPIRE_RESERVATION: frozenset({Code.NOT_FOUND}),
    SETTLE_PAYMENT_RESULT: frozenset({Code.NOT_FOUND}),
    REFUND_PAYMENT: frozenset({Code.FAILED_PRECONDITION}),
}
GIVEN_UP = frozenset({Code.NOT_FOUND, Code.INVALID_ARGUMENT})


class Worker:
    def __init__(self, lifecycle: LifecycleClient, payments: PaymentClient, randomness: random.Random) -> None:
        self._lifecycle = lifecycle
        self._payments = payments
        self._random = randomness

    def handlers(self) -> Handlers:
        """What the worker does with jobs, by topic. A job whose handler returns is done."""
        return {
            EXPIRE_RESERVATION: _ending(self._expire_job),
            SETTLE_PAYMENT_RESULT: _ending(self._apply_result_job),
            REFUND_PAYMENT: _ending(self._refund_job),
        }

    async def expire(self, reservation_id: str, call: Call) -> Done:
        return await self._lifecycle.expire(reservation_id, call)

    async def apply_payment_result(self, reservation_id: str, payment_intent_id: str, call: Call) -> Done:
        return await self._lifecycle.apply_payment_result(reservation_id, payment_intent_id, call)

    async def _expire_job(self, job: Job) -> None:
        await self.expire(job.payload["reservation_id"], self._call())

    async def _apply_result_job(self, job: Job) -> None:
        await self.apply_payment_result(job.payload["reservation_id"], job.payload["payment_intent_id"], self._call())

    async def _refund_job(self, job: Job) -> None:
        owed = None
        if amount := job.payload.get("amount"):
            owed = Money(int(amount), job.payload["currency"])
            if not owed.amount:
                return
        await self._payments.refund(job.payload["payment_intent_id"], owed, "no ticket for it", self._call())

    def _call(self) -> Call:
        return Call(Caller(Role.SERVICE, "worker"), f"{self._random.getrandbits(TRACE_BITS):032x}")


def _ending(handler: Handler) -> Handler:
    """The handler, which does not try again what is refused for good."""

    async def handle(job: Job) -> None:
        try:
            await handler(job)
        except Refusal as refusal:
            if refusal.code in NO_WORK[job.topic]:
                return
            if refusal.code in GIVEN_UP:
                raise PermanentFailure(refusal.message) from refusal
            raise

    return handle
