"""HTTP out."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias


class HttpAnswer(NamedTuple):
    """`retry_after` is the header as it came; empty without one."""

    status: int
    retry_after: str = ""


HttpPost: TypeAlias = Callable[[str, dict[str, str], bytes], Awaitable[HttpAnswer]]
"""One POST of a body with headers to an address: what came back. Raises Fault when nothing did."""
