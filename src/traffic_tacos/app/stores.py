"""Which store a platform keeps its records in: a file of its own, or tables of DynamoDB that it shares, with Redis."""

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypedDict

import msgspec
import structlog

from traffic_tacos.app.aws import checked_name, first_of, found_bus, found_queues, region_for
from traffic_tacos.app.config import STORE_FILE, Config
from traffic_tacos.app.engines import Engines, embedded, shared
from traffic_tacos.app.retention import EXPIRED_BY_THE_STORE
from traffic_tacos.engines.measured_log import MeasuredLog
from traffic_tacos.engines.sqlite import SqliteStore
from traffic_tacos.engines.sqlite_snapshot import SqliteSnapshots
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.ports.buckets import SharedBuckets
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.http import HttpPost
from traffic_tacos.ports.rooms import Gauge
from traffic_tacos.ports.snapshots import OnSnapshot
from traffic_tacos.ports.store import Store, Write

if TYPE_CHECKING:
    from traffic_tacos.engines.dynamodb_wire import DynamoWire

USING_REDIS = frozenset({"waiting_room", "admin"})  # the second one to say how it is
LARGE_STORE_BYTES = 100_000_000  # opening it may take seconds
ENDPOINTS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")

log = structlog.get_logger()


class Followed(Store, Protocol):
    """A store that calls one listener for every commit of this process."""

    on_commit: Callable[[Sequence[Write]], None]


class MakeEngines(Protocol):
    """`app.engines.embedded` or `shared`."""

    def __call__(
        self,
        clock: Clock,
        randomness: random.Random,
        store: Store,
        post: HttpPost,
        on_snapshot: OnSnapshot,
        webhook_url: str,
    ) -> Engines: ...


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A store in use; `engines` makes those that go with it, `gauges` are its figures."""

    store: Followed
    engines: MakeEngines
    on_snapshot: OnSnapshot
    gauges: Sequence[Gauge] = ()


class OnRedis(TypedDict, total=False):
    log: MeasuredLog
    buckets: SharedBuckets


@asynccontextmanager
async def opened(config: Config, clock: Clock, randomness: random.Random) -> AsyncIterator[Opened]:
    """Refused when it cannot be opened."""
    if config.dynamodb:
        async with _on_dynamodb(config, clock, randomness) as found:
            yield found
        return
    file = config.data / STORE_FILE
    if file.exists() and file.stat().st_size > LARGE_STORE_BYTES:
        log.info("opening_store", file=str(file), bytes=file.stat().st_size)
    store = SqliteStore(file)
    try:
        yield Opened(store=store, on_snapshot=SqliteSnapshots(file), engines=embedded)
    finally:
        await store.close()


@asynccontextmanager
async def _on_dynamodb(config: Config, clock: Clock, randomness: random.Random) -> AsyncIterator[Opened]:
    from traffic_tacos.engines.dynamodb import DynamoStore
    from traffic_tacos.engines.dynamodb_health import tables_health
    from traffic_tacos.engines.dynamodb_requests import Requests
    from traffic_tacos.engines.dynamodb_snapshot import DynamoSnapshots
    from traffic_tacos.engines.dynamodb_tables import Tables

    tables = Tables(config.dynamodb)
    async with (
        wire_to(config.dynamodb) as wire,
        _redis(config, clock) as redis,
        found_queues(config.sqs) as queues,
        found_bus(config.event_bus) as bus,
    ):
        requests = Requests(wire, tables, clock, randomness)
        store = DynamoStore(requests, tables, clock, randomness, EXPIRED_BY_THE_STORE)
        outside = (partial(tables_health, wire, tables, clock),)
        yield Opened(
            store=store,
            on_snapshot=DynamoSnapshots(requests),
            engines=partial(shared, does=config.does, outside=outside, queues=queues, bus=bus, **redis),
            gauges=(retries_of(store.retries), *(redis["log"].gauges() if "log" in redis else ())),
        )


def retries_of(counts: Mapping[str, int]) -> Gauge:
    """What the store on DynamoDB counts, as a figure."""
    return Gauge(
        "tacos_store_retries",
        "Requests to the store that had to be repeated, by reason: conflict (another process was faster), throttled "
        "(more than DynamoDB takes) or answer_lost",
        "reason",
        counts.items,
    )


@asynccontextmanager
async def _redis(config: Config, clock: Clock) -> AsyncIterator[OnRedis]:
    """What several processes share of the queues and of their callers' limits; nothing where one at a time has the
    queues.
    """
    if not config.redis or not USING_REDIS & set(config.rooms):
        yield OnRedis()
        return
    try:
        from traffic_tacos.engines.redis_buckets import RedisBuckets
        from traffic_tacos.engines.redis_log import RedisLog, connected
    except ModuleNotFoundError:
        raise Refusal.of_field("redis", "needs the extra: pip install 'traffic-tacos[redis]'") from None
    async with connected(config.redis, config.redis_replicas) as redis:
        log = MeasuredLog(RedisLog(redis, config.redis_replicas), clock)
        yield OnRedis(log=log, buckets=RedisBuckets(redis))


async def create_tables(prefix: str) -> list[str]:
    """Create the tables of DynamoDB that are missing; which they were."""
    from traffic_tacos.engines.dynamodb_tables import Tables

    async with wire_to(prefix) as wire:
        return await wire.create_tables(Tables(prefix))


@asynccontextmanager
async def wire_to(prefix: str) -> AsyncIterator["DynamoWire"]:
    """DynamoDB of the region that the environment names. Refused with what is missing."""
    checked_name("dynamodb", prefix)
    try:
        from traffic_tacos.engines.dynamodb_wire import dynamo_wire
    except ModuleNotFoundError:
        raise Refusal.of_field("dynamodb", "needs the extra: pip install 'traffic-tacos[dynamodb]'", prefix) from None
    async with dynamo_wire(region_for("dynamodb", prefix), first_of(ENDPOINTS)) as wire:
        yield wire
