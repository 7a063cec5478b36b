"""What a room gets from outside, and what it brings to the platform.

Each room has one function, `build(on: Dependencies) -> Room`, in its `build.py`; the platform puts the rooms of its
process together (`app/platform.py`) and knows nothing else of them.
"""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import grpc
import msgspec
from google.protobuf.descriptor import ServiceDescriptor

from traffic_tacos.kernel.addresses import Network
from traffic_tacos.kernel.tokens import UserToken
from traffic_tacos.ports.amounts import AmountsDue
from traffic_tacos.ports.cache_admin import Cache, CacheAdmin
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.event_relay import Subscriber
from traffic_tacos.ports.figures import Figures, Logs
from traffic_tacos.ports.health import HealthChecks
from traffic_tacos.ports.http import HttpPost
from traffic_tacos.ports.jobs import Handler, Jobs
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.ports.log import Log
from traffic_tacos.ports.messages import NO_MESSAGES, Messages
from traffic_tacos.ports.payment_results import PaymentResults
from traffic_tacos.ports.payments import PaymentStops
from traffic_tacos.ports.peers import OnCommit, Share
from traffic_tacos.ports.seats import Seats
from traffic_tacos.ports.settings import Settings
from traffic_tacos.ports.store import Kind, Store

Loop: TypeAlias = Callable[[], Awaitable[None]]
Receiver: TypeAlias = Callable[[Mapping[str, str], bytes], Awaitable[object]]


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """What every room may use.

    `log` is what several processes share of the queues, None where one has them; `has_peers` says whether other
    processes are on the same store, `is_ours` whether this process may still answer for the room, and `share` which
    of those that do the same this one is; `channel` is how it calls the others; `seats` and `payment_stops` are those
    of the rooms of this process that have them, once all rooms are built, as are `amounts_due`, None where
    reservations are elsewhere, and `payment_results`, None where they are, or the worker; `user_of` says whose a user
    token is, or refuses it. `takes_guests` is whether who has no account may buy, where an event does not say.
    `pay_url` is where people pay, empty where nobody can; `webhook_url` is where results of payments are sent.
    """

    store: Store
    log: Log | None
    has_peers: bool
    is_ours: Callable[[], bool]
    share: Callable[[], Share]
    clock: Clock
    randomness: random.Random
    channel: grpc.aio.Channel
    seats: Callable[[], Seats]
    payment_stops: Callable[[], PaymentStops]
    amounts_due: Callable[[], AmountsDue | None]
    payment_results: Callable[[], PaymentResults | None]
    keyring: Keyring
    settings: Settings
    jobs: Jobs
    messages: Messages
    health: HealthChecks
    figures: Figures
    logs: Logs
    cache_admin: CacheAdmin
    post: HttpPost
    user_of: Callable[[str], UserToken]
    networks: tuple[Network, ...]
    takes_guests: bool
    time_scale: float
    pay_url: str
    webhook_url: str


class Service(NamedTuple):
    """A service of the contract, and the object whose methods of the same names answer its calls."""

    methods: object
    descriptor: ServiceDescriptor


class Gauge(NamedTuple):
    """A figure of several things, read when somebody asks: pairs of the thing's name, under `label`, and its value."""

    name: str
    documentation: str
    label: str
    read: Callable[[], Iterable[tuple[str, float]]]


def no_issues() -> list[str]:
    return []


def nothing() -> None:
    pass


async def nothing_to_load() -> None:
    pass


async def nothing_taken_up() -> Mapping[str, int]:
    return {}


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What a room brings. All but its services may be left out.

    `handlers` do its jobs, by topic; of `subscribers` each process has its own, while `forwarders` are given an event
    in one (`ports/event_relay.py`); `caches` and `loops` have names that operators see; `settings` are called with the
    new value of a setting, as text, by the setting's name; `receivers` take what is posted over HTTP, by path.
    `issues` are what is not as it should be, and `unready` why this process must not be asked at all.
    `load` takes up what an earlier process left, `taken_up` counts it for the log, `committed` are given what commits
    wrote, by the kind of the records, `refresh` looks again at what may have changed elsewhere, `hang_up` ends open
    streams. `parts` are its own objects, for tests and for the start.
    """

    services: tuple[Service, ...]
    handlers: Mapping[str, Handler] = {}
    subscribers: tuple[Subscriber, ...] = ()
    forwarders: tuple[Subscriber, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    caches: Mapping[str, Cache] = {}
    loops: Mapping[str, Loop] = {}
    settings: Mapping[str, Callable[[str], None]] = {}
    receivers: Mapping[str, Receiver] = {}
    issues: Callable[[], list[str]] = no_issues
    unready: Callable[[], list[str]] = no_issues
    load: Callable[[], Awaitable[None]] = nothing_to_load
    taken_up: Callable[[], Awaitable[Mapping[str, int]]] = nothing_taken_up
    committed: Mapping[Kind[Any], OnCommit] = {}
    refresh: Callable[[], None] = nothing
    hang_up: Callable[[], None] = nothing
    messages: Messages = NO_MESSAGES
    seats: Seats | None = None
    payment_stops: PaymentStops | None = None
    amounts_due: AmountsDue | None = None
    payment_results: PaymentResults | None = None
    parts: tuple[object, ...] = ()
