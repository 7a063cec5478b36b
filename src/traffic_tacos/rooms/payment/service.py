"""Payment's verbs: create, process, show, cancel, list; and the simulated bank's answer."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import IntEnum
from functools import partial
from typing import TypeVar

import msgspec

from traffic_tacos.kernel.addresses import Network, checked_url
from traffic_tacos.kernel.calls import Call, Role
from traffic_tacos.kernel.cards import TEST_CARDS, Reason
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_id, checked_user_id, derived_id, new_id, random_text
from traffic_tacos.kernel.instants import DAY, SECOND, Instant, seconds
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.kernel.topics import (
    EXPIRE_PAYMENT,
    SEND_WEBHOOK,
    SETTLE_PAYMENT_RESULT,
    SIMULATE_OUTCOME,
)
from traffic_tacos.kernel.webhook_types import OF_PAYMENT
from traffic_tacos.ports.amounts import AmountsDue
from traffic_tacos.ports.audit import CHAIN_END, audited, entry_of
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.idempotency import Answers, IdempotentCall, Keyed
from traffic_tacos.ports.jobs import Jobs
from traffic_tacos.ports.paging import Asked, Page, page_of
from traffic_tacos.ports.payments import payment_job_id
from traffic_tacos.ports.store import Decision, Job, Store, View, put
from traffic_tacos.ports.webhooks import message_id_of
from traffic_tacos.rooms.payment import model
from traffic_tacos.rooms.payment.model import Method, Payment, Scenario
from traffic_tacos.rooms.payment.records import PAYMENT, changed, index_writes, listing
from traffic_tacos.rooms.payment.webhooks import Wrong, webhook_of, wrong_webhooks

KEY_WINDOW = DAY
DELAY_SECONDS_MAX = 86_400
# A result that no webhook brought home is looked at all the same, this much later.
RESULT_CHECKED_AFTER = 10 * SECOND


E = TypeVar("E", bound=IntEnum)
R = TypeVar("R")

# What is remembered of a call is its reply: so a reply has what is answered, and not the payment. Its fields have the
# names that they have in `Payment`, for version 0.1.0 remembered whole payments.


class Create(Keyed, frozen=True):
    reservation_id: str
    amount: Money
    user_id: str
    method: int
    scenario: int
    webhook_url: str
    idempotency_key: str


class Created(msgspec.Struct, frozen=True):
    id: str
    client_secret: str
    expires_at: Instant


class CardDetails(msgspec.Struct, frozen=True):
    number: str
    month: str
    year: str


class Process(Keyed, frozen=True):
    """`card_digest` stands for the card in what is remembered of the request; the card is not kept."""

    payment_intent_id: str
    method: int
    card_digest: str
    idempotency_key: str


class Processing(msgspec.Struct, frozen=True):
    payment_id: str
    updated_at: Instant


class Cancel(Keyed, frozen=True):
    payment_intent_id: str
    reason: str
    refund_amount: Money | None
    idempotency_key: str


class Cancelled(msgspec.Struct, frozen=True, omit_defaults=True):
    """`refunded` is how much of `amount` has gone back in all."""

    status: PaymentStatus
    updated_at: Instant
    amount: Money
    refunded: int = 0
    refund_id: str = ""


class Simulate(msgspec.Struct, frozen=True):
    payment_intent_id: str
    status: int
    delay_seconds: int
    is_forced: bool = False
    wrong: Wrong | None = None


class Simulated(msgspec.Struct, frozen=True):
    webhook_id: str
    scheduled_at: Instant


class Payments:
    """`time_scale` divides the simulated bank's times, and nothing else; `networks` are those that webhooks may
    reach besides public addresses. `amounts_due` says what reservations cost, once all rooms are built; `own_url` is
    where the platform itself is notified of payments.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: random.Random,
        amounts_due: Callable[[], AmountsDue],
        time_scale: float,
        networks: tuple[Network, ...],
        jobs: Jobs,
        own_url: str,
    ) -> None:
        self._jobs = jobs
        self._own_url = own_url
        self._store = store
        self._clock = clock
        self._random = randomness
        self._amounts_due = amounts_due
        self._time_scale = time_scale
        self._networks = networks
        self._answers = Answers(store, clock)

    async def create(self, request: Create, call: Call) -> Created:
        """An intent for exactly what the reservation costs. Nothing is charged yet."""
        call.require_user(checked_user_id("user_id", request.user_id))
        act = partial(self._create, request, call)
        return await self._answered("create", request.user_id, request, Created, call, act)

    async def _create(self, request: Create, call: Call, idempotent: IdempotentCall[Created]) -> Created:
        now = self._clock.now()
        checked_id("reservation_id", request.reservation_id)
        method = member("method", Method, request.method)
        scenario = member("scenario", Scenario, request.scenario)
        checked_url("webhook_url", request.webhook_url, self._networks)
        due = await self._amounts_due().of(request.reservation_id, request.user_id, call)
        intent_id = new_id("pi", now, self._random)
        payment = Payment(
            id=intent_id,
            reservation_id=request.reservation_id,
            user_id=request.user_id,
            amount=request.amount,
            method=method,
            scenario=scenario,
            webhook_url=request.webhook_url,
            client_secret=f"{intent_id}_secret_{random_text(self._random)}",
            created_at=now,
            updated_at=now,
            expires_at=now + model.INTENT_LIFETIME,
            promised=0,
        )
        expiry = expiry_job(payment, payment.expires_at)
        key = PAYMENT.key(payment.id)

        reply = Created(payment.id, payment.client_secret, payment.expires_at)

        def rule(view: View) -> Decision[Created]:
            if request.amount != (amount := due.rule(view)):
                raise Refusal.of_field("amount", f"must be the reservation's total, {amount}", request.amount)
            writes = (put(key, payment), *index_writes(payment))
            return Decision(reply, writes, (expiry,), (changed(payment, None),))

        return await idempotent.commit(due.reads, rule)

    async def process(self, request: Process, card: CardDetails | None, call: Call) -> Processing:
        """Set the payment going; the bank's answer comes by webhook, after the scenario's time."""
        payment = await self._visible(request.payment_intent_id, call)
        act = partial(self._process, request, card, payment)
        return await self._answered("process", payment.user_id, request, Processing, call, act)

    async def _process(
        self, request: Process, card: CardDetails | None, payment: Payment, idempotent: IdempotentCall[Processing]
    ) -> Processing:
        now = self._clock.now()
        year = datetime.fromtimestamp(now / SECOND, UTC).year
        kept = None if card is None else model.checked_card(card.number, card.month, card.year, year)
        says = None if card is None else TEST_CARDS.get(model.digits(card.number))
        if request.method and request.method != payment.method:
            raise Refusal.of_field("payment_details.method", f"must be the intent's, {payment.method.name}")
        answer = model.outcome(payment.scenario, says, self._random)
        payment_id = derived_id("pay", payment.id)
        key = PAYMENT.key(payment.id)

        def rule(view: View) -> Decision[Processing]:
            before = _found(view.get(key), request.payment_intent_id)
            after = model.processing(before, payment_id, kept, now)
            jobs: tuple[Job, ...] = ()
            if answer is not None:
                due_at = now + seconds(answer.seconds / self._time_scale)
                jobs = (_answering(after, answer.reason, due_at),)
            reply = Processing(after.payment_id, after.updated_at)
            return Decision(reply, (put(key, after),), jobs, (changed(after, before.status),))

        return await idempotent.commit((key,), rule)

    async def show(self, payment_intent_id: str, user_id: str, call: Call) -> Payment:
        payment = await self._visible(payment_intent_id, call)
        if user_id and payment.user_id != user_id:
            raise _unknown(payment_intent_id)
        return payment

    async def cancel(self, request: Cancel, call: Call) -> Cancelled:
        """Cancel, or refund what was captured; see `model.cancelled`."""
        payment = await self._visible(request.payment_intent_id, call)
        act = partial(self._cancel, request, payment, call)
        return await self._answered("cancel", payment.user_id, request, Cancelled, call, act)

    async def _cancel(
        self, request: Cancel, payment: Payment, call: Call, idempotent: IdempotentCall[Cancelled]
    ) -> Cancelled:
        now = self._clock.now()
        key = PAYMENT.key(payment.id)
        refund_id = derived_id("ref", payment.id, request.idempotency_key)

        by_operator = call.caller.role is Role.ADMIN
        entry = entry_of(call, now, "cancel payment", payment.id, request.reason)

        def rule(view: View) -> Decision[Cancelled]:
            before = _found(view.get(key), request.payment_intent_id)
            after = model.cancelled(before, request.refund_amount, refund_id, now)
            reply = Cancelled(after.status, after.updated_at, after.amount, after.refunded, after.refund_id)
            if after == before:
                return Decision(reply)
            noted = msgspec.structs.replace(entry, old=_standing(before), new=_standing(after))
            writes = audited(view, noted) if by_operator else ()
            return Decision(reply, writes).beside(_ended(before, after, now))

        return await idempotent.commit((key, CHAIN_END) if by_operator else (key,), rule)

    async def list(self, user_id: str, reservation_id: str, status: int, asked: Asked) -> Page[Payment]:
        """A page of payments, oldest first."""
        if not user_id and not reservation_id:
            raise Refusal.of_field("user_id", "is required, or reservation_id")
        wanted = member("status", PaymentStatus, status) if status else None

        def matches(payment: Payment) -> bool:
            return wanted in (None, payment.status) and user_id in ("", payment.user_id)

        is_filtered = wanted is not None or (user_id and reservation_id)
        index = listing(user_id, reservation_id)
        return await page_of(self._store, index, PAYMENT.key, matches if is_filtered else None, asked)

    async def simulate_webhook(self, request: Simulate, call: Call) -> Simulated:
        """A result of somebody's choice, now or later, for testing receivers.

        What the payment says already is sent once more, as the same message. The bank's answer to a payment it
        has not answered yet is decided. Anything else is untrue, and only sent when it is forced: as a message
        of its own, and the payment stays as it is. FAILED_PRECONDITION otherwise.
        """
        payment = await self._visible(request.payment_intent_id, call)
        status = member("target_status", PaymentStatus, request.status)
        if status not in OF_PAYMENT:
            raise Refusal.of_field(
                "target_status", f"must be one of {', '.join(one.name for one in OF_PAYMENT)}", status
            )
        if not 0 <= request.delay_seconds <= DELAY_SECONDS_MAX:
            raise Refusal.of_field("delay_seconds", f"must be 0 to {DELAY_SECONDS_MAX}", request.delay_seconds)
        now = self._clock.now()
        at = now + request.delay_seconds * SECOND
        key = PAYMENT.key(payment.id)
        name = new_id(f"{payment.id}:untrue", now, self._random)

        def decide(view: View) -> Decision[Simulated]:
            known = _found(view.get(key), payment.id)
            if request.wrong is None and not request.is_forced:
                if known.status is status:
                    job = webhook_of(known, at)
                    return Decision(Simulated(message_id_of(job), at), jobs=(job,))
                answer = known.status is PaymentStatus.PROCESSING and model.ANSWERS.get(status)
                if not answer:
                    raise Refusal(
                        Code.FAILED_PRECONDITION,
                        f"target_status: a {known.status.name} payment is not {status.name}; "
                        "force_trigger sends it anyway",
                    )
                webhook = webhook_of(msgspec.structs.replace(known, status=status), at)
                return Decision(Simulated(message_id_of(webhook), at), jobs=(_answering(known, answer, at),))
            jobs = wrong_webhooks(known, status, name, at, request.wrong)
            return Decision(Simulated(message_id_of(jobs[0]), at), jobs=jobs)

        return await self._store.transact((key,), decide)

    # What jobs do.

    async def answer(self, job: Job) -> None:
        """The simulated bank answers. An answer that has failed does not outlive the intent: past its lifetime that
        expires, as if no answer had been due.
        """
        now = self._clock.now()
        key = PAYMENT.key(job.payload["payment_intent_id"])
        transaction_id = derived_id("txn", job.payload["payment_intent_id"])

        def decide(view: View) -> Decision[Payment | None]:
            before = view.get(key)
            if before is not None and job.attempts and now >= before.expires_at:
                return _expired(before, now)
            after = before and model.answered(before, Reason(job.payload["reason"]), transaction_id, now)
            if before is None or after is None:
                return Decision(None)
            return _ended(before, after, now, is_notified=self._notifies_itself(after))

        after = await self._store.transact((key,), decide)
        if after is not None and self._notifies_itself(after):
            self._jobs.attempt(webhook_of(after, now))

    async def expire(self, job: Job) -> None:
        """An intent's lifetime is over."""
        now = self._clock.now()
        key = PAYMENT.key(job.payload["payment_intent_id"])

        def decide(view: View) -> Decision[Payment | None]:
            before = view.get(key)
            return Decision(None) if before is None else _expired(before, now)

        await self._store.transact((key,), decide)

    def _notifies_itself(self, payment: Payment) -> bool:
        """Whether the result goes to this very process: its webhook is then attempted without a record of its own, for
        the job that looks at the result sees to it as well.
        """
        return payment.webhook_url == self._own_url and self._jobs.can_attempt(SEND_WEBHOOK)

    async def _answered(
        self,
        method: str,
        user_id: str,
        request: Create | Process | Cancel,
        reply: type[R],
        call: Call,
        act: Callable[[IdempotentCall[R]], Awaitable[R]],
    ) -> R:
        scope, key = ("payment", method, user_id), request.idempotency_key
        return await self._answers.answer(scope, key, request, reply, act, window=KEY_WINDOW, trace_id=call.trace_id)

    async def _visible(self, payment_intent_id: str, call: Call) -> Payment:
        """The payment, when the caller may see it; somebody else's does not exist."""
        payment = await self._store.get(PAYMENT.key(checked_id("payment_intent_id", payment_intent_id)))
        if payment is None or not call.may_act_for(payment.user_id):
            raise _unknown(payment_intent_id)
        return payment


