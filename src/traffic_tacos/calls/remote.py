"""Rooms that run in another process: the generated stubs' calls over gRPC, as a service with a token of its own.

The caller's deadline and trace go with each call. What is safe to repeat is sent again, a few times and within the
deadline, when the other process was not reached or went away; everything else fails at once.

A process with the gateway answers for all: a call to a room that is elsewhere is passed on, with its caller's own
token. Beside it goes one of ours, which says that the call is counted: limits hold once, where the caller is known.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from pkgutil import walk_packages
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc

from traffic_tacos import gen, wire
from traffic_tacos.calls.channels import FollowedChannel
from traffic_tacos.calls.policy import ROOM_OF, ROOM_OF_METHOD, SCOPES
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.instants import HOUR, Instant
from traffic_tacos.kernel.limits import MESSAGE_OPTIONS
from traffic_tacos.kernel.tokens import UserToken, sign_user
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, PartHealth
from traffic_tacos.ports.keys import Keyring
from traffic_tacos.upstream import UpstreamFault, metadata, seconds_left

TOKEN_LIFETIME = HOUR
HEALTH_SECONDS = 0.25
FOLLOWED_EVERY_SECONDS = 5.0  # so long nobody asks a process that was added
PASSED_ON_SECONDS_MAX = 10.0  # as long as any call may take
PASSES_ON = "gateway"  # under this name
OPTIONS = (
    *MESSAGE_OPTIONS,
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.default_authority", "traffic-tacos"),  # gRPC would make one of several addresses, which servers refuse
)
RETRY_POLICY = {
    "maxAttempts": 3,
    "initialBackoff": "0.02s",
    "maxBackoff": "0.2s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
READS = ("Get", "List", "CheckAvailability", "Validate", "HealthCheck")
# Each moves a reservation to where its facts say it belongs: asked again, there is nothing left to move.
CONVERGING = ("ExpireReservation", "SettleReservation", "HoldSeats", "SellSeats", "FreeSeats")

Send = Callable[..., Awaitable[Any]]


class Remote(Protocol):
    """Rooms of other processes."""

    def unary_unary(self, caller: str, path: str, serializer: Any, deserializer: Any) -> Send | None:
        """How the room `caller` calls the method; None when the room that answers it is not elsewhere."""
        ...

    def services(self) -> "list[PassedOn]":
        """The services of rooms elsewhere: what answers a call to them passes it on."""
        ...

    async def health(self) -> list[PartHealth]:
        """Each room elsewhere, as the process that it runs in answers for itself."""
        ...

    async def run(self) -> None:
        """Follow where the rooms are, until cancelled."""
        ...

    async def close(self) -> None: ...


class PassedOn(NamedTuple):
    """A service, and the object whose methods of the same names pass its calls on."""

    methods: object
    descriptor: ServiceDescriptor


class ServiceTokens:
    """A token for each room that calls, signed anew when half of its life is over or the keys have changed."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock
        self._issued: dict[str, tuple[str, Instant, object]] = {}

    def of(self, room: str) -> str:
        now, key = self._clock.now(), self._keyring.signing
        token, renew_at, signed_by = self._issued.get(room, ("", 0, None))
        if now >= renew_at or signed_by is not key:
            user = UserToken(Caller(Role.SERVICE, room), SCOPES[Role.SERVICE], now + TOKEN_LIFETIME)
            token = sign_user(key, user, now)
            self._issued[room] = (token, now + TOKEN_LIFETIME // 2, key)
        return token


class RemoteRooms:
    """A `Remote` over gRPC. `elsewhere` says where each room that is not here answers; empty where all are here. Of
    several addresses, or those of one name, all are used in turn, without those that do not answer.
    """

    def __init__(self, elsewhere: Mapping[str, Sequence[Address]], keyring: Keyring, clock: Clock) -> None:
        self._tokens = ServiceTokens(keyring, clock)
        self._clock = clock
        options = (*OPTIONS, ("grpc.service_config", _service_config())) if elsewhere else ()
        where = {room: tuple(addresses) for room, addresses in elsewhere.items()}
        self._channels = {addresses: FollowedChannel(addresses, options) for addresses in dict.fromkeys(where.values())}
        self._rooms = {room: self._channels[addresses] for room, addresses in where.items()}

    def unary_unary(self, caller: str, path: str, serializer: Any, deserializer: Any) -> Send | None:
        channel = self._rooms.get(_room_of(path))
        if channel is None:
            return None
        method = channel.bound(
            lambda now: now.unary_unary(path, request_serializer=serializer, response_deserializer=deserializer)
        )

        async def send(request: Any, *, timeout: float, metadata: tuple[tuple[str, str], ...]) -> Any:
            token = ("authorization", f"Bearer {self._tokens.of(caller)}")
            return await method()(request, timeout=timeout, metadata=(*metadata, token))

        return send

    def services(self) -> list[PassedOn]:
        found = []
        for name in ROOM_OF if self._rooms else ():
            service = Default().FindServiceByName(name)
            passing = {
                method.name: self._passing(path, method)
                for method in service.methods
                if _room_of(path := f"/{name}/{method.name}") in self._rooms
            }
            if passing:
                found.append(PassedOn(SimpleNamespace(passes_on=True, **passing), service))
        return found

    def _passing(self, path: str, method: MethodDescriptor) -> Callable[..., Any]:
        """What passes a call of the method on."""
        channel = self._rooms[_room_of(path)]
        kinds: dict[str, Any] = {
            "request_serializer": GetMessageClass(method.input_type).SerializeToString,
            "response_deserializer": GetMessageClass(method.output_type).FromString,
        }
        if method.server_streaming:
            watch: Any = channel.bound(lambda now: now.unary_stream(path, **kinds))

            async def streamed(request: Any, call: Call) -> AsyncGenerator[Any, None]:
                try:
                    async for message in watch()(request, metadata=self._beside(call)):
                        yield message
                except grpc.aio.AioRpcError as failure:
                    raise _refused(failure) from None

            return streamed
        ask: Any = channel.bound(lambda now: now.unary_unary(path, **kinds))

        async def answered(request: Any, call: Call) -> Any:
            seconds = seconds_left(call, self._clock.now(), PASSED_ON_SECONDS_MAX)
            try:
                return await ask()(request, timeout=seconds, metadata=self._beside(call))
            except grpc.aio.AioRpcError as failure:
                raise _refused(failure) from None

        return answered

    def _beside(self, call: Call) -> tuple[tuple[str, str], ...]:
        """What goes with a call that is passed on."""
        own = (wire.PASSED_ON_BY, self._tokens.of(PASSES_ON))
        theirs = (("authorization", call.token), (wire.WAITING_TOKEN_HEADER, call.waiting_token))
        return (*metadata(call), own, *(pair for pair in theirs if pair[1]))

    async def health(self) -> list[PartHealth]:
        found = {channel.target: await self._health_of(channel) for channel in self._channels.values()}
        return [
            PartHealth(room, *found[channel.target][:2], channel.target, issues=found[channel.target][2])
            for room, channel in self._rooms.items()
        ]

    async def _health_of(self, channel: FollowedChannel) -> tuple[Health, int, tuple[str, ...]]:
        stub, asked_at = health_pb2_grpc.HealthStub(channel.now), self._clock.now()
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=HEALTH_SECONDS)
        except grpc.aio.AioRpcError as error:
            return Health.DEGRADED, self._clock.now() - asked_at, (f"{error.code().name}: {error.details()}",)
        took = self._clock.now() - asked_at
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            return Health.DEGRADED, took, ("is stopping",)
        return Health.HEALTHY, took, ()

    async def run(self) -> None:
        while True:
            for channel in self._channels.values():
                await channel.follow()
            await self._clock.sleep(FOLLOWED_EVERY_SECONDS)

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()


