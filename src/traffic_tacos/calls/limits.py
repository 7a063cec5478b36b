"""How much one caller may ask for: a token bucket each, so that nobody's haste is paid for by the others.

A bucket is kept as one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T
I.371): taking a token moves that time on by one token's worth, and there is none left when it lies further ahead
than the bucket is deep. A full bucket is the same as none, so whoever has been quiet is forgotten.

Where callers may ask several processes, each counts by itself and waits for nobody; four times a second it adds what
those near their limit have taken to buckets that all share, and goes on with what is left of these. So a caller has
the limit once however many processes they ask, but for a quarter of a second at each.
"""

import hashlib
import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from heapq import nlargest
from operator import itemgetter

import structlog

from traffic_tacos.kernel.addresses import Network
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Fault, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.ports.buckets import SharedBuckets
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.settings import ADDRESS_LIMIT, FAN_LIMIT, SERVICE_LIMIT, TICKET_LIMIT, Settings

log = structlog.get_logger()

BURST_SECONDS = 2  # how many seconds' worth of calls may come at once
BUCKETS_MAX = 100_000  # of one kind, in each of two generations
ADDRESS_LENGTH_MAX = 64  # an IPv6 address with the name of an interface
ADDRESSES_REMEMBERED = 1000  # of connections, as they were read
NETWORK_BITS = 64  # of an IPv6 address: what is behind them belongs to one caller (RFC 6177)
FORWARDED_FOR = "x-forwarded-for"
UNKNOWN = "unknown"  # all whose address cannot be read, together
SHARED_EVERY: Instant = 250
SHARED_AGAIN_SECONDS = 5.0  # after nobody could say
NEAR = 0.1  # of the limit: who takes less cannot be over it with fewer than ten processes
SHARED_AT_ONCE_MAX = 1000
_SETTING = {Role.FAN: FAN_LIMIT, Role.DOOR: FAN_LIMIT, Role.SERVICE: SERVICE_LIMIT}


class Buckets:
    """The buckets of one kind of caller, by a name that the caller cannot choose: a token's or an address.

    Only those that were used in the last four seconds take up memory, and of these the latest 100,000 to 200,000:
    whoever has more addresses than that has as many calls as they have addresses, forgotten or not.
    """

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}
        self._full_at_before: dict[str, float] = {}
        self._turned_at: Instant = 0
        self.counts = False  # what is taken
        self._taken: dict[str, float] = {}  # since it was last asked for, in milliseconds until it flows back

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._full_at.keys() | self._full_at_before.keys())

    def take(self, name: str, per_second: int, now: Instant) -> float:
        """Take a token; 0 when there was one, else how many milliseconds until there is."""
        burst = BURST_SECONDS * SECOND
        if now >= self._turned_at + burst or len(self._full_at) >= BUCKETS_MAX:
            is_older = now >= self._turned_at + 2 * burst
            self._full_at_before = {} if is_older else self._full_at
            self._full_at, self._turned_at = {}, now
        full_at = self._full_at.get(name) or self._full_at_before.get(name, 0)
        cost = SECOND / per_second
        full_at = max(full_at, now) + cost
        if full_at > now + burst:
            return full_at - now - burst
        self._full_at[name] = full_at
        if self.counts:
            self._taken[name] = self._taken.get(name, 0) + cost
        return 0

    def taken(self, more_than: float) -> dict[str, float]:
        """Who has taken more than this since it was last asked, and how much, in milliseconds until it flows back."""
        taken, self._taken = self._taken, {}
        return {name: cost for name, cost in taken.items() if cost > more_than}

    def fill_later(self, name: str, full_at: float) -> None:
        """Others have taken from this bucket too: it is full again at this time, or later."""
        self._full_at[name] = max(full_at, self._full_at.get(name, 0))


