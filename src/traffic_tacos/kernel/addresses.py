"""Addresses that somebody else names: which may be called, and which are believed.

Webhooks go to public addresses, and to networks that the operator allows.

Anything else (private, link-local, multicast, the cloud's metadata service) would let whoever names an
address make us speak to machines that only we can reach.
"""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from traffic_tacos.kernel.errors import Refusal

URL_LENGTH_MAX = 2000
LOOPBACK = ("127.0.0.0/8", "::1/128")

Network: TypeAlias = IPv4Network | IPv6Network
_NAT64 = IPv6Network("64:ff9b::/96")


def parsed_networks(field: str, texts: Iterable[str]) -> tuple[Network, ...]:
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError:
            raise Refusal.of_field(field, "must be a network, as in 10.1.0.0/16", text) from None
    return tuple(networks)


def is_address(host: str) -> bool:
    """Whether a host is an address already, and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_allowed(address: str, networks: Sequence[Network]) -> bool:
    """Whether an IP address is public, or in one of the networks; an IPv4 address inside an IPv6 one counts as such."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or _translated(found) or found
    if any(found.version == network.version and found in network for network in networks):
        return True
    return found.is_global and not found.is_multicast


def checked_url(field: str, url: str, networks: Sequence[Network]) -> str:
    """The URL, when a webhook may be sent there as far as can be told without asking for its name's address."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or len(url) > URL_LENGTH_MAX or not url.isprintable() or " " in url:
        raise Refusal.of_field(field, "must be an http or https address", url)
    if parts.username is not None or parts.password is not None:
        raise Refusal.of_field(field, "must not have a user or password in it")
    host = parts.hostname or ""
    if is_address(host) and not is_allowed(host, networks):  # a name's address is looked at when it is called
        raise Refusal.of_field(field, "must be a public address, or in a network that the operator allows", url)
    return url


def checked_issuer(field: str, url: str) -> str:
    """The address, when what it answers can be believed: https, or a server on this machine."""
    parts = urlsplit(url)
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_local)):
        raise Refusal.of_field(field, "must be an https address", url)
    return url


def checked_origin(field: str, url: str) -> str:
    """A web origin (RFC 6454): scheme and host, no path, and never `*`."""
    if urlsplit(url).scheme not in ("http", "https") or origin(url) != url:
        raise Refusal.of_field(field, "must be an origin, as in https://tickets.example", url)
    return url


def origin(url: str) -> str:
    """Whose server a URL is at: scheme, host and port."""
    parts: SplitResult = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address behind a NAT64 one (RFC 6052)."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
