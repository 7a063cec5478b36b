"""A sale on several processes whose jobs have their messages on SQS, and whose events go to EventBridge.

Messages are doubled, late, lost and in any order, requests fail, and each service is away for a while. Besides what is
always checked: no message is acknowledged before its work, no queue keeps any, and the bus hears of every event.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from tests.aws import NO_FAULTS, FakeBus, QueueFaults
from tests.conformance.runners import ApiWay, WatchedSqs
from tests.simulation.loop import VirtualLoop
from tests.simulation.replicas import Replica, Replicas
from tests.simulation.world import Broken
from traffic_tacos.engines.aws import AwsApi
from traffic_tacos.engines.eventbridge import Bus
from traffic_tacos.engines.faulty import Faults
from traffic_tacos.engines.sqs_queues import Queues
from traffic_tacos.kernel.instants import DAY
from traffic_tacos.ports.store import OUTBOX, Write, parts_of

QUEUE_FAULTS = QueueFaults(doubled=0.1, late=0.1, refused=0.02, answer_lost=0.02, not_taken=0.02, late_seconds_max=5)
PREFIX = "sim-"


class OnAws(Replicas):
    """As `Replicas`."""

    def __init__(self, seed: int, loop: VirtualLoop, faults: Faults, lossy: float, event: str = "") -> None:
        super().__init__(seed, loop, faults, lossy, event)
        self._chance = chance = random.Random(f"aws-{seed}")
        self.sqs = WatchedSqs(self.clock, chance)
        self.bus = FakeBus(chance, not_taken=0.1, refused=0.05)
        self._ways: dict[Replica, list[FreezingWay]] = {}
        self._events: set[str] = set()  # all that were committed, by id

    async def open(self) -> None:
        self.sqs.store = self.memory
        await Queues(self.sqs, PREFIX).create()
        self.sqs.faults = QUEUE_FAULTS
        self._outages = asyncio.create_task(self._be_away())
        await super().open()

    async def _be_away(self) -> None:
        """Now and then one of the two does nothing for a while, and then the other."""
        for service in (self.bus, self.sqs):
            await self.clock.sleep(self._chance.uniform(5, 30))
            service.is_down = True
            await self.clock.sleep(self._chance.uniform(5, 20))
            service.is_down = False

    def calm(self) -> None:
        super().calm()
        self._outages.cancel()
        self.sqs.is_down = self.bus.is_down = False
        self.sqs.faults, self.bus.not_taken, self.bus.refused = NO_FAULTS, 0.0, 0.0

    def is_busy(self) -> bool:
        return super().is_busy() or any(self.sqs.bodies(name) for name in self.sqs.queues)

    async def close(self) -> None:
        if self.sqs.acknowledged_early:
            raise Broken(f"acknowledged before its work: {self.sqs.acknowledged_early[0]}")
        if left := {name: bodies for name in self.sqs.queues if (bodies := self.sqs.bodies(name))}:
            raise Broken(f"at rest: messages are left: {left}")
        if unheard := self._events - {event["id"] for event in self.bus.heard}:
            raise Broken(f"at rest: the bus has not heard of {min(unheard)}")
        if kept := [path for path, _ in self.memory.all(OUTBOX)]:
            raise Broken(f"at rest: events are kept: {kept[0]}")
        await super().close()

    async def _own_engines(self, replica: Replica) -> dict[str, Any]:
        ways = self._ways[replica] = [FreezingWay(replica, self.sqs), FreezingWay(replica, self.bus)]
        queues = Queues(ways[0], PREFIX)
        await queues.find()
        return {"queues": queues, "bus": Bus(ways[1], "sim")}

    async def _kill(self, replica: Replica) -> None:
        for way in self._ways.get(replica, ()):
            way.cut()
        if not replica.is_down:
            replica.way.frozen_until = replica.clock.now() + DAY  # whatever it still says is not heard
        await super()._kill(replica)

    def _heard(self, replica: Replica, writes: Sequence[Write]) -> None:
        self._events |= {parts_of(path)[0] for kind, path, value in writes if kind is OUTBOX and value is not None}
        super()._heard(replica, writes)


class FreezingWay(ApiWay):
    """The way of one process to a service of AWS, which is frozen with its way to the store."""

    def __init__(self, replica: Replica, api: AwsApi) -> None:
        super().__init__(api)
        self._replica = replica

    async def __call__(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        await self._replica.way.thawed()
        return await super().__call__(operation, parameters)
