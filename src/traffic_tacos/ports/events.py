"""Things that have become true, told to whoever subscribed, at least once, in the order of their commits."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from traffic_tacos.ports.store import Event

Subscriber: TypeAlias = Callable[[Event], Awaitable[None]]