def _ended(before: Payment, after: Payment, now: Instant, *, is_notified: bool = False) -> Decision[Payment]:
    """The end of a payment, or its refund: the webhook that reports it, unless that is sent already, and a look at it
    if none arrives.
    """
    jobs = [] if is_notified else [webhook_of(after, now)]
    if before.status in model.UNDER_WAY or after.status is PaymentStatus.REFUNDED:
        jobs.append(settling_job(after, now + RESULT_CHECKED_AFTER))
    return Decision(after, (put(PAYMENT.key(after.id), after),), jobs, (changed(after, before.status),))


def _expired(before: Payment, now: Instant) -> Decision[Payment | None]:
    """The end of a payment whose lifetime is over; nothing when it has ended."""
    if before.status not in model.UNDER_WAY:
        return Decision(None)
    return _ended(before, model.stepped(before, PaymentStatus.EXPIRED, now), now)


def expiry_job(payment: Payment, due_at: Instant) -> Job:
    """The job that ends an intent whose lifetime is over."""
    return _job(payment_job_id(payment.id), EXPIRE_PAYMENT, payment, due_at)


def settling_job(payment: Payment, due_at: Instant) -> Job:
    """The job that looks at what became of a payment, if nobody brings the news.

    Whoever confirms a reservation takes the one of its payment away. A refund is other news, and has one of its own.
    """
    other = ":refunded" if payment.status is PaymentStatus.REFUNDED else ""
    return _job(f"{payment_job_id(payment.id)}{other}", SETTLE_PAYMENT_RESULT, payment, due_at)


