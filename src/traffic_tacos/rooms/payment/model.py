"""The life of a payment, which only ever moves forward:

    PENDING --process--> PROCESSING --> COMPLETED --refund--> REFUNDED
    PENDING | PROCESSING --> CANCELLED | EXPIRED       PROCESSING --> FAILED

A late or repeated "failed" never overturns "completed": from COMPLETED there is one way on.

An amount to refund is a total: so much of the payment goes back in all, whoever asks, how often and in whatever order.
"""

from enum import IntEnum
from typing import Protocol

import msgspec

from traffic_tacos.kernel.cards import Reason
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import MINUTE, Instant
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import PaymentStatus

INTENT_LIFETIME = 10 * MINUTE
APPROVED_RANDOMLY = 0.7


STEPS: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PENDING: frozenset({PaymentStatus.PROCESSING, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED}),
    PaymentStatus.PROCESSING: frozenset(
        {PaymentStatus.COMPLETED, PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED}
    ),
    PaymentStatus.COMPLETED: frozenset({PaymentStatus.REFUNDED}),
    PaymentStatus.FAILED: frozenset(),
    PaymentStatus.CANCELLED: frozenset(),
    PaymentStatus.REFUNDED: frozenset(),
    PaymentStatus.EXPIRED: frozenset(),
}
UNDER_WAY = frozenset({PaymentStatus.PENDING, PaymentStatus.PROCESSING})


class Method(IntEnum):
    """`payment.v1.PaymentMethod`, number for number."""

    CREDIT_CARD = 1
    DEBIT_CARD = 2
    BANK_TRANSFER = 3
    MOBILE_PAY = 4
    DIGITAL_WALLET = 5


class Scenario(IntEnum):
    """`payment.v1.PaymentScenario`, number for number."""

    APPROVE = 1
    FAIL = 2
    DELAY = 3
    RANDOM = 4
    TIMEOUT = 5


SECONDS: dict[Scenario, tuple[float, float]] = {
    Scenario.APPROVE: (2, 5),
    Scenario.FAIL: (1, 3),
    Scenario.DELAY: (10, 30),
    Scenario.RANDOM: (2, 5),
}


ANSWERS = {PaymentStatus.COMPLETED: Reason.APPROVED, PaymentStatus.FAILED: Reason.DECLINED}
# ISO 8583, field 39, as response_code.
RESPONSE_CODES = {
    Reason.APPROVED: 0,
    Reason.DECLINED: 5,
    Reason.INSUFFICIENT_FUNDS: 51,
    Reason.EXPIRED_CARD: 54,
    Reason.INCORRECT_CVC: 82,
}
DECLINING = frozenset({Reason.DECLINED, Reason.INSUFFICIENT_FUNDS, Reason.EXPIRED_CARD, Reason.INCORRECT_CVC})
# How each scenario answers (RANDOM: by chance), and the cards that change it: a scenario that fails goes on failing,
# one that never answers never does, and no card makes anything succeed.
SCENARIO_ANSWERS = {
    Scenario.APPROVE: Reason.APPROVED,
    Scenario.FAIL: Reason.DECLINED,
    Scenario.DELAY: Reason.APPROVED,
    Scenario.TIMEOUT: Reason.NO_ANSWER,
}
CARDS_THAT_DECIDE: dict[Scenario, frozenset[Reason]] = {
    Scenario.APPROVE: DECLINING | {Reason.NO_ANSWER},
    Scenario.FAIL: DECLINING,
    Scenario.DELAY: DECLINING | {Reason.NO_ANSWER},
    Scenario.RANDOM: DECLINING | {Reason.NO_ANSWER},
    Scenario.TIMEOUT: frozenset(),
}


class Card(msgspec.Struct, frozen=True, gc=False):
    """All that is kept of a card."""

    brand: str
    last_four: str


