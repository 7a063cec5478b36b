"""Whatever runs jobs: what it promises is the same, in one process and in several."""

import asyncio
from collections import Counter

import pytest

from tests.conformance.runners import (
    Bench,
    Embedded,
    OnFakeSqs,
    Shared,
    play_on_aws,
    play_virtually,
    working,
)
from tests.emulators import ministack, roto
from traffic_tacos.ports.audit import Audited
from traffic_tacos.ports.jobs import Defer, PermanentFailure
from traffic_tacos.ports.store import Job

VIRTUAL = {"embedded": Embedded, "shared": Shared, "sqs": OnFakeSqs}


@pytest.fixture(
    params=[*VIRTUAL, pytest.param("ministack", marks=pytest.mark.long), pytest.param("roto", marks=pytest.mark.long)]
)
def play(request, monkeypatch):
    """Runs a scenario on each."""
    if request.param in VIRTUAL:
        return lambda scenario: play_virtually(VIRTUAL[request.param], scenario)
    address = request.getfixturevalue(f"{request.param}_address")
    return lambda scenario: play_on_aws(address, monkeypatch, scenario)


@pytest.fixture(scope="module")
def ministack_address(tmp_path_factory):
    with ministack(tmp_path_factory.mktemp("ministack")) as address:
        yield address


@pytest.fixture(scope="module")
def roto_address(tmp_path_factory):
    with roto(tmp_path_factory.mktemp("roto")) as address:
        yield address


async def nothing(job):
    pass


HANDLERS = {"t": nothing, "crowd": nothing}


def test_a_job_is_done_when_it_is_due_and_not_before_and_then_it_is_gone(play):
    async def scenario(bench: Bench) -> None:
        done = {}

        async def handler(job):
            done[job.id] = bench.clock.now()

        async with working(bench, HANDLERS | {"t": handler}) as [process]:
            now = bench.clock.now()
            await process.put(Job("at once", "t", now), Job("later", "t", now + 2500))
            await bench.until_done("at once", "later")
        assert now <= done["at once"] < now + 2000
        assert now + 2500 <= done["later"] < now + 5500

    play(scenario)


def test_a_failure_is_kept_in_the_record_and_ends_as_a_dead_letter_that_can_be_replayed(play):
    async def scenario(bench: Bench) -> None:
        attempts, is_mended = [], False

        async def failing(job):
            attempts.append(job.attempts)
            if not is_mended:
                raise ValueError("the other side is down")

        async def dead() -> bool:
            job = await bench.job("a")
            return job is not None and job.is_dead

        async with working(bench, HANDLERS | {"t": failing}) as [process]:
            await process.put(Job("a", "t", bench.clock.now()))
            await bench.until(dead)
            assert attempts == [0, 1, 2]
            [letter] = await process.runner.dead_letters(10)
            assert (letter.id, letter.attempts) == ("a", 3) and "the other side is down" in letter.last_error
            is_mended = True
            entry = Audited(bench.clock.now(), "op", "replay", "a", "", "", "it works again", "trace")
            assert await process.runner.replay("a", entry)
            assert not await process.runner.replay("a", entry)
            await bench.until_done("a")
            assert attempts == [0, 1, 2, 0]

    play(scenario)


def test_a_job_that_gives_up_is_dead_at_once_and_one_that_defers_has_not_failed(play):
    async def scenario(bench: Bench) -> None:
        tried = Counter()

        async def handler(job):
            tried[job.id] += 1
            if job.id == "gives up":
                raise PermanentFailure("nobody wants it")
            if tried[job.id] < 3:
                raise Defer("not now", bench.clock.now() + 300)

        async def dead() -> bool:
            job = await bench.job("gives up")
            return job is not None and job.is_dead

        async with working(bench, HANDLERS | {"t": handler}) as [process]:
            now = bench.clock.now()
            await process.put(Job("gives up", "t", now), Job("defers", "t", now))
            await bench.until(dead)
            await bench.until_done("defers")
            assert tried == {"gives up": 1, "defers": 3}
            assert process.runner.figures().failed == 1

    play(scenario)


def test_two_jobs_of_one_group_never_run_at_once_whatever_their_topics(play):
    async def scenario(bench: Bench) -> None:
        inside, most, done = Counter(), Counter(), []

        async def handler(job):
            inside[job.group] += 1
            most[job.group] = max(most[job.group], inside[job.group])
            await bench.clock.sleep(0.1)
            inside[job.group] -= 1
            done.append(job.id)

        async with working(bench, HANDLERS | {"t": handler}, 3 if bench.is_one_group_at_a_time else 1) as processes:
            jobs = [Job(f"{group}{n}", "t", bench.clock.now(), group=group) for group in "xyz" for n in range(5)]
            for number, job in enumerate(jobs):
                await processes[number % len(processes)].put(job)
            await bench.until_done(*(job.id for job in jobs))
        assert set(done) == {job.id for job in jobs}
        assert most == {"x": 1, "y": 1, "z": 1}

    play(scenario)


def test_a_process_runs_as_many_jobs_of_a_pool_at_once_as_the_pool_says(play):
    async def scenario(bench: Bench) -> None:
        inside = most = 0

        async def handler(job):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await bench.clock.sleep(0.1)
            inside -= 1

        async with working(bench, HANDLERS | {"crowd": handler}) as [process]:
            jobs = [Job(f"c{n}", "crowd", bench.clock.now()) for n in range(20)]
            await process.put(*jobs)
            await bench.until_done(*(job.id for job in jobs))
        assert most == 4

    play(scenario)


