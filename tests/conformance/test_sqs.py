"""Jobs over a queue that doubles, delays, loses and reorders messages, with processes that are killed."""

import asyncio
import random
from collections import Counter

import pytest

from tests.aws import QueueFaults
from tests.conformance.runners import OnFakeSqs, Process, play_virtually, working
from traffic_tacos.engines.sqs_queues import DEAD_LETTERS, DELAY_MAX
from traffic_tacos.kernel.instants import HOUR, MINUTE, SECOND
from traffic_tacos.ports.jobs import Handlers
from traffic_tacos.ports.store import JOB, Job, in_commits

FAULTS = QueueFaults(doubled=0.2, late=0.2, refused=0.05, answer_lost=0.05, not_taken=0.05)
GROUPS = ("x", "y", "z")
JOBS = 40


async def nothing(job):
    pass


HANDLERS = {"t": nothing, "crowd": nothing}


class Handling:
    """Handlers that note what is done, how many of a group run at once, and fail now and then."""

    def __init__(self, bench: OnFakeSqs, chance: random.Random) -> None:
        self.bench = bench
        self.chance = chance
        self.done: Counter[str] = Counter()
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def handlers(self) -> Handlers:
        return {"t": self._handle, "crowd": self._handle}

    async def _handle(self, job: Job) -> None:
        group = f"{job.topic} {job.group}"
        self.inside[group] += 1
        self.most[group] = max(self.most[group], self.inside[group])
        try:
            await self.bench.clock.sleep(self.chance.choice([0, 0.1, 1, 20]))
            if self.chance.random() < 0.1 and not job.attempts:
                raise ValueError("injected")
            self.done[job.id] += 1
        finally:
            self.inside[group] -= 1


async def sale(bench: OnFakeSqs, seed: int) -> Handling:
    """Three processes put and do jobs, and are killed now and then; until all are done."""
    chance = random.Random(f"sale-{seed}")
    handling = Handling(bench, chance)
    alive: list[Process] = []

    async def begin() -> None:
        process = await bench.process()
        process.start(handling.handlers())
        alive.append(process)

    for _ in range(3):
        await begin()
    for number in range(JOBS):
        due_at = bench.clock.now() + chance.choice([0, 0, 5, 70]) * SECOND
        job = Job(f"{number:02d}", chance.choice(["t", "t", "crowd"]), due_at, group=chance.choice(GROUPS))
        await chance.choice(alive).put(job)
        await bench.clock.sleep(chance.uniform(0, 3))
        if chance.random() < 0.1:
            dying = chance.choice(alive[1:])  # the first has the duty
            alive.remove(dying)
            await dying.kill()
            await begin()
    await bench.until_done(*(f"{number:02d}" for number in range(JOBS)), seconds=1800)
    bench.sqs.faults = QueueFaults()
    await bench.clock.sleep(60)
    for process in alive:
        await process.stop()
    return handling


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 40))])
def test_every_job_is_done_none_of_a_group_together_and_no_message_is_acknowledged_before_its_work(seed):
    async def scenario(bench: OnFakeSqs) -> None:
        handling = await sale(bench, seed)
        assert set(handling.done) == {f"{number:02d}" for number in range(JOBS)}
        assert [handling.most[f"t {group}"] for group in GROUPS] == [1, 1, 1]
        assert bench.sqs.acknowledged_early == []
        assert {name: bench.sqs.bodies(name) for name in bench.sqs.queues} == {name: [] for name in bench.sqs.queues}

    play_virtually(lambda clock: OnFakeSqs(clock, seed, FAULTS), scenario, seed)


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 40))])
def test_one_job_of_a_group_runs_at_a_time_in_all_processes_together(seed):
    async def scenario(bench: OnFakeSqs) -> None:
        handling = Handling(bench, random.Random(seed))
        async with working(bench, handling.handlers(), 3) as processes:
            jobs = [Job(f"{number:02d}", "t", bench.clock.now(), group=GROUPS[number % 3]) for number in range(30)]
            for number, job in enumerate(jobs):
                await processes[number % 3].put(job)
            await bench.until_done(*(job.id for job in jobs), seconds=1800)
        assert handling.most == {f"t {group}": 1 for group in GROUPS}

    play_virtually(lambda clock: OnFakeSqs(clock, seed, FAULTS), scenario, seed)