def _answering(payment: Payment, reason: Reason, due_at: Instant) -> Job:
    """The job that is the bank's answer; the intent's expiry, where that comes first."""
    if due_at >= payment.expires_at:
        return expiry_job(payment, payment.expires_at)
    return _job(payment_job_id(payment.id), SIMULATE_OUTCOME, payment, due_at, reason=reason.value)


def _job(job_id: str, topic: str, payment: Payment, due_at: Instant, **more: str) -> Job:
    """A job about a payment: those of one reservation happen in turn."""
    payload = {"payment_intent_id": payment.id, "reservation_id": payment.reservation_id, **more}
    return Job(job_id, topic, due_at, payload, group=payment.reservation_id)


def member(field: str, kind: type[E], value: int) -> E:
    """The member of an enum that a number names; refused with the names that there are."""
    try:
        return kind(value)
    except ValueError:
        names = ", ".join(member.name for member in kind)
        raise Refusal.of_field(field, f"must be one of {names}", value) from None


def _found(payment: Payment | None, payment_intent_id: str) -> Payment:
    if payment is None:
        raise _unknown(payment_intent_id)
    return payment


def _unknown(payment_intent_id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"payment_intent_id: there is no payment {payment_intent_id}")


def _standing(payment: Payment) -> str:
    """How it stands, and what of it has gone back, for the audit log."""
    return f"{payment.status.name}, {payment.refunded} of {payment.amount.amount} {payment.amount.currency} refunded"