def test_a_job_that_is_put_again_is_done_at_its_new_time_and_one_that_was_dropped_never(play):
    async def scenario(bench: Bench) -> None:
        done = []

        async def handler(job):
            done.append((job.id, job.payload.get("n")))

        async with working(bench, HANDLERS | {"t": handler}) as [process]:
            now = bench.clock.now()
            await process.put(Job("a", "t", now + 1500, {"n": "first"}), Job("b", "t", now + 1500))
            await process.put(Job("a", "t", now + 4000, {"n": "second"}))
            await process.drop("b")
            await bench.until_done("a", "b")
            await bench.clock.sleep(1)
        assert done == [("a", "second")]

    play(scenario)


def test_a_job_that_is_replaced_while_it_runs_is_done_again(play):
    async def scenario(bench: Bench) -> None:
        done = []

        async def handler(job):
            done.append(job.payload["n"])
            if job.payload["n"] == "first":
                await process.put(Job("a", "t", bench.clock.now() + 500, {"n": "second"}))

        async with working(bench, HANDLERS | {"t": handler}) as [process]:
            await process.put(Job("a", "t", bench.clock.now(), {"n": "first"}))
            await bench.until_done("a")
        assert done == ["first", "second"]

    play(scenario)


def test_a_job_of_another_topic_that_takes_a_place_is_done_by_whoever_does_that_topic(play):
    """Though it is due at the same moment, and a message for the one before is on its way."""

    async def scenario(bench: Bench) -> None:
        done = []

        async def handler(job):
            done.append(job.topic)

        first = await bench.process()
        first.start({"t": handler})
        second = await bench.process() if bench.is_one_group_at_a_time else first
        due_at = bench.clock.now() + 1000
        await first.put(Job("a", "t", due_at))
        await first.put(Job("a", "crowd", due_at))
        await bench.clock.sleep(2)
        assert done == []
        if second is first:
            await first.stop()
        second.start({"crowd": handler})
        await bench.until_done("a")
        await bench.clock.sleep(15)
        assert (done, first.runner.figures().running, second.runner.pending()) == (["crowd"], 0, [])
        assert first.runner.pending() == []
        for process in (first, second):
            await process.stop()

    play(scenario)


def test_what_a_killed_process_was_doing_is_done_by_another(play):
    async def scenario(bench: Bench) -> None:
        began = asyncio.Event()

        async def hanging(job):
            began.set()
            await asyncio.Event().wait()

        first = await bench.process()
        first.start(HANDLERS | {"t": hanging})
        await first.put(Job("a", "t", bench.clock.now()))
        await began.wait()
        await first.kill()
        assert await bench.job("a") is not None
        async with working(bench, HANDLERS):
            await bench.until_done("a", seconds=60)

    play(scenario)


def test_jobs_that_are_not_done_are_shown_by_id_and_by_topic_and_while_they_run(play):
    async def scenario(bench: Bench) -> None:
        began, may_end = asyncio.Event(), asyncio.Event()

        async def waiting(job):
            began.set()
            await may_end.wait()

        async with working(bench, HANDLERS | {"t": waiting}) as [process]:
            now = bench.clock.now()
            await process.put(Job("a", "t", now), Job("b", "crowd", now + 100_000), Job("c", "t", now + 100_000))
            await began.wait()
            show = process.runner.show
            [view] = await show("a", "", 10)
            assert view.job.id == "a" and now <= view.running_since <= bench.clock.now()
            assert [(one.job.id, one.running_since) for one in await show("", "crowd", 10)] == [("b", None)]
            assert sorted(one.job.id for one in await show("", "", 10)) == ["a", "b", "c"]
            assert len(await show("", "", 2)) == 2
            assert await show("b", "t", 10) == await show("none", "", 10) == []
            may_end.set()
            await bench.until_done("a")
            assert await show("a", "", 10) == []

    play(scenario)


def test_nothing_is_done_where_nobody_can_do_it(play):
    async def scenario(bench: Bench) -> None:
        async with working(bench, {}) as [process]:
            await process.put(Job("a", "t", bench.clock.now()))
            await bench.clock.sleep(1)
        assert await bench.job("a") is not None
        async with working(bench, HANDLERS):
            await bench.until_done("a", seconds=60)

    play(scenario)


def test_a_runner_that_is_drained_finishes_what_runs_and_begins_nothing_more(play):
    async def scenario(bench: Bench) -> None:
        begun, ended = [], []

        async def slow(job):
            begun.append(job.id)
            await bench.clock.sleep(1.0)
            ended.append(job.id)

        async def runs() -> bool:
            return begun == ["first"]

        async with working(bench, HANDLERS | {"t": slow}) as [process]:
            await process.put(Job("first", "t", bench.clock.now()))
            await bench.until(runs)
            draining = asyncio.create_task(process.runner.drain(10.0))
            await asyncio.sleep(0)
            await process.put(Job("next", "t", bench.clock.now()))
            before = bench.clock.now()
            await draining
            assert ended == ["first"]
            assert bench.clock.now() - before < 3000, "it waits for nothing else"
            await bench.clock.sleep(2.0)
            assert begun == ["first"]
            assert await bench.job("next") is not None

    play(scenario)


def test_draining_waits_no_longer_than_it_may(play):
    async def scenario(bench: Bench) -> None:
        begun = []

        async def endless(job):
            begun.append(job.id)
            await bench.clock.sleep(60.0)

        async def runs() -> bool:
            return bool(begun)

        async with working(bench, HANDLERS | {"t": endless}) as [process]:
            await process.put(Job("first", "t", bench.clock.now()))
            await bench.until(runs)
            before = bench.clock.now()
            await process.runner.drain(1.0)
            assert 1000 <= bench.clock.now() - before < 2000

    play(scenario)
