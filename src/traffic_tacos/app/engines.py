"""What a platform stands on: the store, what runs jobs and hands events over, and the outside world."""

import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

import msgspec

from traffic_tacos.app.retention import EXPIRIES, SWEPT_ON_ANY_STORE
from traffic_tacos.app.roles import ProcessRole
from traffic_tacos.engines.eventbridge import Bus
from traffic_tacos.engines.jobs import SharedJobs, StoreJobs
from traffic_tacos.engines.outbox import Outbox
from traffic_tacos.engines.peers import HOUSE, IN_FORCE_WITHIN_SECONDS, JOBS, SharedPeers
from traffic_tacos.engines.purge import Expiry
from traffic_tacos.engines.settings import SETTING, StoredSettings
from traffic_tacos.engines.shared_outbox import SharedOutbox
from traffic_tacos.engines.sqs import SqsJobs
from traffic_tacos.engines.sqs_queues import Queues
from traffic_tacos.ports.audit import AUDIT
from traffic_tacos.ports.buckets import SharedBuckets
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.event_relay import EventRelay
from traffic_tacos.ports.health import Health, PartHealth
from traffic_tacos.ports.http import HttpPost
from traffic_tacos.ports.jobs import JobRunner
from traffic_tacos.ports.log import Log, LogUnavailable
from traffic_tacos.ports.peers import ALONE, Peers
from traffic_tacos.ports.settings import SettingsInForce
from traffic_tacos.ports.snapshots import OnSnapshot
from traffic_tacos.ports.store import Store
from traffic_tacos.rooms.webhook.deliveries import POOLS as WEBHOOK_POOLS
from traffic_tacos.rooms.webhook.deliveries import pool_of
from traffic_tacos.rooms.webhook.records import ENDPOINT

# Something outside the process, and how it is when asked.
Dependency: TypeAlias = Callable[[], Awaitable[Sequence[PartHealth]]]


class Engines(msgspec.Struct, frozen=True, kw_only=True):
    """`expiries` are of the records that somebody has to sweep; `peers` are the other processes on the same store, and
    `log` is what they share of the queues: None where one process at a time has those; `buckets` are those of callers'
    limits, None where each process counts by itself. `dependencies` say how what lies
    outside the process is.
    """

    clock: Clock
    randomness: random.Random
    store: Store
    settings: SettingsInForce
    jobs: JobRunner
    events: EventRelay
    post: HttpPost
    on_snapshot: OnSnapshot
    expiries: Sequence[Expiry]
    peers: Peers = ALONE
    log: Log | None = None
    buckets: SharedBuckets | None = None
    dependencies: Sequence[Dependency] = ()


def embedded(
    clock: Clock,
    randomness: random.Random,
    store: Store,
    post: HttpPost,
    on_snapshot: OnSnapshot,
    webhook_url: str,
) -> Engines:
    """Those of one process that owns its store. Results of payments go to `webhook_url`, and wait for nobody else's."""
    return Engines(
        clock=clock,
        randomness=randomness,
        store=store,
        settings=StoredSettings(store, clock),
        jobs=StoreJobs(store, clock, randomness, WEBHOOK_POOLS, pool_of(webhook_url)),
        events=Outbox(store, clock),
        post=post,
        on_snapshot=on_snapshot,
        expiries=EXPIRIES,
    )


def shared(
    clock: Clock,
    randomness: random.Random,
    store: Store,
    post: HttpPost,
    on_snapshot: OnSnapshot,
    webhook_url: str,
    does: ProcessRole,
    outside: Sequence[Dependency] = (),
    log: Log | None = None,
    buckets: SharedBuckets | None = None,
    queues: Queues | None = None,
    bus: Bus | None = None,
) -> Engines:
    """Those of one process of several on one store. Without a log one of them at a time has the queue; with `queues`
    any process that can does a job, else the one that put it; with `bus` events go there as well.
    """
    name = f"{randomness.getrandbits(64):016x}"
    peers = _peers(store, clock, name, does, log)
    events = SharedOutbox(store, clock, peers, None if bus is None else bus.publish)
    dependencies = _dependencies(outside, log, bus, events, clock)
    jobs = _jobs(store, clock, randomness, peers, queues, name, webhook_url)
    if isinstance(jobs, SqsJobs):
        dependencies.append(jobs.dependencies)
    return Engines(
        clock=clock,
        randomness=randomness,
        store=store,
        settings=StoredSettings(store, clock, IN_FORCE_WITHIN_SECONDS),
        jobs=jobs,
        events=events,
        post=post,
        on_snapshot=on_snapshot,
        expiries=SWEPT_ON_ANY_STORE,
        peers=peers,
        log=log,
        buckets=buckets,
        dependencies=dependencies,
    )


def _jobs(
    store: Store,
    clock: Clock,
    randomness: random.Random,
    peers: SharedPeers,
    queues: Queues | None,
    name: str,
    webhook_url: str,
) -> SharedJobs | SqsJobs:
    pools = WEBHOOK_POOLS, pool_of(webhook_url)
    if queues is None:
        return SharedJobs(store, clock, randomness, peers.jobs, *pools)
    return SqsJobs(store, clock, randomness, peers, queues, name, *pools)


def _peers(store: Store, clock: Clock, name: str, does: ProcessRole, lines: Log | None) -> SharedPeers:
    return SharedPeers(
        store,
        clock,
        name,
        small=(SETTING, ENDPOINT),
        growing=(AUDIT,),
        one_at_a_time=("waiting_room",) if lines is None else (),
        divided=("inventory",),
        duties=[duty for duty, is_asked in ((HOUSE, does.keeps_house), (JOBS, does.does_jobs)) if is_asked],
    )


def _dependencies(
    outside: Sequence[Dependency], log: Log | None, bus: Bus | None, events: SharedOutbox, clock: Clock
) -> list[Dependency]:
    found = [*outside]
    if bus is not None:
        found.append(partial(_bus_health, bus, events))
    if log is not None:
        found.append(partial(_log_health, log, clock))
    return found


async def _log_health(log: Log, clock: Clock) -> Sequence[PartHealth]:
    """What the queues are kept in, as it answers."""
    started = clock.now()
    try:
        await log.base("health")
    except LogUnavailable as fault:
        return (PartHealth("redis", Health.UNHEALTHY, 0, endpoint="Redis, the queues", issues=(str(fault),)),)
    return (PartHealth("redis", Health.HEALTHY, clock.now() - started, endpoint="Redis, the queues"),)


async def _bus_health(bus: Bus, events: SharedOutbox) -> Sequence[PartHealth]:
    return (bus.health(events.unpublished()),)