class Payment(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    id: str
    reservation_id: str
    user_id: str
    amount: Money
    method: Method
    scenario: Scenario
    webhook_url: str
    client_secret: str
    created_at: Instant
    updated_at: Instant
    expires_at: Instant
    status: PaymentStatus = PaymentStatus.PENDING
    payment_id: str = ""
    transaction_id: str = ""
    processed_at: Instant | None = None
    failure_reason: str = ""
    reason: Reason | None = None
    refunded: int = 0
    promised: int | None = None  # the largest total that was asked to go back; None: stored before this was kept
    refund_id: str = ""
    card: Card | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How the simulated bank will answer, and after how many seconds."""

    seconds: float
    reason: Reason


class Randomness(Protocol):
    def uniform(self, a: float, b: float) -> float: ...
    def random(self) -> float: ...


def outcome(scenario: Scenario, card: Reason | None, randomness: Randomness) -> Outcome | None:
    """The specification's times and chances, and what a card of `CARDS_THAT_DECIDE` changes; None: no answer ever."""
    drawn = Reason.APPROVED if randomness.random() < APPROVED_RANDOMLY else Reason.DECLINED
    own = SCENARIO_ANSWERS.get(scenario, drawn)
    reason = card if card in CARDS_THAT_DECIDE[scenario] else own
    if reason is None or reason is Reason.NO_ANSWER:
        return None
    return Outcome(randomness.uniform(*SECONDS[scenario]), reason)


def stepped(payment: Payment, to: PaymentStatus, now: Instant) -> Payment:
    """The payment one step further; FAILED_PRECONDITION when that step is not in the table."""
    if to not in STEPS[payment.status]:
        raise Refusal(
            Code.FAILED_PRECONDITION, f"payment_intent_id: a {payment.status.name} payment cannot become {to.name}"
        )
    return msgspec.structs.replace(payment, status=to, updated_at=now)


def processing(payment: Payment, payment_id: str, card: Card | None, now: Instant) -> Payment:
    if now >= payment.expires_at:
        raise Refusal(Code.FAILED_PRECONDITION, "payment_intent_id: has expired")
    return msgspec.structs.replace(stepped(payment, PaymentStatus.PROCESSING, now), payment_id=payment_id, card=card)


def answered(payment: Payment, reason: Reason, transaction_id: str, now: Instant) -> Payment | None:
    """The payment with the bank's answer; None when nobody waits for it any more."""
    if payment.status is not PaymentStatus.PROCESSING:
        return None
    return msgspec.structs.replace(
        stepped(payment, PaymentStatus.COMPLETED if reason is Reason.APPROVED else PaymentStatus.FAILED, now),
        processed_at=now,
        transaction_id=transaction_id,
        reason=reason,
        failure_reason="" if reason is Reason.APPROVED else reason.value,
    )


def cancelled(payment: Payment, refund: Money | None, refund_id: str, now: Instant) -> Payment:
    """The payment cancelled, or refunded when it was captured.

    `refund` is how much goes back in all, with what went back before: None is everything, an amount of zero is
    to cancel only. What has gone back already is not asked back; what was cancelled stays as it is.
    """
    if payment.status in UNDER_WAY:
        return stepped(payment, PaymentStatus.CANCELLED, now)
    if payment.status in (PaymentStatus.CANCELLED, PaymentStatus.REFUNDED) and (refund is None or not refund.amount):
        return payment
    if payment.status not in (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED):
        raise Refusal(
            Code.FAILED_PRECONDITION, f"payment_intent_id: is {payment.status.name}: there is nothing to cancel"
        )
    if refund is not None and not refund.amount:
        raise Refusal(Code.FAILED_PRECONDITION, "payment_intent_id: was captured; it can only be refunded")
    captured = payment.amount.amount
    if refund is not None and refund.currency != payment.amount.currency:
        raise Refusal.of_field("refund_amount.currency", f"must be {payment.amount.currency}", refund.currency)
    if refund is not None and not 0 < refund.amount <= captured:
        right = f"must be 1 to {captured}: how much goes back in all, with the {payment.refunded} refunded before"
        raise Refusal.of_field("refund_amount.amount", right, refund.amount)
    return _refunded(payment, captured if refund is None else refund.amount, refund_id, now)


def _refunded(payment: Payment, total: int, refund_id: str, now: Instant) -> Payment:
    """The captured payment with at least `total` minor units of it refunded; unchanged when they are already."""
    if payment.status is PaymentStatus.REFUNDED or total <= payment.refunded < payment.amount.amount:
        return payment
    return msgspec.structs.replace(
        payment,
        status=PaymentStatus.REFUNDED if total == payment.amount.amount else PaymentStatus.COMPLETED,
        refunded=total,
        promised=max(total, payment.promised or 0),
        refund_id=refund_id,
        updated_at=now,
    )


# Cards.

BRANDS = (("4", "visa"), ("34", "amex"), ("37", "amex"), ("35", "jcb"), ("6", "discover"), ("5", "mastercard"))


def checked_card(number: str, month: str, year: str, now_year: int) -> Card:
    """What may be kept of a card whose number passes Luhn's check (ISO/IEC 7812-1, annex B)."""
    plain = digits(number)
    if not (plain.isascii() and plain.isdigit() and 12 <= len(plain) <= 19):
        raise Refusal.of_field("payment_details.credit_card.card_number", "must be a card number of 12 to 19 digits")
    if not _passes_luhn(plain):
        reason = "must be a card number without a typing error: its check digit does not fit the others"
        raise Refusal.of_field("payment_details.credit_card.card_number", reason)
    if not (month.isascii() and month.isdigit() and 1 <= int(month) <= 12):
        raise Refusal.of_field("payment_details.credit_card.expiry_month", "must be 1 to 12", month)
    full_year = int(year) + (2000 if len(year) == 2 else 0) if year.isascii() and year.isdigit() else 0
    if not now_year <= full_year <= now_year + 30:
        raise Refusal.of_field("payment_details.credit_card.expiry_year", f"must be {now_year} or later", year)
    brand = next((brand for prefix, brand in BRANDS if plain.startswith(prefix)), "unknown")
    return Card(brand, plain[-4:])


def digits(number: str) -> str:
    """A card number without the spaces and dashes that people put into it."""
    return number.replace(" ", "").replace("-", "")


def _passes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
