"""What a stream is told: for each thing only the newest, in order, with one reminder before a hold ends."""

import msgspec
import pytest

from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.statuses import PaymentStatus as P
from traffic_tacos.kernel.statuses import ReservationStatus as R
from traffic_tacos.rooms.realtime.model import EXPIRING_SOON, PENDING_MAX, RANKS, Feed, Message, Subject, Update

NOW = 1_800_000_000_000
UNTIL = NOW + 60 * SECOND


def reservation(new=R.PENDING, *, old=None, at=NOW, until=None, thing="r1"):
    return Update(Subject.RESERVATION, thing, old, new, at, until)


def payment(new, *, at=NOW):
    return Update(Subject.PAYMENT, "p1", None, new, at)


def message(number=1, **fields):
    words = {"title": "", "content": "hello", "data": {}} | fields
    return Message(f"m{number}", type=1, priority=1, sent_at=NOW, expires_at=NOW + 1, **words)


# What is known, what is offered, and whether that is news.
OFFERS = [
    (reservation(), reservation(R.CONFIRMED, at=NOW + 1), True),
    (reservation(R.CONFIRMED), reservation(R.PENDING, at=NOW - 1), False),
    (reservation(), reservation(), False),
    (reservation(), reservation(R.CONFIRMED), True),
    (reservation(R.CONFIRMED), reservation(), False),
    (reservation(R.CONFIRMED), reservation(R.REFUNDED), True),
    (reservation(R.EXPIRED), reservation(R.CANCELLED), False),
    (reservation(until=UNTIL), reservation(until=UNTIL + 1), True),
    (reservation(until=UNTIL), reservation(until=UNTIL - 1), False),
    (reservation(until=UNTIL), reservation(), False),
    (reservation(), reservation(thing="r2", at=NOW - 9), True),
    (payment(P.PROCESSING), payment(P.COMPLETED), True),
    (payment(P.COMPLETED), payment(P.FAILED), False),
    (payment(P.FAILED), payment(P.PROCESSING, at=NOW + 1), True),
]


@pytest.mark.parametrize("is_told", [False, True], ids=["pending", "told"])
@pytest.mark.parametrize(("known", "offered", "is_news"), OFFERS, ids=str)
def test_only_what_is_newer_than_what_is_known_is_news(known, offered, is_news, is_told):
    feed = Feed()
    assert feed.offer(known)
    before = feed.take(NOW) if is_told else []
    assert feed.offer(offered) is is_news
    told = [*before, *feed.take(NOW)]
    newest = offered if is_news and offered.id == known.id else known
    assert [one.new for one in told if one.id == known.id][-1] == newest.new


@pytest.mark.parametrize("subject", Subject)
def test_of_two_states_of_one_millisecond_the_later_one_is_told_whichever_comes_first(subject):
    states = RANKS[subject]
    for earlier, first in enumerate(states):
        for second in states[earlier + 1 :]:
            for offered in ((first, second), (second, first)):
                feed = Feed()
                for state in offered:
                    feed.offer(Update(subject, "x", None, state, NOW))
                assert [one.new for one in feed.take(NOW)] == [second], offered


def test_who_reads_slowly_is_told_one_step_from_what_they_last_heard():
    feed = Feed()
    feed.offer(reservation())
    feed.take(NOW)
    feed.offer(reservation(R.CONFIRMED, old=R.PENDING, at=NOW + 1))
    feed.offer(reservation(R.REFUNDED, old=R.CONFIRMED, at=NOW + 2))
    assert feed.take(NOW) == [reservation(R.REFUNDED, old=R.PENDING, at=NOW + 2)]
    assert feed.take(NOW) == []


def test_messages_come_first_and_things_in_the_order_of_their_last_change():
    feed = Feed()
    feed.offer(reservation(thing="r1"))
    feed.offer(reservation(thing="r2"))
    feed.offer_message(message())
    feed.offer(reservation(R.CONFIRMED, thing="r1", at=NOW + 1))
    assert [one.id for one in feed.take(NOW)] == ["m1", "r2", "r1"]


