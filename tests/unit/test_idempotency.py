"""What is remembered under a key is answered within its window, whether or not its record has been removed since."""

import msgspec
import pytest

from tests.clocks import HandClock
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.ports.idempotency import Answers
from traffic_tacos.ports.store import Decision

WINDOW = 300_000


class Written(msgspec.Struct, frozen=True):
    what: str


@pytest.mark.parametrize(
    ("after", "answer"), [(0, "first"), (WINDOW - 1, "first"), (WINDOW, "again"), (WINDOW + 1, "again")]
)
async def test_an_answer_is_one_until_its_window_ends(after, answer):
    clock = HandClock()
    answers = Answers(MemoryStore(), clock)

    async def call(what):
        async def act(call):
            return await call.commit((), lambda _: Decision(Written(what)))

        return await answers.answer(("t",), "k", Written("asked"), Written, act, window=WINDOW, trace_id="t")

    assert await call("first") == Written("first")
    clock.advance(after / 1000)
    assert await call("again") == Written(answer)
