"""The rooms of one process, on the engines that its configuration names: what `tacos up` runs."""

import asyncio
import contextlib
import fcntl
import gc
import os
import random
import resource
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from traffic_tacos.app.config import Config
from traffic_tacos.app.engines import Engines
from traffic_tacos.app.platform import Platform
from traffic_tacos.app.stores import Opened, opened
from traffic_tacos.calls import keys
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.engines.outbound import poster
from traffic_tacos.engines.randomness import SystemRandomness
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.operations import logs
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.figures import Logs
from traffic_tacos.ports.http import HttpPost
from traffic_tacos.ports.store import Store
from traffic_tacos.transport.connections import Caps, Connections, SocketWatch, gauges_of
from traffic_tacos.transport.grpc_server import GrpcServer
from traffic_tacos.transport.http import application
from traffic_tacos.transport.http_server import HttpServer
from traffic_tacos.web.routes import answers

if TYPE_CHECKING:
    from traffic_tacos.operations.telemetry import Telemetry

LOCK_FILE = "lock"
# Together with the time that load balancers need this is less than the 40 seconds that a process has to end.
GRACE_SECONDS = 10.0
JOBS_GRACE_SECONDS = 10.0
OPEN_FILES_MAX = 65_536
GC_THRESHOLDS = (20_000, 20, 20)

log = structlog.get_logger()

Hook = Callable[[Platform], Awaitable[None]]


async def serve(config: Config, ring: Logs, prepare: Hook, started: Hook) -> None:
    """Run until SIGTERM or SIGINT, then drain: say so, end streams, take no new calls and no new jobs, finish what is
    in flight. That takes `drain_seconds` and at most 20 more.

    `prepare` is called before anybody is let in, `started` once everything listens. The loops behind
    it are restarted by whoever keeps them (`loops.py`); should even that end, so does the process.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    async with running(config, ring, prepare) as (platform, work):
        await started(platform)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({stopped, work}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()


@asynccontextmanager
async def running(config: Config, ring: Logs, prepare: Hook) -> AsyncIterator[tuple[Platform, asyncio.Task[None]]]:
    """A platform that listens as long as the context lasts, and its work, which never ends by itself."""
    open_files = _allow_open_files()
    randomness = SystemRandomness()
    with _locked(config.data) if config.has_folder else contextlib.nullcontext():
        clock = SystemClock()
        telemetry = exporting(config, clock)
        try:
            async with opened(config, clock, randomness) as stored, poster(config.networks) as post:
                engines = engines_of(config, clock, randomness, stored, post, telemetry)
                platform = Platform(config, engines, keyring(config, randomness), ring)
                if telemetry is not None:
                    telemetry.follow(platform)
                for gauge in stored.gauges:
                    platform.calls.metrics.add_gauges(*gauge)
                stored.store.on_commit = platform.committed
                await platform.load()
                await prepare(platform)
                _calm_garbage_collection()
                started = clock.now()
                async with _listening(config, platform, open_files) as work:
                    log.info(
                        "platform_started",
                        version=platform.health.version,
                        role=config.role,
                        data=str(config.data) if config.has_folder else "",
                        grpc=str(config.grpc),
                        http=str(config.http),
                        **await platform.taken_up(),
                    )
                    yield platform, work
                    log.info("platform_stopping", calls_under_way=platform.calls.under_way)
                await platform.close()
                log.info("platform_stopped", uptime_seconds=(clock.now() - started) // SECOND)
        finally:
            if telemetry is not None:
                await asyncio.to_thread(telemetry.close)


def engines_of(
    config: Config,
    clock: Clock,
    randomness: random.Random,
    stored: Opened,
    post: HttpPost,
    telemetry: "Telemetry | None",
) -> Engines:
    """What the platform stands on; traced where traces go somewhere."""
    store: Store = stored.store
    if telemetry is not None:
        store, post = telemetry.traced_store(store), telemetry.traced_post(post)
    return stored.engines(clock, randomness, store, post, stored.on_snapshot, config.webhook_url)


def keyring(config: Config, randomness: random.Random) -> keys.Keyring:
    """The keys of the data folder, made where there are none; or those that another process made and shares."""
    if config.keys_of is None:
        return keys.Keyring(keys.opened(config.data, randomness), config.data)
    return keys.Keyring(keys.read(config.keys_of), config.keys_of)


def exporting(config: Config, clock: Clock) -> "Telemetry | None":
    """Telemetry to the collector that the configuration names; None, and nothing imported, when it names none."""
    if not config.telemetry:
        return None
    try:
        from traffic_tacos.operations import telemetry
    except ModuleNotFoundError:
        raise Refusal.of_field(
            "telemetry", "needs the extra: pip install 'traffic-tacos[telemetry]'", config.telemetry
        ) from None
    logs.use_trace(telemetry.current_trace_id)
    return telemetry.exporting(config.telemetry, version("traffic-tacos"), clock)


@asynccontextmanager
async def _listening(config: Config, platform: Platform, open_files: int) -> AsyncIterator[asyncio.Task[None]]:
    """Doors open after the work behind them has begun, and close before it ends."""
    _check_free("grpc", config.grpc)
    _check_free("http", config.http)
    in_all = config.connections_max or open_files * 3 // 8
    caps = Caps(in_all, config.connections_per_address, config.idle_seconds, config.proxies)
    counted = {name: Connections(name, caps, platform.clock) for name in ("grpc", "http")}
    grpc_server = GrpcServer(platform.calls, config.grpc, config.server, config.idle_seconds)
    pages = answers(platform) if config.does.has_pages else None
    http_server = HttpServer(application(platform, pages), config.http, counted["http"], GRACE_SECONDS)
    platform.keep("connections", SocketWatch(grpc_server.port, counted["grpc"], platform.clock).run)
    for gauge in gauges_of(counted):
        platform.calls.metrics.add_gauges(*gauge)
    work = asyncio.create_task(platform.run())
    try:
        await http_server.start()
        await grpc_server.start()
        yield work
    finally:
        platform.health.is_stopping = True
        await grpc_server.say_stopping()
        if not work.done():
            await platform.clock.sleep(config.drain_seconds)
        platform.hang_up()
        await asyncio.gather(grpc_server.stop(GRACE_SECONDS), http_server.stop())
        await platform.engines.jobs.drain(JOBS_GRACE_SECONDS)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def _allow_open_files() -> int:
    """Callers, streams and receivers of webhooks are a socket each: as many as the system lets us have. How many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_MAX if hard == resource.RLIM_INFINITY else min(OPEN_FILES_MAX, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(soft, wanted)


def _calm_garbage_collection() -> None:
    """What was loaded lives as long as the process: leave it out of every collection, and collect less often.

    Calls make few cycles; reference counting frees nearly all of what they use.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _check_free(field: str, address: Address) -> None:
    """Say clearly that an address cannot be had, before a server says it in its own way."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            reason = f"must be an address that is free to listen on: {error.strerror}"
            raise Refusal.of_field(field, reason, address) from None


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """One platform on one data folder: the store rests on being the only writer."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal.of_field(
                "data", "is in use by a running platform; stop it or name another folder", data
            ) from None
        yield
    finally:
        os.close(descriptor)
