"""HTTP out."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias


class HttpAnswer(NamedTuple):
    """`retry_after` is the header as it came, `said` the beginning of the body; empty without one."""

    status: int
    retry_after: str = ""
    said: str = ""


HttpPost: TypeAlias = Callable[[str, dict[str, str], bytes, float], Awaitable[HttpAnswer]]
"""One POST of a body with headers to an address, within so many seconds: what came back. Raises Fault when
nothing did.
"""
