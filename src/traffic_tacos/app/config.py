"""All settings of a platform, read once into one frozen value."""

from pathlib import Path

import msgspec

from traffic_tacos.kernel.addresses import (
    LOOPBACK,
    Network,
    checked_issuer,
    checked_origin,
    checked_url,
    parsed_networks,
)
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.tokens import AUDIENCE

ROOMS = (
    "catalog",
    "waiting_room",
    "inventory",
    "reservation",
    "payment",
    "webhook",
    "realtime",
    "gateway",
    "worker",
    "admin",
)
SERVERS = ("native", "grpcio")


class Address(msgspec.Struct, frozen=True):
    """Where a server listens. Loopback unless somebody asks for more."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Config(msgspec.Struct, frozen=True):
    """`server` is `native` (pygrpc-native) or `grpcio`; `time_scale` divides simulated payment times only;
    `webhook_networks` may be reached by webhooks besides public addresses; `public_url` is what browsers know
    the HTTP door by, when that is not where it listens. The users of `issuer` (an OpenID Connect issuer, whose tokens
    for us have `issuer_audience`) are fans here; X-Forwarded-For is believed of `trusted_proxies`; pages of
    `cors_origins` may call the HTTP door from a browser. `telemetry` is where an OpenTelemetry collector takes OTLP
    over HTTP.
    """

    data: Path = Path(".tacos")
    grpc: Address = Address("127.0.0.1", 50051)
    http: Address = Address("127.0.0.1", 8080)
    event_files: tuple[Path, ...] = ()
    time_scale: float = 1.0
    without: frozenset[str] = frozenset()
    server: str = "native"
    webhook_networks: tuple[str, ...] = LOOPBACK
    public_url: str = ""
    issuer: str = ""
    issuer_audience: str = AUDIENCE
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    telemetry: str = ""

    @property
    def proxies(self) -> tuple[Network, ...]:
        return parsed_networks("trusted-proxy", self.trusted_proxies)

    @property
    def networks(self) -> tuple[Network, ...]:
        return parsed_networks("webhook-network", self.webhook_networks)

    @property
    def door(self) -> str:
        """The address of the HTTP door, as others know it."""
        return self.public_url.rstrip("/") or f"http://{self.http}"

    @property
    def rooms(self) -> tuple[str, ...]:
        return tuple(room for room in ROOMS if room not in self.without)


def parsed_address(field: str, text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise Refusal.of_field(field, "must be HOST:PORT, as in 127.0.0.1:50051", text)
    return Address(host.strip("[]"), int(port))


def checked(config: Config) -> Config:
    if unknown := sorted(config.without - set(ROOMS)):
        raise Refusal.of_field("without", f"must be one of {', '.join(ROOMS)}", unknown[0])
    if not 0 < config.time_scale <= 1000:
        raise Refusal.of_field("time-scale", "must be above 0 and at most 1000", config.time_scale)
    if config.public_url:
        checked_url("public-url", config.public_url, config.networks)
    parsed_networks("webhook-network", config.webhook_networks)
    parsed_networks("trusted-proxy", config.trusted_proxies)
    if config.issuer:
        checked_issuer("issuer", config.issuer)
    for origin in config.cors_origins:
        checked_origin("cors-origin", origin)
    if config.server not in SERVERS:
        raise Refusal.of_field("server", f"must be one of {', '.join(SERVERS)}", config.server)
    return config
