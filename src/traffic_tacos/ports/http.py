"""HTTP out."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

HttpPost: TypeAlias = Callable[[str, dict[str, str], bytes], Awaitable[int]]
"""One POST of a body with headers to an address: the status that came back. Raises Fault when none did."""