def test_a_job_that_runs_long_is_done_once_although_others_listen():
    async def scenario(bench: OnFakeSqs) -> None:
        began = Counter()

        async def slow(job):
            began[job.id] += 1
            await bench.clock.sleep(300 if job.topic == "t" else 50)

        async with working(bench, HANDLERS | {"t": slow, "crowd": slow}, 3) as [process, *_]:
            now = bench.clock.now()
            await process.put(Job("a", "t", now), *(Job(f"{number}", "crowd", now) for number in range(4)))
            await bench.until_done("a", *"0123", seconds=400)
        assert began == dict.fromkeys(["a", *"0123"], 1)

    play_virtually(OnFakeSqs, scenario)


def test_a_group_is_free_for_other_processes_as_soon_as_its_job_is_done():
    async def scenario(bench: OnFakeSqs) -> None:
        async with working(bench, HANDLERS, 3) as processes:
            jobs = [Job(f"{number}", "t", bench.clock.now(), group="x") for number in range(6)]
            for number, job in enumerate(jobs):
                await processes[number % 3].put(job)
                await bench.clock.sleep(0.5)
            await bench.until_done(*(job.id for job in jobs), seconds=5)

    play_virtually(OnFakeSqs, scenario)


def test_the_message_of_a_job_that_was_put_again_is_forgotten_when_it_comes():
    async def scenario(bench: OnFakeSqs) -> None:
        async with working(bench, HANDLERS) as [process]:
            now = bench.clock.now()
            await process.put(Job("a", "t", now + SECOND))
            await process.put(Job("a", "t", now + 60 * SECOND))
            await bench.clock.sleep(5)
            assert len(bench.sqs.bodies("tacos-one")) == 1
            assert bench.sqs.calls["SendMessageBatch"] == 2

    play_virtually(OnFakeSqs, scenario)


def test_what_is_due_later_than_a_message_can_be_delayed_is_done_then():
    async def scenario(bench: OnFakeSqs) -> None:
        done = {}

        async def note(job):
            done[job.id] = bench.clock.now()

        async with working(bench, HANDLERS | {"t": note}, 2) as [process, _]:
            due_at = bench.clock.now() + 40 * MINUTE
            assert due_at > bench.clock.now() + 2 * DELAY_MAX
            await process.put(Job("a", "t", due_at))
            await bench.clock.sleep(39 * MINUTE / SECOND)
            assert len(bench.sqs.bodies("tacos-one")) == 1
            await bench.until_done("a", seconds=90)
        assert due_at <= done["a"] < due_at + 2 * SECOND

    play_virtually(OnFakeSqs, scenario)


def test_a_job_whose_process_died_between_its_commit_and_its_message_is_found_by_the_sweep():
    async def scenario(bench: OnFakeSqs) -> None:
        async with working(bench, HANDLERS):
            dead = await bench.process()
            await dead.put(Job("a", "t", bench.clock.now()))
            assert bench.sqs.bodies("tacos-one") == []
            await bench.until_done("a", seconds=20)

    play_virtually(OnFakeSqs, scenario)


def test_a_queue_that_is_away_for_a_minute_loses_nothing():
    async def scenario(bench: OnFakeSqs) -> None:
        async with working(bench, HANDLERS, 2) as [process, _]:
            bench.sqs.is_down = True
            await process.put(*(Job(f"{number}", "t", bench.clock.now()) for number in range(30)))
            await bench.clock.sleep(60)
            [part, _] = await process.runner.dependencies()
            assert part.issues == ("injected: not asked",)
            bench.sqs.is_down = False
            await bench.until_done(*map(str, range(30)), seconds=40)

    play_virtually(OnFakeSqs, scenario)