def _room_of(path: str) -> str:
    """The room that answers a method, wherever it is; empty for what no room answers."""
    return ROOM_OF_METHOD.get(path[1:]) or ROOM_OF.get(path.split("/")[1], "")


def _refused(failure: grpc.aio.AioRpcError) -> Exception:
    """What a call that was passed on ended with: the refusal in its details, else that it could not be answered."""
    if failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TimeoutError()
    found = wire.refusal_in(failure.trailing_metadata() or ())
    return found or UpstreamFault(f"{failure.code().name}: {failure.details()}", failure.code())


def is_safe_to_repeat(method: MethodDescriptor) -> bool:
    """Whether asking twice has the effect of asking once: it reads, carries an idempotency key, or converges."""
    return (
        method.name.startswith(READS)
        or method.name in CONVERGING
        or "idempotency_key" in method.input_type.fields_by_name
    )


def load_services() -> None:
    """Load every service of the contract: a process knows those that it calls only once it has."""
    for module in walk_packages(gen.__path__, f"{gen.__name__}."):
        if module.name.endswith("_pb2"):
            import_module(module.name)


def _service_config() -> str:
    """gRPC's own retries (gRFC A6), for the methods that may be repeated."""
    load_services()
    names = [
        {"service": service, "method": method.name}
        for service in ROOM_OF
        for method in Default().FindServiceByName(service).methods
        if is_safe_to_repeat(method)
    ]
    balancing: list[dict[str, object]] = [{"round_robin": {}}]
    return json.dumps(
        {"loadBalancingConfig": balancing, "methodConfig": [{"name": names, "retryPolicy": RETRY_POLICY}]}
    )
