"""A sale on several processes, each with the engine of DynamoDB of its own over one wire.

In memory a decision and its commit are one moment. Here every process reads, decides and commits one after the other,
on a wire that is slow and refuses, and may be frozen between any two requests: what is not guarded breaks.
"""

import random
from typing import Any

from tests.dynamodb import NO_FAULTS, FakeDynamo, FakeDynamoStore, WireFaults
from tests.simulation.loop import VirtualLoop
from tests.simulation.replicas import Replica, Replicas
from traffic_tacos.app.retention import EXPIRED_BY_THE_STORE
from traffic_tacos.engines.dynamodb import DynamoStore
from traffic_tacos.engines.dynamodb_requests import Requests
from traffic_tacos.engines.dynamodb_tables import Tables
from traffic_tacos.engines.faulty import Faults
from traffic_tacos.ports.store import Store

REFUSING = WireFaults(conflict=0.02, throttled=0.02)
SLOW = 0.3  # of the requests
READ_SECONDS_MAX = 0.2
WRITE_SECONDS_MAX = 1.0


class OnDynamoDB(Replicas):
    """As `Replicas`."""

    def __init__(self, seed: int, loop: VirtualLoop, faults: Faults, lossy: float, event: str = "") -> None:
        super().__init__(seed, loop, faults, lossy, event)
        self.wire = FakeDynamo(self.clock, self.random)
        self.memory: Any = FakeDynamoStore(self.clock, self.random, wire=self.wire)

    async def open(self) -> None:
        await super().open()
        self.wire.faults = REFUSING

    def calm(self) -> None:
        super().calm()
        self.wire.faults = NO_FAULTS

    def _store_of(self, replica: Replica, process: random.Random) -> Store:
        way, tables, clock = Way(replica, self.wire, process), Tables("tacos-"), replica.clock
        requests = Requests(way, tables, clock, process)
        return DynamoStore(
            requests, tables, clock, process, EXPIRED_BY_THE_STORE, lambda writes: self._heard(replica, writes)
        )


class Way:
    """The way of one process to the wire. Answers are never late: what is written is heard of at once."""

    def __init__(self, replica: Replica, wire: FakeDynamo, chance: random.Random) -> None:
        self._replica = replica
        self._wire = wire
        self._random = chance

    async def __call__(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if self._wire.faults != NO_FAULTS and self._random.random() < SLOW:
            seconds_max = WRITE_SECONDS_MAX if action == "TransactWriteItems" else READ_SECONDS_MAX
            await self._replica.clock.sleep(self._random.uniform(0, seconds_max))
        await self._replica.way.thawed()
        return await self._wire(action, payload)
