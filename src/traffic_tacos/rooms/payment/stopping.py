"""Payments that are stopped because what they are for has ended (`ports/payments.py`)."""

from collections.abc import Collection
from contextlib import suppress

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.payments import Stop, payment_job_id
from traffic_tacos.ports.store import DamagedRecord, Decision, Key, Store, View, drop_job, put
from traffic_tacos.rooms.payment import model
from traffic_tacos.rooms.payment.model import Payment
from traffic_tacos.rooms.payment.records import PAYMENT, changed, listing
from traffic_tacos.rooms.payment.webhooks import webhook_of

LOOKED_AT_ONCE = 100


class Stopping:
    """`own_url` is where the platform itself is notified of payments: who stops one there knows what became of it."""

    def __init__(self, store: Store, clock: Clock, own_url: str) -> None:
        self._store = store
        self._clock = clock
        self._own_url = own_url

    async def stop(self, reservation_id: str, passed_over: Collection[str], payments_max: int) -> Stop:
        found = await self._found(reservation_id, passed_over)
        under_way = [PAYMENT.key(payment.id) for payment in found if payment.status in model.UNDER_WAY]
        completed = [payment.id for payment in found if payment.status is PaymentStatus.COMPLETED]
        keys, now = under_way[:payments_max], self._clock.now()

        def rule(view: View) -> Decision[tuple[str, ...]]:
            payments = [payment for key in keys if (payment := view.get(key)) is not None]
            since = (payment.id for payment in payments if payment.status is PaymentStatus.COMPLETED)
            decision = Decision((*completed[:1], *since))
            for payment in payments:
                if payment.status in model.UNDER_WAY:
                    decision = decision.beside(self._stopped(payment, now))
            return decision

        return Stop(keys, rule, is_all=len(under_way) <= payments_max)

    async def _found(self, reservation_id: str, passed_over: Collection[str]) -> list[Payment]:
        """The payments of a reservation, oldest first."""
        found: list[Payment] = []
        index = listing("", reservation_id)
        after: Key[str] | None = None
        while page := await self._store.scan(index, after=after, limit=LOOKED_AT_ONCE):
            for name in (name for _, name in page if name not in passed_over):
                with suppress(DamagedRecord):  # noted by the store: the others are stopped all the same
                    if (payment := await self._store.get(PAYMENT.key(name))) is not None:
                        found.append(payment)
            if len(page) < LOOKED_AT_ONCE:
                break
            after = page[-1][0]
        return found

    def _stopped(self, before: Payment, now: Instant) -> Decision[None]:
        """The end of a payment, and the webhook that reports it to somebody else. Nobody has to look at what became of
        it: what it is for has ended in the same commit.
        """
        after = model.stepped(before, PaymentStatus.CANCELLED, now)
        writes = (put(PAYMENT.key(after.id), after), drop_job(payment_job_id(after.id)))
        jobs = () if after.webhook_url == self._own_url else (webhook_of(after, now),)
        return Decision(None, writes, jobs, (changed(after, before.status),))
