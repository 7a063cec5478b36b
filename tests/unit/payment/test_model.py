"""Payments only move forward; scenarios keep to the specification's times; cards are checked and not kept."""

import itertools
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.kernel.cards import TEST_CARDS, Reason
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.rooms.payment import model
from traffic_tacos.rooms.payment.model import Method, Payment, Scenario

KRW = Money(1000, "KRW")
PAYMENT = Payment("pi", "rsv", "ana", KRW, Method.CREDIT_CARD, Scenario.APPROVE, "http://x", "s", 0, 0, 600_000)
ALLOWED = {
    ("PENDING", "PROCESSING"), ("PENDING", "CANCELLED"), ("PENDING", "EXPIRED"),
    ("PROCESSING", "COMPLETED"), ("PROCESSING", "FAILED"), ("PROCESSING", "CANCELLED"), ("PROCESSING", "EXPIRED"),
    ("COMPLETED", "REFUNDED"),
}  # fmt: skip


def at(status: PaymentStatus, **changes) -> Payment:
    return msgspec.structs.replace(PAYMENT, status=status, **changes)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(PaymentStatus, PaymentStatus)))
def test_only_the_steps_of_the_table_are_taken(before, after):
    if (before.name, after.name) in ALLOWED:
        assert model.stepped(at(before), after, 5).status is after
    else:
        with pytest.raises(Refusal, match=f"a {before.name} payment cannot become {after.name}"):
            model.stepped(at(before), after, 5)


@pytest.mark.parametrize("status", [status for status in PaymentStatus if status is not PaymentStatus.PROCESSING])
@pytest.mark.parametrize("reason", [Reason.APPROVED, Reason.DECLINED])
def test_a_late_answer_of_the_bank_changes_nothing(status, reason):
    assert model.answered(at(status), reason, "t", 5) is None


@pytest.mark.parametrize(("now", "is_taken"), [(599_999, True), (600_000, False), (600_001, False)])
def test_a_payment_is_begun_before_its_intent_expires_and_not_at_that_moment(now, is_taken):
    if is_taken:
        assert model.processing(PAYMENT, "pay", None, now).status is PaymentStatus.PROCESSING
        return
    with pytest.raises(Refusal, match="has expired"):
        model.processing(PAYMENT, "pay", None, now)


def test_an_amount_to_refund_is_a_total_and_at_most_what_was_captured():
    captured = at(PaymentStatus.COMPLETED)
    part = model.cancelled(captured, Money(400, "KRW"), "r1", 5)
    assert (part.status, part.refunded, part.refund_id) == (PaymentStatus.COMPLETED, 400, "r1")
    assert model.cancelled(part, Money(400, "KRW"), "r2", 6) is part
    assert model.cancelled(part, Money(1, "KRW"), "r2", 6) is part
    for wrong in (1001, -1):
        with pytest.raises(Refusal, match="1 to 1000: how much goes back in all, with the 400 refunded before"):
            model.cancelled(part, Money(wrong, "KRW"), "r2", 6)
    with pytest.raises(Refusal, match="must be KRW"):
        model.cancelled(part, Money(1, "EUR"), "r2", 6)
    assert model.cancelled(part, Money(601, "KRW"), "r2", 6).refunded == 601
    rest = model.cancelled(part, None, "r2", 6)
    assert (rest.status, rest.refunded) == (PaymentStatus.REFUNDED, 1000)
    for again in (None, Money(1000, "KRW"), Money(1, "KRW")):
        assert model.cancelled(rest, again, "r3", 7) is rest


@given(st.lists(st.one_of(st.none(), st.integers(1, 1000)), min_size=1, max_size=6))
def test_refunds_in_any_order_end_at_the_largest_that_was_asked_for(asked):
    payment = at(PaymentStatus.COMPLETED)
    for total in asked:
        payment = model.cancelled(payment, None if total is None else Money(total, "KRW"), "r", 5)
    assert payment.refunded == payment.promised == max(1000 if total is None else total for total in asked)
    assert (payment.status is PaymentStatus.REFUNDED) == (payment.refunded == 1000)