class Limits:
    """`proxies` are the networks whose X-Forwarded-For is trusted. Loopback itself is not limited: it is a proxy,
    or whoever works on this machine.
    """

    def __init__(self, settings: Settings, proxies: tuple[Network, ...] = ()) -> None:
        self._settings = settings
        self._proxies = proxies
        self._callers = {role: Buckets() for role in _SETTING}
        self.tickets = Buckets()
        self._addresses = Buckets()
        self._kinds = {**{role.name: one for role, one in self._callers.items()}, "TICKET": self.tickets}
        self._kinds["ADDRESS"] = self._addresses

    async def share(self, shared: SharedBuckets, clock: Clock) -> None:
        """Count together with other processes, until cancelled."""
        for buckets in self._kinds.values():
            buckets.counts = True
        while True:
            await clock.sleep(SHARED_EVERY / SECOND)
            try:
                await self._share_once(shared, clock)
            except Fault as fault:
                log.warning("limits_not_shared", error=str(fault))
                await clock.sleep(SHARED_AGAIN_SECONDS)

    async def _share_once(self, shared: SharedBuckets, clock: Clock) -> None:
        near = [
            (cost, kind, name)
            for kind, buckets in self._kinds.items()
            for name, cost in buckets.taken(NEAR * SHARED_EVERY).items()
        ]
        dearest = nlargest(SHARED_AT_ONCE_MAX, near, key=itemgetter(0))
        shared_names = {_shared_name(kind, name): (kind, name, cost) for cost, kind, name in dearest}
        found = await shared.take({one: cost for one, (_, _, cost) in shared_names.items()})
        now = clock.now()
        for one, full_in in found.items():
            kind, name, _ = shared_names[one]
            self._kinds[kind].fill_later(name, now + full_in)

    def take(self, caller: Caller, peer: str, forwarded: Iterable[str], now: Instant) -> None:
        """Count a call; RATE_LIMITED, with a time, when the caller has had theirs. Administrators are not limited:
        they must be able to help.
        """
        setting = _SETTING.get(caller.role)
        if setting is not None:
            self._take(self._callers[caller.role], caller.name, setting, now)
        elif caller.role is Role.ANONYMOUS and (address := address_of(peer, forwarded, self._proxies)):
            self._take(self._addresses, address, ADDRESS_LIMIT, now)

    def take_ticket(self, token: str, now: Instant) -> None:
        """Count a call that is made with a waiting token, which must have been found to be one of ours."""
        self._take(self.tickets, token, TICKET_LIMIT, now)

    def _take(self, buckets: Buckets, name: str, setting: str, now: Instant) -> None:
        per_second = self._settings.number(setting)
        if per_second and (wait := buckets.take(name, per_second, now)):
            raise Refusal.rate_limited(wait / SECOND, f"more than {per_second} calls a second")


def _shared_name(kind: str, name: str) -> str:
    """A waiting token is a secret, and is kept nowhere else."""
    return f"{kind}:{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}"


def address_of(peer: str, forwarded: Iterable[str], proxies: tuple[Network, ...]) -> str:
    """Whose call it is: the peer's address, or the one that the nearest trusted proxy had it from. IPv6
    counts by its /64. Empty for whoever is on this machine, which is who calls over loopback and is no such proxy.

    `forwarded` are the values of X-Forwarded-For: each proxy adds the address it was called from at the end. What
    is no address there counts for the proxy that passed it on.
    """
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    address = _parsed(peer)
    if address is None or not hops:
        return _of_peer(peer)
    is_named = False
    while hops and any(address in network for network in proxies):
        named = _parsed(hops.pop())
        if named is None:
            break
        address, is_named = named, True
    return _counted(address) if is_named else _of_peer(peer)


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _of_peer(peer: str) -> str:
    """As `address_of`, of whoever calls for itself: it makes many calls over one connection."""
    address = _parsed(peer)
    if address is None:
        return UNKNOWN if peer and not peer.startswith("unix:") else ""
    return "" if address.is_loopback else _counted(address)


def _counted(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> NETWORK_BITS << NETWORK_BITS, NETWORK_BITS)))
    return str(address)


def is_proxy(peer: str, proxies: tuple[Network, ...]) -> bool:
    """Whether the peer is one of those that speak for others."""
    address = _parsed(peer)
    return address is not None and any(address in network for network in proxies)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in `1.2.3.4`, `1.2.3.4:567`, `[::1]:567`, `ipv4:1.2.3.4:567` or `ipv6:[::1]:567`, as servers and
    proxies write it.
    """
    kind, _, rest = text.partition(":")
    if kind in ("ipv4", "ipv6"):
        text = rest.replace("%5B", "[").replace("%5D", "]")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return _address(text) if len(text) <= ADDRESS_LENGTH_MAX else None


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
