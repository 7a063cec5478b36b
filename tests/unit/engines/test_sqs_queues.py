"""The queues: one for each service that does jobs, and what a message says."""

import random

import pytest

from tests.aws import FakeSqs
from tests.clocks import HandClock
from traffic_tacos.engines.aws import AwsMissing
from traffic_tacos.engines.sqs_queues import DEAD_LETTERS, QUEUES, Queues, Wake, decoded, delay_seconds
from traffic_tacos.engines.sqs_sweep import is_sent_again
from traffic_tacos.kernel import topics
from traffic_tacos.kernel.instants import HOUR, MINUTE, SECOND


def test_every_topic_of_a_job_has_one_queue():
    named = [topic for queue in QUEUES.values() for topic in queue]
    assert sorted(named) == sorted(value for name, value in vars(topics).items() if name.isupper())


@pytest.mark.parametrize(
    ("due_in", "delay"),
    [(-5 * SECOND, 0), (0, 0), (999, 0), (1_999, 1), (60 * SECOND, 60), (15 * MINUTE, 900), (5 * HOUR, 900)],
)
def test_a_message_is_held_back_in_whole_seconds_and_for_at_most_what_sqs_can(due_in, delay):
    assert delay_seconds(1_000_000 + due_in, 1_000_000) == delay


@pytest.mark.parametrize(
    ("body", "wake"),
    [
        ('{"id":"a","due_at":5}', Wake("a", 5)),
        ('{"id":"a","due_at":5,"more":1}', Wake("a", 5)),
        ('{"id":"a"}', None),
        ("hello", None),
        ("", None),
        ('"\\ud800"', None),
    ],
)
def test_a_message_that_cannot_be_read_says_nothing(body, wake):
    assert decoded(body) == wake


@pytest.mark.parametrize(
    ("overdue", "since", "again"),
    [
        (9, 5, False),  # not late yet
        (10, 5, True),
        (14, 5, True),
        (15, 5, False),  # looked at when it was 10 late
        (19, 5, False),
        (21, 5, True),  # twice as late
        (42, 5, True),
        (60, 5, False),
        (1000, 10**12, True),  # the first look of all
        (-50, 10**12, False),
    ],
)
def test_an_overdue_job_is_sent_again_each_time_that_it_is_late_by_twice_as_much(overdue, since, again):
    assert is_sent_again(overdue, since, 10) is again


async def test_queues_are_made_once_with_their_dead_letters_and_are_missed_until_then():
    api = FakeSqs(HandClock(), random.Random(1))
    queues = Queues(api, "tacos-")
    with pytest.raises(AwsMissing):
        await queues.find()
    names = {f"tacos-{queue}{suffix}" for queue in QUEUES for suffix in ("", DEAD_LETTERS)}
    assert await queues.create() == dict.fromkeys(names, True)
    assert await queues.create() == dict.fromkeys(names, False)
    await queues.find()
    assert (
        '"deadLetterTargetArn":"arn:tacos-reservation-worker-dead-letters"'
        in (api.attributes["tacos-reservation-worker"]["RedrivePolicy"])
    )
