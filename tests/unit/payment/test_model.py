"""Payments only move forward; scenarios keep to the specification's times; cards are checked and not kept."""

import itertools
import random

import msgspec
import pytest

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.money import Money
from traffic_tacos.rooms.payment import model
from traffic_tacos.rooms.payment.model import TEST_CARDS, Method, Payment, Reason, Scenario, Status

KRW = Money(1000, "KRW")
PAYMENT = Payment("pi", "rsv", "ana", KRW, Method.CREDIT_CARD, Scenario.APPROVE, "http://x", "s", 0, 0, 600_000)
ALLOWED = {
    ("PENDING", "PROCESSING"), ("PENDING", "CANCELLED"), ("PENDING", "EXPIRED"),
    ("PROCESSING", "COMPLETED"), ("PROCESSING", "FAILED"), ("PROCESSING", "CANCELLED"), ("PROCESSING", "EXPIRED"),
    ("COMPLETED", "REFUNDED"),
}  # fmt: skip


def at(status: Status, **changes) -> Payment:
    return msgspec.structs.replace(PAYMENT, status=status, **changes)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(Status, Status)))
def test_only_the_steps_of_the_table_are_taken(before, after):
    if (before.name, after.name) in ALLOWED:
        assert model.stepped(at(before), after, 5).status is after
    else:
        with pytest.raises(Refusal, match=f"a {before.name} payment cannot become {after.name}"):
            model.stepped(at(before), after, 5)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PROCESSING])
@pytest.mark.parametrize("reason", [Reason.APPROVED, Reason.DECLINED])
def test_a_late_answer_of_the_bank_changes_nothing(status, reason):
    assert model.answered(at(status), reason, "t", 5) is None


def test_refunds_add_up_to_what_was_captured_and_no_more():
    captured = at(Status.COMPLETED)
    part = model.cancelled(captured, Money(400, "KRW"), "r1", 5)
    assert (part.status, part.refunded) == (Status.COMPLETED, 400)
    with pytest.raises(Refusal, match="1 to 600"):
        model.cancelled(part, Money(601, "KRW"), "r2", 5)
    with pytest.raises(Refusal, match="must be KRW"):
        model.cancelled(part, Money(1, "EUR"), "r2", 5)
    rest = model.cancelled(part, None, "r2", 6)
    assert (rest.status, rest.refunded) == (Status.REFUNDED, 1000)
    assert model.cancelled(rest, None, "r3", 7) is rest


def test_cancel_only_never_refunds():
    nothing = Money(0, "KRW")
    assert model.cancelled(at(Status.PROCESSING), nothing, "r", 5).status is Status.CANCELLED
    with pytest.raises(Refusal, match="was captured"):
        model.cancelled(at(Status.COMPLETED), nothing, "r", 5)


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


@pytest.mark.parametrize(("number", "reason"), TEST_CARDS.items())
def test_a_test_card_says_how_it_ends_in_the_time_of_its_scenario(number, reason):
    model.checked_card(number, "12", "2030", 2026)
    answer = model.outcome(Scenario.FAIL, reason, random.Random(1))
    if reason is Reason.NO_ANSWER:
        assert answer is None
    else:
        assert answer.reason is reason
        assert 1 <= answer.seconds <= 3


@pytest.mark.parametrize(
    ("number", "month", "year", "field"),
    [
        ("4242 4242 4242 4242", "12", "2030", None),
        ("5555-5555-5555-4444", "1", "30", None),
        ("4242424242424241", "12", "2030", "card_number"),
        ("4242", "12", "2030", "card_number"),
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
    assert refused.value.details[0].field.endswith(field)
    assert number not in str(refused.value.details)
