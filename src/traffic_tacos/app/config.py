"""All settings of a platform, read once into one frozen value."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import msgspec

from traffic_tacos.app.roles import ALL, ROLES, ProcessRole
from traffic_tacos.kernel import paths
from traffic_tacos.kernel.addresses import (
    LOOPBACK,
    Address,
    Network,
    checked_issuer,
    checked_origin,
    checked_url,
    is_address,
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
REDIS_REPLICAS_MAX = 5  # ElastiCache has no more
SERVERS = ("native", "grpcio")
STORE_FILE = "store.db"  # in the data folder
# Everything but the gateway keeps records, or acts on jobs and events that are committed with them. An embedded store
# serves one process, so on one these rooms stay together.
SHARING_A_STORE = frozenset(ROOMS) - {"gateway"}
# Whose records change together with a reservation, so they are where it is.
IN_COMMITS_OF_RESERVATION = frozenset({"inventory", "payment"})


class Secret(str):
    """A text that is shown nowhere: neither a log nor an error has it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)" if self else "Secret()"


class About(NamedTuple):
    """How people give a field of `Config`; `name` where it is not the field's own. A `Secret` is given in the
    environment alone.
    """

    sentence: str
    metavar: str
    name: str = ""


class Config(msgspec.Struct, frozen=True):
    """Every setting of a platform, each with what people read of it. Where they come from: `app/given.py`.

    With `connections_max` 0 there may be as many connections as three eighths of the files that the process may open.
    """

    role: Annotated[
        str, About("What this process does of a platform: all, edge, sale, worker, relay or admin.", "ROLE")
    ] = ALL
    data: Annotated[Path, About("The platform's data folder.", "FOLDER")] = Path(".tacos")
    grpc: Annotated[Address, About("Where to answer gRPC.", "HOST:PORT")] = Address("127.0.0.1", 50051)
    http: Annotated[Address, About("Where to answer HTTP.", "HOST:PORT")] = Address("127.0.0.1", 8080)
    event_files: Annotated[
        tuple[Path, ...], About("An event file to put on sale; may be repeated.", "FILE", name="event")
    ] = ()
    time_scale: Annotated[float, About("How much faster than in reality the simulated bank answers.", "NUMBER")] = 1.0
    without: Annotated[frozenset[str], About("A service to leave out; may be repeated.", "SERVICE")] = frozenset()
    server: Annotated[str, About("The gRPC server: native or grpcio.", "NAME")] = "native"
    public_url: Annotated[
        str, About("The address at which browsers find us, as in https://tickets.example.", "URL")
    ] = ""
    docs_url: Annotated[
        str, About("Where browsers find the documentation, as in https://docs.example; pages link to it.", "URL")
    ] = ""
    telemetry: Annotated[
        str, About("Where an OpenTelemetry collector takes OTLP over HTTP, as in http://127.0.0.1:4318.", "URL")
    ] = ""
    issuer: Annotated[
        str, About("An OpenID Connect issuer whose users are fans here, as in https://login.example.", "URL")
    ] = ""
    issuer_audience: Annotated[str, About("The audience of the issuer's tokens for us.", "AUDIENCE")] = AUDIENCE
    issuer_client_id: Annotated[
        str, About("The client id of our pages at the issuer: a public client that uses PKCE.", "ID")
    ] = ""
    issuer_scope: Annotated[str, About("The scopes that our pages ask the issuer for.", "SCOPES")] = "openid"
    trusted_proxies: Annotated[
        tuple[str, ...],
        About("A network of proxies whose X-Forwarded-For is trusted; may be repeated.", "NETWORK", "trusted-proxy"),
    ] = ()
    elsewhere: Annotated[
        Mapping[str, tuple[Address, ...]],
        About(
            "Services that run in other processes, and where these answer gRPC; several addresses share the calls. May "
            "be repeated.",
            "SERVICE[,SERVICE…]=HOST:PORT[,HOST:PORT…]",
        ),
    ] = {}
    keys_of: Annotated[Path | None, About("The data folder whose keys to use; its own by default.", "FOLDER")] = None
    dynamodb: Annotated[
        str,
        About(
            "Keep records in the DynamoDB tables whose names begin with PREFIX, instead of in the data folder. Region, "
            "endpoint and credentials are those that AWS's own tools find.",
            "PREFIX",
        ),
    ] = ""
    redis: Annotated[
        Secret,
        About(
            "Keep the queues in Redis or Valkey, so that several processes can run the queue service; needs dynamodb. "
            "As in redis://:PASSWORD@HOST:6379/0, or rediss:// over TLS.",
            "URL",
        ),
    ] = Secret()
    redis_replicas: Annotated[
        int,
        About("How many replicas of Redis must have a change of a queue before it is answered.", "NUMBER"),
    ] = 1
    sqs: Annotated[
        str,
        About(
            "Send jobs through the SQS queues whose names begin with PREFIX: any process with the service does them. "
            "Needs dynamodb.",
            "PREFIX",
        ),
    ] = ""
    event_bus: Annotated[str, About("Publish what has happened on this EventBridge bus. Needs dynamodb.", "NAME")] = ""
    payment_webhook: Annotated[
        str, About("Where the bank sends results of payments, when the webhook service runs elsewhere.", "URL")
    ] = ""
    cors_origins: Annotated[
        tuple[str, ...],
        About(
            "An origin whose pages may call the HTTP address from a browser; may be repeated.", "ORIGIN", "cors-origin"
        ),
    ] = ()
    webhook_networks: Annotated[
        tuple[str, ...],
        About(
            "A network that webhooks may reach besides public addresses and loopback; may be repeated.",
            "NETWORK",
            "webhook-network",
        ),
    ] = ()
    connections_max: Annotated[
        int,
        About(
            "How many connections each of gRPC and HTTP takes; with 0, three eighths of the files that may be open.",
            "NUMBER",
        ),
    ] = 0
    connections_per_address: Annotated[
        int, About("How many of these from one address; loopback and trusted proxies may have more.", "NUMBER")
    ] = 1000
    idle_seconds: Annotated[
        float,
        About("Close a connection that sends no complete request for so long.", "SECONDS"),
    ] = 10.0
    drain_seconds: Annotated[
        float,
        About(
            "How long to go on answering after SIGTERM, while load balancers see that it is not ready; 5 for `tacos "
            "serve`.",
            "SECONDS",
        ),
    ] = 0.0

    @property
    def proxies(self) -> tuple[Network, ...]:
        return parsed_networks("trusted-proxy", self.trusted_proxies)

    @property
    def networks(self) -> tuple[Network, ...]:
        """Those that webhooks may reach besides public addresses."""
        return parsed_networks("webhook-network", (*LOOPBACK, *self.webhook_networks))

    @property
    def base_url(self) -> str:
        """The address of the HTTP server, as others know it."""
        return self.public_url.rstrip("/") or f"http://{self.http}"

    @property
    def pay_url(self) -> str:
        """Where people pay, without the id of what they pay for; empty where nobody can. A process without pages knows
        it by the `public_url`.
        """
        takes_payments = "payment" in self.rooms or "payment" in self.remote
        return f"{self.base_url}{paths.PAY}" if takes_payments and (self.does.has_pages or self.public_url) else ""

    @property
    def webhook_url(self) -> str:
        """Where the results of payments are sent."""
        return self.payment_webhook or f"http://{self.http}{paths.PAYMENT_WEBHOOKS}"

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms of this process. Those of its role are here, also where others look for them elsewhere: so one list
        of what is where does for all processes.
        """
        left_out = self.without if self.does.rooms is not None else self.without | set(self.elsewhere)
        return tuple(room for room in ROOMS if room in (self.does.rooms or ROOMS) and room not in left_out)

    @property
    def does_jobs(self) -> bool:
        """Whether the jobs of its rooms are done here."""
        return self.does.does_jobs or not self.sqs

    @property
    def store_at(self) -> str:
        """What keeps the records, as people know it."""
        return f"DynamoDB, tables {self.dynamodb}*" if self.dynamodb else "embedded"

    @property
    def has_folder(self) -> bool:
        """Whether anything is kept in the data folder: the records, or keys that nobody else has made."""
        return not self.dynamodb or self.keys_of is None

    @property
    def remote(self) -> Mapping[str, tuple[Address, ...]]:
        """The rooms that this process finds elsewhere."""
        return {room: addresses for room, addresses in self.elsewhere.items() if room not in self.rooms}

    @property
    def does(self) -> ProcessRole:
        return ROLES[self.role]


def parsed_elsewhere(texts: Iterable[str]) -> dict[str, tuple[Address, ...]]:
    """Where rooms are, from texts such as `inventory,payment=10.0.0.7:50051,10.0.0.8:50051`."""
    found: dict[str, tuple[Address, ...]] = {}
    for text in texts:
        rooms, separator, addresses = text.partition("=")
        if not separator:
            raise Refusal.of_field("elsewhere", "must be SERVICE[,SERVICE…]=HOST:PORT[,HOST:PORT…]", text)
        parsed = tuple(parsed_address("elsewhere", address) for address in addresses.split(","))
        if len(parsed) > 1 and not all(is_address(address.host) for address in parsed):
            raise Refusal.of_field("elsewhere", "must be one name, or several IP addresses of one version", addresses)
        for room in rooms.split(","):
            if room in found:
                raise Refusal.of_field("elsewhere", "must name each service once", room)
            found[room] = parsed
    return found


# What a number may be, and how that is said.
BOUNDS: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "time_scale": (lambda value: 0 < value <= 1000, "must be above 0 and at most 1000"),
    "redis_replicas": (lambda value: 0 <= value <= REDIS_REPLICAS_MAX, f"must be 0 to {REDIS_REPLICAS_MAX}"),
    "connections_max": (lambda value: value >= 0, "must not be negative"),
    "connections_per_address": (lambda value: value >= 1, "must be at least 1"),
    "idle_seconds": (lambda value: 0.5 <= value <= 3600, "must be 0.5 to 3600"),
    "drain_seconds": (lambda value: 0 <= value <= 20, "must be 0 to 20"),
}
CHOICES: Mapping[str, Collection[str]] = {"role": ROLES, "server": SERVERS}
NEED_DYNAMODB = ("sqs", "event_bus")


def checked(config: Config) -> Config:
    for field, (is_good, wanted) in BOUNDS.items():
        if not is_good(value := getattr(config, field)):
            raise _refused(field, wanted, value)
    for field, choices in CHOICES.items():
        if (value := getattr(config, field)) not in choices:
            raise _refused(field, f"must be one of {', '.join(choices)}", value)
    for field in NEED_DYNAMODB:
        if (value := getattr(config, field)) and not config.dynamodb:
            raise _refused(field, "needs dynamodb: an embedded store serves one process", value)
    if config.role != ALL and not config.dynamodb:
        raise _refused("role", f"must be {ALL}, or needs dynamodb: an embedded store serves one process", config.role)
    if unknown := sorted(config.without - set(ROOMS)):
        raise _refused("without", f"must be one of {', '.join(ROOMS)}", unknown[0])
    _check_elsewhere(config)
    _check_redis(config)
    _check_addresses(config)
    return config


def _check_addresses(config: Config) -> None:
    if config.public_url:
        checked_url("public-url", config.public_url, config.networks)
    if config.docs_url and target_of(config.docs_url) is None:
        raise _refused("docs_url", "must be an http or https address, as in https://docs.example", config.docs_url)
    parsed_networks("webhook-network", config.webhook_networks)
    parsed_networks("trusted-proxy", config.trusted_proxies)
    if config.issuer:
        checked_issuer("issuer", config.issuer)
    elif config.issuer_client_id:
        raise _refused("issuer_client_id", "must be given with issuer, and only with one", "")
    for origin in config.cors_origins:
        checked_origin("cors-origin", origin)
    if config.http.port and config.http == config.grpc:
        raise _refused("http", "must be another address than that of gRPC", config.http)


def _refused(field: str, reason: str, value: object) -> Refusal:
    return Refusal.of_field(field.replace("_", "-"), reason, value)


def _check_redis(config: Config) -> None:
    if not config.redis:
        return
    try:
        parsed = urlsplit(config.redis)
        is_url = parsed.scheme in ("redis", "rediss") and bool(parsed.hostname) and parsed.port != 0
    except ValueError:
        is_url = False
    if not is_url:  # what was given may have a password in it
        raise Refusal.of_field("redis", "must be an address as in redis://:PASSWORD@HOST:6379/0")
    if not config.dynamodb:
        raise Refusal.of_field("redis", "needs --dynamodb: it is for several processes that share a store")


def _check_elsewhere(config: Config) -> None:
    if unknown := sorted(set(config.elsewhere) - set(ROOMS)):
        raise Refusal.of_field("elsewhere", f"must name services of {', '.join(ROOMS)}", unknown[0])
    if config.role == ALL and (both := sorted(set(config.elsewhere) & config.without)):
        raise Refusal.of_field("elsewhere", "must not name what `without` leaves out", both[0])
    here = SHARING_A_STORE & set(config.rooms)
    if not config.dynamodb and here and (apart := sorted(SHARING_A_STORE & set(config.elsewhere))):
        raise Refusal.of_field(
            "elsewhere",
            f"must name all of {', '.join(room for room in ROOMS if room in SHARING_A_STORE)}, or none of them: they "
            f"share one store, and an embedded store serves one process",
            ", ".join(apart),
        )
    missing = sorted(IN_COMMITS_OF_RESERVATION - here)
    if "reservation" in here and missing:
        field = "elsewhere" if missing[0] in config.remote else "without"
        reason = (
            f"must not name {missing[0]} without reservation: seats and payments change in the same commit as the "
            f"reservation that they belong to"
        )
        raise Refusal.of_field(field, reason, missing[0])
    if "gateway" in config.rooms and "webhook" in config.remote:
        if not config.payment_webhook:
            reason = "is required where the webhook service is elsewhere, as in http://HOST:PORT/webhooks/payments"
            raise Refusal.of_field("payment-webhook", reason)
        checked_url("payment-webhook", config.payment_webhook, config.networks)
