"""The worker's verbs: expire a reservation, settle a payment's result, give a payment back."""

import random

from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.topics import EXPIRE_RESERVATION, REFUND_PAYMENT, SETTLE_PAYMENT_RESULT
from traffic_tacos.ports.jobs import Handlers
from traffic_tacos.ports.store import Job
from traffic_tacos.rooms.worker.clients import LifecycleClient, PaymentClient
from traffic_tacos.rooms.worker.model import Done

TRACE_BITS = 128


class Worker:
    def __init__(self, lifecycle: LifecycleClient, payments: PaymentClient, randomness: random.Random) -> None:
        self._lifecycle = lifecycle
        self._payments = payments
        self._random = randomness

    def handlers(self) -> Handlers:
        """What the worker does with jobs, by topic. A job whose handler returns is done."""
        return {
            EXPIRE_RESERVATION: self._expire_job,
            SETTLE_PAYMENT_RESULT: self._settle_job,
            REFUND_PAYMENT: self._refund_job,
        }

    async def expire(self, reservation_id: str, call: Call) -> Done:
        return await self._lifecycle.expire(reservation_id, call)

    async def settle(self, reservation_id: str, payment_intent_id: str, call: Call) -> Done:
        return await self._lifecycle.settle(reservation_id, payment_intent_id, call)

    async def _expire_job(self, job: Job) -> None:
        await self.expire(job.payload["reservation_id"], self._call())

    async def _settle_job(self, job: Job) -> None:
        try:
            await self.settle(job.payload["reservation_id"], job.payload["payment_intent_id"], self._call())
        except Refusal as refusal:
            if refusal.code is not Code.NOT_FOUND:  # news of a payment that is not ours is no work
                raise

    async def _refund_job(self, job: Job) -> None:
        part = None
        if amount := job.payload.get("amount"):
            part = Money(int(amount), job.payload["currency"])
        await self._payments.refund(job.payload["payment_intent_id"], part, "no ticket for it", self._call())

    def _call(self) -> Call:
        return Call(Caller(Role.SERVICE, "worker"), f"{self._random.getrandbits(TRACE_BITS):032x}")
