"""A sale on several processes over one store: two to four replicas, clocks a little apart, that crash one at a time.

The waiting room is in the first of them; whoever comes after it waits for its lease, also when it was only frozen and
goes on. A call arrives at any replica that has the room for it. Beside all invariants, three that only several
processes can break are checked: nothing is reserved after a stop, nobody is let through after maintenance
was, and whatever is reserved has the prices and the end of the sale that are in force in that very commit.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import grpc

from tests.simulation.loop import LoopClock, VirtualLoop
from tests.simulation.world import STEADY, Broken, Looks, Unreachable, World
from traffic_tacos import wire
from traffic_tacos.app.config import Config
from traffic_tacos.app.engines import shared
from traffic_tacos.app.platform import Platform
from traffic_tacos.calls.policy import ROOM_OF
from traffic_tacos.engines.faulty import Faults, FaultyStore
from traffic_tacos.engines.memory_log import LogFaults, MemoryLog
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.domain_events import DomainEvent
from traffic_tacos.kernel.event_info import sale_window
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.health import PartHealth
from traffic_tacos.ports.store import (
    JOB,
    OUTBOX,
    Decision,
    Key,
    Prefix,
    Reads,
    Store,
    View,
    Write,
    timed_outbox_key,
)
from traffic_tacos.rooms.catalog.records import EVENT
from traffic_tacos.rooms.reservation.records import RESERVATION
from traffic_tacos.rooms.reservation.stopping import STOP
from traffic_tacos.rooms.waiting_room.records import LINE_HEAD, MEMBER, TICKET

T = TypeVar("T")
R = TypeVar("R")

DEAF_FOR = 6 * SECOND  # less than news is kept for
OF_THE_QUEUE = (TICKET, MEMBER, LINE_HEAD)
APART_MAX = 300  # milliseconds that a replica's clock is before or behind
WAITING_ROOM = "waiting_room"
LOSING = LogFaults(delay=0.05, fail_before=0.02, fail_after=0.02)
CREATE = "gateway.v1.GatewayService/CreateReservation"


class ApartClock:
    """The clock of one machine."""

    def __init__(self, clock: LoopClock, by: Instant) -> None:
        self._clock = clock
        self._by = by

    def now(self) -> Instant:
        return self._clock.now() + self._by

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class FreezingStore:
    """The way of one process to its store. While it is frozen nothing comes through, and then everything does: so a
    process is paused, and does not know it.
    """

    def __init__(self, store: Store, clock: ApartClock) -> None:
        self.store = store
        self._clock = clock
        self.frozen_until: Instant = 0
        self.deaf_until: Instant = 0  # to the news of other processes, and to nothing else

    async def get(self, key: Key[T]) -> T | None:
        await self.thawed()
        return await self.store.get(key)

    async def scan(self, prefix: Prefix[T], *, after: Key[T] | None = None, limit: int) -> list[tuple[Key[T], T]]:
        await self.thawed()
        while prefix.kind is OUTBOX and self._clock.now() < self.deaf_until:
            await self._clock.sleep(0.1)
        return await self.store.scan(prefix, after=after, limit=limit)

    async def transact(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        """What is begun while it is frozen is done when it goes on, for its timers stand still as well: whoever waited
        may have been told meanwhile, by the clock of this simulation, that it took too long.
        """
        if self._clock.now() >= self.frozen_until:
            return await self.store.transact(reads, decide)
        later = asyncio.ensure_future(self._transact_thawed(reads, decide))
        later.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(later)

    async def _transact_thawed(self, reads: Reads, decide: Callable[[View], Decision[R]]) -> R:
        await self.thawed()
        return await self.store.transact(reads, decide)

    def damaged(self) -> Mapping[str, str]:
        return self.store.damaged()

    async def thawed(self) -> None:
        while self._clock.now() < self.frozen_until:
            await self._clock.sleep(0.1)


class Replica:
    """One process."""

    def __init__(self, number: int, clock: ApartClock) -> None:
        self.number = number
        self.clock = clock
        self.is_down = True
        self.without: frozenset[str] = frozenset()
        self.platform: Platform
        self.store: FaultyStore
        self.way: FreezingStore
        self.work: asyncio.Task[None]


class Elsewhere:
    """The waiting room of another replica, as the rooms of this one reach it."""

    def __init__(self, world: "Replicas") -> None:
        self._world = world

    def unary_unary(self, caller: str, path: str, serializer: Any, deserializer: Any) -> Any:
        if ROOM_OF.get(path.split("/")[1]) != WAITING_ROOM:
            return None

        async def send(request: Any, *, timeout: float, metadata: tuple[tuple[str, str], ...] = ()) -> Any:
            trace_id = next((value for name, value in metadata if name == wire.TRACE_HEADER), "")
            try:
                calls = self._world.reached(path.removeprefix("/")).calls
                call = Call(
                    Caller(Role.SERVICE, caller),
                    trace_id or calls.new_trace_id(),
                    calls.clock.now() + round(timeout * SECOND),
                )
                answer = await self._world.answer(calls, calls.methods[path], request, call)
            except Unreachable:
                nothing = grpc.aio.Metadata()
                raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, "it has crashed") from None
            return deserializer(answer.SerializeToString())

        return send

    def services(self) -> list[Any]:
        return []

    async def health(self) -> list[PartHealth]:
        return []

    async def run(self) -> None:
        raise AssertionError("nothing is followed here: no address is configured")

    async def close(self) -> None:
        pass


class Replicas(World):
    """As a `World`, with `2 + seed % 3` platforms."""

    has_several_clocks = True

    def __init__(self, seed: int, loop: VirtualLoop, faults: Faults, lossy: float, event: str = "") -> None:
        super().__init__(seed, loop, faults, lossy, event)
        self.replicas = [
            Replica(number, ApartClock(self.clock, self.random.randint(-APART_MAX, APART_MAX)))
            for number in range(2 + seed % 3)
        ]
        self.queue_log: MemoryLog | None = None  # where all replicas have the queue
        self._with_queue: Replica | None = None  # whose it is, where one process has it
        self._stopped = ""  # by what was answered that stops all
        self._reserved: set[str] = set()  # by path

    async def open(self) -> None:
        for replica in self.replicas:
            await self._start(replica)

    async def crash(self, down_seconds: float = 0, without: frozenset[str] = frozenset()) -> None:
        """One replica loses everything that is not stored, and starts again."""
        up = [replica for replica in self.replicas if not replica.is_down]
        replica = self.random.choice(up)
        if self.queue_log is None and replica.number == 0 and self.random.random() < 0.5:
            await self._replace_frozen(replica)
            return
        self.say(f"replica {replica.number} crashes, down for {down_seconds:.1f} s, then without {sorted(without)}")
        self.crashes += 1
        await self._kill(replica)
        await self.clock.sleep(down_seconds)
        replica.without = without
        await self._start(replica)

    async def _replace_frozen(self, frozen: Replica) -> None:
        """The process with the queue stands still; another takes its place; the first goes on, and finds out."""
        self.say("replica 0 freezes")
        self.crashes += 1
        frozen.way.frozen_until = frozen.clock.now() + 12 * SECOND
        await self.start_another()
        self.replicas.remove(frozen)  # whoever balances the load has noticed
        try:
            await self.clock.sleep(12)
            self.replicas.append(frozen)  # it answers again, and so it is asked again
            await self.clock.sleep(3)
        finally:
            self.replicas = [replica for replica in self.replicas if replica is not frozen]
            await self._kill(frozen)

    async def start_another(self) -> None:
        """One more process that has the queue as soon as it can."""
        successor = Replica(0, ApartClock(self.clock, self.random.randint(-APART_MAX, APART_MAX)))
        self.replicas.append(successor)
        try:
            await self._start(successor)
        except asyncio.CancelledError:  # whoever has the queue keeps it: nobody waits for it any longer
            self.replicas.remove(successor)
            raise

    async def whole_again(self) -> None:
        for replica in self.replicas:
            if replica.without or replica.is_down:
                if not replica.is_down:
                    await self._kill(replica)
                replica.without = frozenset()
                await self._start(replica)

    async def close(self) -> None:
        for replica in self.replicas:
            await self._kill(replica)

    def calm(self) -> None:
        self.faults, self.lossy = STEADY, 0.0
        for replica in self.replicas:
            if not replica.is_down:
                replica.store.faults = STEADY

    def reached(self, path: str) -> Platform:
        platforms = [replica.platform for replica in self.replicas if not replica.is_down]
        up = [one for one in platforms if "/" + path in one.calls.methods or path in one.receivers]
        if not up:
            raise Unreachable
        return self.random.choice(up)

    async def call(self, path: str, request: Any, user: str = "") -> Any:
        stopped = self._stopped
        answer = await super().call(path, request, user)
        if path == CREATE and stopped == self._stopped == "MAINTENANCE_MODE" and not answer.HasField("error"):
            self._break("somebody was let through after maintenance was answered")
        return answer

    async def operate(self, path: str, request: Any) -> Any:
        action = str(getattr(request, "action", "")).removeprefix("EMERGENCY_ACTION_TYPE_")
        is_end = bool(getattr(request, "parameters", {}).get("resume")) if action else False
        if is_end:
            self._stopped = ""
        answer = await super().operate(path, request)
        if (
            action in ("CANCEL_RESERVATIONS", "MAINTENANCE_MODE")
            and not is_end
            and answer is not None
            and answer.executed
        ):
            self._stopped = action
        return answer

    def deafen(self) -> None:
        self.random.choice(self.replicas).way.deaf_until = self.clock.now() + DEAF_FOR

    def jobs(self) -> list[str]:
        return [job.id for _, job in self.memory.all(JOB) if not job.is_dead]

    def dead(self) -> list[str]:
        return [f"{job.id}: {job.last_error}" for _, job in self.memory.all(JOB) if job.is_dead]

    async def _own_engines(self, replica: Replica) -> dict[str, Any]:
        """What `shared` is given for this process beside the store."""
        return {}

    async def _start(self, replica: Replica) -> None:
        """Until it may have its rooms, the others go on."""
        process = random.Random(self.random.getrandbits(64))

        replica.store = FaultyStore(self._store_of(replica, process), STEADY, replica.clock, self.random)
        config = Config(data=Path("simulated"), without=replica.without | self._left_out(replica))
        replica.way = FreezingStore(replica.store, replica.clock)
        own = await self._own_engines(replica)
        look, url = Looks(self.look), config.webhook_url
        engines = shared(replica.clock, process, replica.way, self._post, look, url, config.does, **own)
        replica.platform = Platform(config, engines, self.keyring, self.log, self.fetch, Elsewhere(self))
        await replica.platform.load()
        if replica.number == 0:
            self._with_queue = replica
            await replica.platform.put_on_sale(self.event)
        replica.store.faults = self.faults
        replica.is_down = False
        replica.work = asyncio.create_task(replica.platform.run())

    def _store_of(self, replica: Replica, process: random.Random) -> Store:
        """What all share, as this process has it."""

        def outbox_keys() -> Iterable[Key[DomainEvent]]:
            mark, now = f"{process.getrandbits(64):016x}", replica.clock.now()
            return (timed_outbox_key(now, mark, number) for number in range(1000))

        return self.memory.beside(lambda writes: self._heard(replica, writes), outbox_keys)  # type: ignore[no-any-return]

    def _left_out(self, replica: Replica) -> frozenset[str]:
        """Which rooms it never has."""
        return frozenset() if replica.number == 0 else frozenset({WAITING_ROOM})

    async def _kill(self, replica: Replica) -> None:
        if replica.is_down:
            return
        replica.is_down = True
        own = [task for task, calls in self._calls.items() if calls is replica.platform.calls]
        for task in (replica.work, *own):
            task.cancel()
        await asyncio.gather(replica.work, *own, return_exceptions=True)

    def _heard(self, replica: Replica, writes: Sequence[Write]) -> None:
        self.platform = replica.platform  # whose commit it is
        is_elsewhere = self.queue_log is None and replica is not self._with_queue
        if is_elsewhere and any(write.kind in OF_THE_QUEUE for write in writes):
            self._break("a process wrote in a queue that another had taken over")
        self._check_reserved([one for one in writes if one.kind is RESERVATION and one.path not in self._reserved])
        self._committed(writes)

    def _check_reserved(self, new: Sequence[Write]) -> None:
        """Every reservation that a commit makes is one that may be made, by what is stored at this moment."""
        self._reserved |= {write.path for write in new}
        for path, reservation in ((write.path, write.value) for write in new):
            [event] = [one for _, one in self.memory.all(EVENT)]
            prices = {seat.id: seat.price for section in event.sections for row in section.rows for seat in row.seats}
            if self._stopped == "CANCEL_RESERVATIONS" or any(True for _ in self.memory.all(STOP)):
                self._break(f"{path} was reserved after a stop")
            if sale_window(event.info).is_over(reservation.created_at):
                self._break(f"{path} was reserved after the end of the sale that is in force")
            if any(seat.price.amount != prices[seat.id] for seat in reservation.seats):
                self._break(f"{path} has another price than the one in force")

    def _break(self, what: str) -> None:
        self.broken = self.broken or Broken(what)


class Together(Replicas):
    """Every replica has the queue, on a log that loses answers and whose server is replaced when a replica crashes:
    mostly it knows everything, sometimes the newest entries are lost.
    """

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.queue_log = MemoryLog(self.clock, self.random)

    async def open(self) -> None:
        await super().open()
        assert self.queue_log is not None
        self.queue_log.faults = LOSING

    async def crash(self, down_seconds: float = 0, without: frozenset[str] = frozenset()) -> None:
        if self.random.random() < 0.5:
            assert self.queue_log is not None
            lost = self.random.choice((0, 0, 1, 5))
            self.say(f"another server has the queue's log, which lacks {lost} entries")
            self.queue_log.promote(lost)
        await super().crash(down_seconds, without)

    async def _own_engines(self, replica: Replica) -> dict[str, Any]:
        return {"log": self.queue_log}

    def calm(self) -> None:
        super().calm()
        assert self.queue_log is not None
        self.queue_log.faults = LogFaults()

    def _left_out(self, replica: Replica) -> frozenset[str]:
        return frozenset()