# The hold's end, how long before it the feed is asked, and whether the reminder is told then.
@pytest.mark.parametrize(
    ("before_the_end", "is_told"),
    [(60 * SECOND, False), (EXPIRING_SOON + 1, False), (EXPIRING_SOON, True), (1, True), (0, True)],
)
def test_the_end_of_a_hold_is_told_once_from_fifteen_seconds_before_it(before_the_end, is_told):
    feed = Feed()
    feed.offer(reservation(until=UNTIL))
    feed.take(NOW)
    assert feed.next_reminder() == UNTIL - EXPIRING_SOON
    reminder = Update(Subject.RESERVATION, "r1", R.PENDING, R.PENDING, NOW, UNTIL, is_reminder=True)
    assert feed.take(UNTIL - before_the_end) == ([reminder] if is_told else [])
    assert feed.next_reminder() == (None if is_told else UNTIL - EXPIRING_SOON)
    assert feed.take(UNTIL) == ([] if is_told else [reminder])


def test_a_hold_first_heard_of_in_its_last_seconds_is_told_before_its_reminder():
    feed = Feed()
    feed.offer(reservation(until=UNTIL))
    assert [one.is_reminder for one in feed.take(UNTIL - 1)] == [False]
    assert [one.is_reminder for one in feed.take(UNTIL - 1)] == [True]


# What comes after a hold that was told, and when the next reminder is due.
@pytest.mark.parametrize(
    ("offered", "due"),
    [
        *(
            (reservation(state, at=NOW + 1, until=UNTIL), None)
            for state in RANKS[Subject.RESERVATION]
            if state != R.PENDING
        ),
        (reservation(until=UNTIL + 30 * SECOND, at=NOW + 1), UNTIL + 30 * SECOND - EXPIRING_SOON),
        (reservation(at=NOW + 1), None),
        (reservation(until=UNTIL - 1, at=NOW - 1), UNTIL - EXPIRING_SOON),
    ],
    ids=str,
)
def test_a_reminder_moves_with_its_hold_and_ends_with_it(offered, due):
    feed = Feed()
    feed.offer(reservation(until=UNTIL))
    feed.take(NOW)
    feed.offer(offered)
    assert feed.next_reminder() == due


def test_an_extended_hold_is_reminded_of_again():
    feed = Feed()
    feed.offer(reservation(until=UNTIL))
    feed.take(NOW)
    feed.take(UNTIL)
    feed.offer(reservation(until=UNTIL + 60 * SECOND, at=NOW + 1))
    feed.take(UNTIL)
    assert [one.is_reminder for one in feed.take(UNTIL + 60 * SECOND)] == [True]


def test_the_next_reminder_is_that_of_the_hold_which_ends_first():
    feed = Feed()
    assert feed.next_reminder() is None
    feed.offer(reservation(until=UNTIL + 5, thing="r1"))
    feed.offer(reservation(until=UNTIL, thing="r2"))
    assert feed.next_reminder() == UNTIL - EXPIRING_SOON


def test_a_full_feed_takes_nothing_new_but_still_what_changes_of_what_it_has():
    feed = Feed()
    for number in range(PENDING_MAX):
        assert feed.offer(reservation(thing=f"r{number}"))
    assert not feed.offer(reservation(thing="one too many", until=UNTIL))
    assert feed.next_reminder() is None  # of what was never told there is no reminder
    assert feed.offer(reservation(R.CONFIRMED, thing="r0", at=NOW + 1))
    assert len(feed.take(NOW)) == PENDING_MAX
    assert feed.offer(reservation(thing="one too many"))


def test_a_message_is_told_once_however_often_it_is_offered_before():
    feed = Feed()
    feed.offer_message(message())
    feed.offer_message(message(content="another text under the same id"))
    assert feed.take(NOW) == [message()]
    assert feed.take(NOW) == []
    for number in range(PENDING_MAX + 1):
        feed.offer_message(message(number))
    assert len(feed.take(NOW)) == PENDING_MAX


@pytest.mark.parametrize(
    ("fields", "grows_by", "text"),
    [
        ({}, 0, "hello"),
        ({"title": "Seats"}, 5, "Seats\nhello"),
        ({"content": "hello, é"}, 4, "hello, é"),
        ({"data": {"gate": "north"}}, 9, "hello"),
        ({"data": {"a": "b", "é": ""}}, 4, "hello"),
    ],
    ids=str,
)
def test_a_message_is_as_large_as_its_words_in_bytes_and_reads_as_its_reader_sees_it(fields, grows_by, text):
    assert message(**fields).size == message().size + grows_by
    assert message(**fields).text == text
    assert msgspec.structs.replace(message(), id="m2").size == message().size