def test_a_payment_of_nothing_is_refunded_once():
    free = msgspec.structs.replace(at(PaymentStatus.COMPLETED), amount=Money(0, "KRW"))
    after = model.cancelled(free, None, "r", 5)
    assert (after.status, after.refunded) == (PaymentStatus.REFUNDED, 0)
    assert model.cancelled(after, None, "r", 6) is after


def test_cancel_only_never_refunds():
    nothing = Money(0, "KRW")
    assert model.cancelled(at(PaymentStatus.PROCESSING), nothing, "r", 5).status is PaymentStatus.CANCELLED
    with pytest.raises(Refusal, match="was captured"):
        model.cancelled(at(PaymentStatus.COMPLETED), nothing, "r", 5)


@pytest.mark.parametrize(
    ("scenario", "low", "high", "share"),
    [
        (Scenario.APPROVE, 2, 5, 1.0),
        (Scenario.FAIL, 1, 3, 0.0),
        (Scenario.DELAY, 10, 30, 1.0),
        (Scenario.RANDOM, 2, 5, 0.7),
    ],
)
def test_scenarios_keep_to_their_times_and_chances(scenario, low, high, share):
    chance = random.Random(1)
    outcomes = [model.outcome(scenario, None, chance) for _ in range(2000)]
    assert all(low <= outcome.seconds <= high for outcome in outcomes)
    assert abs(sum(outcome.reason is Reason.APPROVED for outcome in outcomes) / 2000 - share) < 0.03
    assert model.outcome(Scenario.TIMEOUT, None, chance) is None


CARDS = {"approves": Reason.APPROVED, "declines": Reason.EXPIRED_CARD, "is silent": Reason.NO_ANSWER, "is any": None}
ANSWERS = {
    #                  APPROVE, FAIL, DELAY, RANDOM, TIMEOUT
    "approves": ("approved", "declined", "approved", "approved or declined", "nothing"),
    "declines": ("expired_card", "expired_card", "expired_card", "expired_card", "nothing"),
    "is silent": ("nothing", "declined", "nothing", "nothing", "nothing"),
    "is any": ("approved", "declined", "approved", "approved or declined", "nothing"),
}


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("scenario", Scenario)
def test_a_scenario_is_kept_whatever_the_card_and_no_card_makes_it_succeed(scenario, card):
    answers = [model.outcome(scenario, CARDS[card], random.Random(seed)) for seed in range(200)]
    heard = {"nothing" if answer is None else answer.reason.value for answer in answers}
    assert heard == set(ANSWERS[card][scenario - 1].split(" or "))


@pytest.mark.parametrize("number", TEST_CARDS)
def test_a_test_card_is_a_card_and_is_answered_in_the_time_of_its_scenario(number):
    model.checked_card(number, "12", "2030", 2026)
    answer = model.outcome(Scenario.FAIL, TEST_CARDS[number], random.Random(1))
    assert 1 <= answer.seconds <= 3


@pytest.mark.parametrize(
    ("number", "month", "year", "field"),
    [
        ("4242 4242 4242 4242", "12", "2030", None),
        ("5555-5555-5555-4444", "1", "30", None),
        ("4242424242424241", "12", "2030", "card_number must be a card number without a typing error"),
        ("4242", "12", "2030", "card_number must be a card number of 12 to 19 digits"),
        ("४२४२424242424242", "12", "2030", "card_number"),
        ("4242424242424242", "13", "2030", "expiry_month"),
        ("4242424242424242", "x", "2030", "expiry_month"),
        ("4242424242424242", "12", "2026", "expiry_year"),
        ("4242424242424242", "12", "9999", "expiry_year"),
    ],
)
def test_cards_are_checked(number, month, year, field):
    if field is None:
        card = model.checked_card(number, month, year, 2027)
        assert (card.brand, len(card.last_four)) in (("visa", 4), ("mastercard", 4))
        return
    with pytest.raises(Refusal) as refused:
        model.checked_card(number, month, year, 2027)
    detail = refused.value.details[0]
    assert f"{detail.field} {detail.reason}".split("credit_card.")[1].startswith(field)
    assert number not in str(refused.value.details)