def test_a_message_that_cannot_be_read_goes_to_the_dead_letters_and_a_job_that_was_given_up_does_not():
    async def scenario(bench: OnFakeSqs) -> None:
        async def failing(job):
            raise ValueError("no")

        async def dead() -> bool:
            job = await bench.job("a")
            return job is not None and job.is_dead

        async with working(bench, HANDLERS | {"t": failing}) as [process]:
            await bench.sqs("SendMessage", {"QueueUrl": "tacos-one", "MessageBody": "hello"})
            await process.put(Job("a", "t", bench.clock.now()))
            await bench.until(dead)
            await bench.clock.sleep(10)
            assert bench.sqs.bodies("tacos-one" + DEAD_LETTERS) == ["hello"]
            assert bench.sqs.bodies("tacos-one") == []
            assert (process.runner.figures().dead, process.runner.figures().pending) == (1, 0)

    play_virtually(OnFakeSqs, scenario)


def test_a_process_that_stops_gives_back_what_it_had_at_once():
    async def scenario(bench: OnFakeSqs) -> None:
        began = asyncio.Event()

        async def hanging(job):
            began.set()
            await asyncio.Event().wait()

        first = await bench.process()
        first.start(HANDLERS | {"t": hanging})
        await first.put(Job("a", "t", bench.clock.now()))
        await began.wait()
        await first.stop()
        async with working(bench, HANDLERS):
            await bench.until_done("a", seconds=1)

    play_virtually(OnFakeSqs, scenario)


def test_a_process_that_stops_sends_the_messages_of_what_it_has_committed():
    async def scenario(bench: OnFakeSqs) -> None:
        process = await bench.process()
        process.start(HANDLERS)
        await bench.clock.sleep(1)
        await process.put(*(Job(f"{number}", "t", bench.clock.now() + 60 * SECOND) for number in range(25)))
        await process.stop()
        assert len({*bench.sqs.bodies("tacos-one")}) == 25

    play_virtually(OnFakeSqs, scenario)


def test_who_waits_for_one_slow_group_keeps_no_other_waiting():
    async def scenario(bench: OnFakeSqs) -> None:
        async def handler(job):
            await bench.clock.sleep(600 if job.group == "slow" else 0)

        async with working(bench, HANDLERS | {"t": handler}) as [process]:
            now = bench.clock.now()
            for some in in_commits([Job(f"slow{n}", "t", now, group="slow") for n in range(600)]):
                await process.put(*some)
            others = [Job(f"other{n}", "t", now, group=f"{n % 5}") for n in range(50)]
            await process.put(*others)
            await bench.until_done(*(job.id for job in others), seconds=10)

    play_virtually(OnFakeSqs, scenario)


def test_the_queues_say_what_waits_in_them_and_for_how_long():
    async def scenario(bench: OnFakeSqs) -> None:
        async with working(bench, {}) as [process]:
            now = bench.clock.now()
            await process.put(*(Job(str(n), "t", now - 3 * SECOND) for n in range(4)))
            await process.put(Job("later", "t", now + HOUR))
            await bench.clock.sleep(7)
            [one, many] = await process.runner.dependencies()
            assert (one.name, one.endpoint) == ("tacos-one", "4 waiting, 0 in hand, 1 delayed; oldest due for 10 s")
            assert (many.name, many.endpoint) == ("tacos-many", "0 waiting, 0 in hand, 0 delayed; oldest due for 0 s")
            assert process.runner.figures().pending == 5
            elsewhere = await bench.process()
            assert [one.job.id for one in await elsewhere.runner.show("later", "", 10)] == ["later"]

    play_virtually(OnFakeSqs, scenario)


def test_damaged_records_of_jobs_stop_nothing_else():
    async def scenario(bench: OnFakeSqs) -> None:
        async with working(bench, HANDLERS) as [process]:
            now = bench.clock.now()
            await process.put(Job("a", "t", now + SECOND), Job("b", "t", now + SECOND))
            bench.memory.keep(JOB.key("a").path, b"{")
            await bench.until_done("b", seconds=5)
            await bench.clock.sleep(40)
            assert bench.sqs.bodies("tacos-one") == []

    play_virtually(OnFakeSqs, scenario)
