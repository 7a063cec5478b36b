"""Rooms that run in another process: the generated stubs' calls over gRPC, as a service with a token of its own.

The caller's deadline and trace go with each call. What is safe to repeat is sent again, a few times and within the
deadline, when the other process was not reached or went away; everything else fails at once.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, Protocol

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import Default
from grpc_health.v1 import health_pb2, health_pb2_grpc

from traffic_tacos import gen
from traffic_tacos.calls.policy import ROOM_OF, SCOPES
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import HOUR, Instant
from traffic_tacos.kernel.limits import MESSAGE_OPTIONS
from traffic_tacos.kernel.tokens import UserToken, sign_user
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, PartHealth
from traffic_tacos.ports.keys import Keyring

TOKEN_LIFETIME = HOUR
HEALTH_SECONDS = 0.25
OPTIONS = (
    *MESSAGE_OPTIONS,
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
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

    async def health(self) -> list[PartHealth]:
        """Each room elsewhere, as the process that it runs in answers for itself."""
        ...

    async def close(self) -> None: ...


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
    """A `Remote` over gRPC. `elsewhere` says where each room that is not here answers; empty where all are here."""

    def __init__(self, elsewhere: Mapping[str, Address], keyring: Keyring, clock: Clock) -> None:
        self._tokens = ServiceTokens(keyring, clock)
        self._clock = clock
        options = (*OPTIONS, ("grpc.service_config", _service_config())) if elsewhere else ()
        self._channels = {
            str(address): grpc.aio.insecure_channel(str(address), options=options)
            for address in dict.fromkeys(elsewhere.values())
        }
        self._addresses = {room: str(address) for room, address in elsewhere.items()}

    def unary_unary(self, caller: str, path: str, serializer: Any, deserializer: Any) -> Send | None:
        address = self._addresses.get(ROOM_OF.get(path.split("/")[1], ""))
        if address is None:
            return None
        method = self._channels[address].unary_unary(
            path, request_serializer=serializer, response_deserializer=deserializer
        )

        async def send(request: Any, *, timeout: float, metadata: tuple[tuple[str, str], ...]) -> Any:
            token = ("authorization", f"Bearer {self._tokens.of(caller)}")
            return await method(request, timeout=timeout, metadata=(*metadata, token))

        return send

    async def health(self) -> list[PartHealth]:
        by_address = {address: await self._health_of(address) for address in self._channels}
        return [
            PartHealth(room, *by_address[address][:2], address, issues=by_address[address][2])
            for room, address in self._addresses.items()
        ]

    async def _health_of(self, address: str) -> tuple[Health, int, tuple[str, ...]]:
        stub, asked_at = health_pb2_grpc.HealthStub(self._channels[address]), self._clock.now()
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=HEALTH_SECONDS)
        except grpc.aio.AioRpcError as error:
            return Health.DEGRADED, self._clock.now() - asked_at, (f"{error.code().name}: {error.details()}",)
        took = self._clock.now() - asked_at
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            return Health.DEGRADED, took, ("is stopping",)
        return Health.HEALTHY, took, ()

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()


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
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": RETRY_POLICY}]})
