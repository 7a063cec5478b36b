"""Events between rooms: kept and sent as a topic and texts, and read again as they were."""

import json
from pathlib import Path

import pytest

import tests.golden
from traffic_tacos.kernel.domain_events import (
    TOPICS,
    EventChanged,
    PaymentChanged,
    ReservationChanged,
    SettingChanged,
    event_of,
    payload_of,
    topic_of,
)
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus

GOLDEN = Path(tests.golden.__file__).parent

RESERVED = {"reservation_id": "r", "event_id": "e", "user_id": "007", "admission_id": "e/1"}
PAID = {"payment_intent_id": "pi", "reservation_id": "r", "user_id": "null"}
# An event, its topic, and its payload.
EVENTS = [
    (EventChanged("e"), "catalog.event_changed", {"event_id": "e"}),
    (SettingChanged("n", "", "12", 5), "platform.setting_changed", {"name": "n", "old": "", "new": "12", "at": "5"}),
    *(
        (
            ReservationChanged("r", "e", "007", "e/1", None, status, 5, 6),
            "reservation.changed",
            {**RESERVED, "old": "", "new": status.name, "at": "5", "hold_expires_at": "6"},
        )
        for status in ReservationStatus
    ),
    *(
        (
            PaymentChanged("pi", "r", "null", PaymentStatus.PENDING, status, 5),
            "payment.changed",
            {**PAID, "old": "PENDING", "new": status.name, "at": "5"},
        )
        for status in PaymentStatus
    ),
]


@pytest.mark.parametrize(("event", "topic", "payload"), EVENTS, ids=str)
def test_an_event_is_a_topic_and_texts_and_is_read_as_it_was(event, topic, payload):
    assert (topic_of(event), list(payload_of(event).items())) == (topic, list(payload.items()))
    assert event_of(topic, payload) == event


@pytest.mark.parametrize(
    ("topic", "payload", "error"),
    [
        ("kitchen.ready", {}, "kitchen.ready"),
        ("payment.changed", {**PAID, "old": "", "new": "COMPLETE", "at": "5"}, "COMPLETE"),
        ("payment.changed", {**PAID, "old": "CONFIRMED", "new": "COMPLETED", "at": "5"}, "CONFIRMED"),
        ("payment.changed", {**PAID, "old": "", "new": "", "at": "5"}, "new"),
        ("payment.changed", {**PAID, "old": "", "new": "FAILED"}, "at"),
        ("payment.changed", {**PAID, "old": "", "new": "FAILED", "at": "soon"}, "at"),
    ],
)
def test_what_can_be_no_event_of_ours_is_refused_by_name(topic, payload, error):
    with pytest.raises(ValueError, match=error):
        event_of(topic, payload)


def test_a_field_of_a_later_version_is_passed_over():
    assert event_of("catalog.event_changed", {"event_id": "e", "since": "5"}) == EventChanged("e")


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*/events.jsonl")), ids=lambda file: file.parent.name)
def test_events_that_an_earlier_version_kept_are_of_every_topic_and_are_written_as_they_were(file):
    """Its file has every topic that the version knew, so one that is renamed here is missed there."""
    kept = [json.loads(line)["value"] for line in file.read_text().splitlines()]
    assert {one["topic"] for one in kept} <= set(TOPICS.values())
    for one in kept:
        assert payload_of(event_of(one["topic"], one["payload"])) == one["payload"]
