"""All settings of a platform, read once into one frozen value."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from traffic_tacos.kernel import paths
from traffic_tacos.kernel.addresses import (
    LOOPBACK,
    Address,
    Network,
    checked_issuer,
    checked_origin,
    checked_url,
    parsed_address,
    parsed_networks,
    target_of,
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
STORE_FILE = "store.db"  # in the data folder
# Everything but the gateway keeps records, or acts on jobs and events that are committed with them. An embedded store
# serves one process, so on one these rooms stay together.
SHARING_A_STORE = frozenset(ROOMS) - {"gateway"}


class Config(msgspec.Struct, frozen=True):
    """`server` is `native` (pygrpc-native) or `grpcio`; `time_scale` divides simulated payment times only;
    `webhook_networks` may be reached by webhooks besides public addresses; `public_url` is what browsers know the
    HTTP door by, when that is not where it listens; `docs_url` is where they find the documentation, empty for
    nowhere. The users of `issuer` (an OpenID Connect issuer, whose tokens for us have `issuer_audience`) are fans
    here, and our own pages sign in there as `issuer_client_id`, asking for
    `issuer_scope`; X-Forwarded-For is believed of `trusted_proxies`; pages of `cors_origins` may call the HTTP door
    from a browser. `telemetry` is where an OpenTelemetry collector takes OTLP over HTTP. `elsewhere` says where
    rooms that run in another process answer gRPC, and `payment_webhook` where the webhook room of such a process
    takes the results of payments. `keys_of` is the data folder of the process that made the keys which all
    processes of one platform share; None when that is this one. `dynamodb` is what the names of the tables begin with
    that keep the records; empty for a file in the data folder. There may be `connections_max` of each transport
    (0: three eighths of the files that the process may open), and `connections_per_address` from one address; one
    is closed that for `idle_seconds` sends nothing whole.
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
    docs_url: str = ""
    issuer: str = ""
    issuer_audience: str = AUDIENCE
    issuer_client_id: str = ""
    issuer_scope: str = "openid"
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    telemetry: str = ""
    elsewhere: Mapping[str, Address] = {}
    payment_webhook: str = ""
    keys_of: Path | None = None
    dynamodb: str = ""
    connections_max: int = 0
    connections_per_address: int = 1000
    idle_seconds: float = 10.0

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
    def pay_url(self) -> str:
        """Where people pay, without the id of what they pay for; empty where nobody can."""
        return f"{self.door}{paths.PAY}" if "payment" in self.rooms else ""

    @property
    def webhook_url(self) -> str:
        """Where the results of payments are sent."""
        return self.payment_webhook or f"http://{self.http}{paths.PAYMENT_WEBHOOKS}"

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms of this process."""
        return tuple(room for room in ROOMS if room not in self.without and room not in self.elsewhere)


def parsed_elsewhere(texts: Iterable[str]) -> dict[str, Address]:
    """Where rooms are, from texts such as `inventory,payment=10.0.0.7:50051`."""
    found: dict[str, Address] = {}
    for text in texts:
        rooms, separator, address = text.partition("=")
        if not separator:
            raise Refusal.of_field("elsewhere", "must be ROOM[,ROOM…]=HOST:PORT", text)
        for room in rooms.split(","):
            if room in found:
                raise Refusal.of_field("elsewhere", "must name each room once", room)
            found[room] = parsed_address("elsewhere", address)
    return found


def checked(config: Config) -> Config:
    if unknown := sorted(config.without - set(ROOMS)):
        raise Refusal.of_field("without", f"must be one of {', '.join(ROOMS)}", unknown[0])
    _check_elsewhere(config)
    if not 0 < config.time_scale <= 1000:
        raise Refusal.of_field("time-scale", "must be above 0 and at most 1000", config.time_scale)
    if config.public_url:
        checked_url("public-url", config.public_url, config.networks)
    if config.docs_url and target_of(config.docs_url) is None:
        raise Refusal.of_field(
            "docs-url", "must be an http or https address, as in https://docs.example", config.docs_url
        )
    parsed_networks("webhook-network", config.webhook_networks)
    parsed_networks("trusted-proxy", config.trusted_proxies)
    if config.issuer:
        checked_issuer("issuer", config.issuer)
    elif config.issuer_client_id:
        raise Refusal.of_field("issuer-client-id", "must be given with issuer, and only with one")
    for origin in config.cors_origins:
        checked_origin("cors-origin", origin)
    if config.http.port and config.http == config.grpc:
        raise Refusal.of_field("http", "must be another address than that of gRPC", config.http)
    if config.connections_max < 0:
        raise Refusal.of_field("connections-max", "must not be negative", config.connections_max)
    if config.connections_per_address < 1:
        raise Refusal.of_field("connections-per-address", "must be at least 1", config.connections_per_address)
    if not 0.5 <= config.idle_seconds <= 3600:
        raise Refusal.of_field("idle-seconds", "must be 0.5 to 3600", config.idle_seconds)
    if config.server not in SERVERS:
        raise Refusal.of_field("server", f"must be one of {', '.join(SERVERS)}", config.server)
    return config


def _check_elsewhere(config: Config) -> None:
    if unknown := sorted(set(config.elsewhere) - set(ROOMS)):
        raise Refusal.of_field("elsewhere", f"must name rooms of {', '.join(ROOMS)}", unknown[0])
    if both := sorted(set(config.elsewhere) & config.without):
        raise Refusal.of_field("elsewhere", "must not name what `without` leaves out", both[0])
    here = SHARING_A_STORE & set(config.rooms)
    if not config.dynamodb and here and (apart := sorted(SHARING_A_STORE & set(config.elsewhere))):
        raise Refusal.of_field(
            "elsewhere",
            f"must name all of {', '.join(room for room in ROOMS if room in SHARING_A_STORE)}, or none of them: they "
            f"share one store, and an embedded store serves one process",
            ", ".join(apart),
        )
    if "gateway" in config.rooms and "webhook" in config.elsewhere:
        if not config.payment_webhook:
            reason = "is required where the webhook room is elsewhere, as in http://HOST:PORT/webhooks/payments"
            raise Refusal.of_field("payment-webhook", reason)
        checked_url("payment-webhook", config.payment_webhook, config.networks)
