"""Addresses that somebody else names: which may be called, and which are trusted.

Webhooks go to public addresses, and to networks that the operator allows. Anything else (private, link-local,
multicast, the cloud's metadata service) would let whoever names an address make us speak to machines that only
we can reach. What registers an address and what calls it read it with the same parser and judge it by the same
table: parsers that differ are how such checks are got around.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

import msgspec

from traffic_tacos.kernel.errors import Refusal

URL_LENGTH_MAX = 2000
URLS_REMEMBERED = 100  # most payments name the same one
LOOPBACK = ("127.0.0.0/8", "::1/128")

Network: TypeAlias = IPv4Network | IPv6Network


class Address(msgspec.Struct, frozen=True):
    """Where a server listens. Loopback unless somebody asks for more."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parsed_address(field: str, text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise Refusal.of_field(field, "must be HOST:PORT, as in 127.0.0.1:50051", text)
    return Address(host.strip("[]"), int(port))


# The IANA special-purpose registries, of which no entry is where a webhook could go, however far it reaches; and
# multicast. Python's `is_global` knows other parts of them in every version.
_SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared by carriers (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.31.196.0/24",  # AS112 (RFC 7535)
        "192.52.193.0/24",  # AMT (RFC 7450)
        "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112 (RFC 7534)
        "198.18.0.0/15",  # benchmarking (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Of IPv6 only this is public (RFC 4291, 2.4): not ::1, fc00::/7, fe80::/10, fec0::/10, ff00::/8, 64:ff9b:1::/48, nor an
# IPv4 address behind zeros, compatible (::a.b.c.d) or translated (::ffff:0:a.b.c.d).
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID, AMT ...
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: judged by the IPv4 address in it
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?)"
    r"(?P<query>(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*)?)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # what makes readers of URLs take a host for an IPv4 address
_NAME_LENGTH_MAX = 253
_PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """Where a URL leads: `host` in lower case and without brackets, `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them (RFC 9110, 7.2): the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parsed_networks(field: str, texts: Iterable[str]) -> tuple[Network, ...]:
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError:
            raise Refusal.of_field(field, "must be a network, as in 10.1.0.0/16", text) from None
    return tuple(networks)


@lru_cache(maxsize=URLS_REMEMBERED)
def target_of(url: str) -> Target | None:
    """Where an http or https URL leads; None when it is none that every reader would read in the same way.

    So there is no user in it, no fragment, no port 0, nothing but ASCII (a name of another script is written `xn--…`),
    and a host is a name, an IPv6 address in brackets, or an IPv4 address of four decimal numbers.
    """
    found = _URL.fullmatch(url) if len(url) <= URL_LENGTH_MAX else None
    if found is None:
        return None
    scheme, host = found["scheme"].lower(), _host(found["host"].lower())
    port = int(found["port"] or _PORTS[scheme])
    if not host or not 0 < port <= 65535:
        return None
    return Target(scheme, host, port, (found["path"] or "/") + found["query"])


def _host(text: str) -> str:
    """A host that can be meant in one way only; empty when it is none."""
    if text.startswith("["):
        return text[1:-1] if ":" in text and is_address(text[1:-1]) else ""
    labels = text.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return text if is_address(text) else ""
    return text if len(text) <= _NAME_LENGTH_MAX and all(map(_LABEL.fullmatch, labels)) else ""


@lru_cache(maxsize=URLS_REMEMBERED)
def is_address(host: str) -> bool:
    """Whether a host is an address already, and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=URLS_REMEMBERED)
def is_allowed(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an IP address is public, or in one of the networks; an IPv4 address inside an IPv6 one counts as such."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or _translated(found) or found
    if any(found.version == network.version and found in network for network in networks):
        return True
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _SPECIAL_V4)
    return found in _GLOBAL_UNICAST and not any(found in network for network in _SPECIAL_V6)


def means_this_machine(host: str) -> bool:
    """Whether a name is one of those that never leave the machine (RFC 6761, 6.3)."""
    return host == "localhost" or host.endswith(".localhost")


@lru_cache(maxsize=URLS_REMEMBERED)
def checked_url(field: str, url: str, networks: tuple[Network, ...]) -> str:
    """The URL, when a webhook may be sent there as far as can be told without asking for its name's address."""
    target = target_of(url)
    if target is None:
        if "@" in _authority(url):
            raise Refusal.of_field(field, "must not have a user or password in it")
        raise Refusal.of_field(field, "must be an http or https address, as in https://shop.example/hooks", url)
    meant = ["127.0.0.1", "::1"] if means_this_machine(target.host) else [target.host]
    known = [host for host in meant if is_address(host)]  # what another name means is looked at when it is called
    if known and not any(is_allowed(address, networks) for address in known):
        raise Refusal.of_field(field, "must be a public address, or in a network that the operator allows", url)
    return url


def checked_issuer(field: str, url: str) -> str:
    """The address, when what it answers can be believed: https, or a server on this machine."""
    target = target_of(url)
    if target is None or (target.scheme != "https" and not _is_local(target.host)):
        raise Refusal.of_field(field, "must be an https address", url)
    return url


def checked_origin(field: str, url: str) -> str:
    """A web origin (RFC 6454): scheme and host, no path, and never `*`."""
    if target_of(url) is None or origin(url) != url:
        raise Refusal.of_field(field, "must be an origin, as in https://tickets.example", url)
    return url


def origin(url: str) -> str:
    """Whose server a URL is at: scheme, host and port, in the one way to write them. Of a URL that was stored when
    more was taken for one, all of it.
    """
    target = target_of(url)
    return url if target is None else f"{target.scheme}://{target.authority}"


def _authority(url: str) -> str:
    """What stands where a URL has its host, to tell what is wrong with one that cannot be read."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _is_local(host: str) -> bool:
    return means_this_machine(host) or (is_address(host) and ip_address(host).is_loopback)


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address behind a NAT64 one (RFC 6052)."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
