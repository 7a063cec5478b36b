"""The view that engines give to decisions."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from traffic_tacos.ports.store import Key, Prefix, Reads

T = TypeVar("T")


class DeclaredView:
    """A view that answers only what was declared, so that a rule which works here works on every engine."""

    __slots__ = ("_declared", "_get", "_range")

    def __init__(
        self,
        reads: Reads,
        get: Callable[[Key[Any]], Any],
        range_: Callable[[Prefix[Any]], Mapping[str, Any]],
    ) -> None:
        self._declared = {read.path for read in reads}
        self._get = get
        self._range = range_

    def get(self, key: Key[T]) -> T | None:
        if key.path not in self._declared:
            raise _undeclared(key)
        value: T | None = self._get(key)
        return value

    def range(self, prefix: Prefix[T]) -> Mapping[str, T]:
        if prefix.path not in self._declared:
            raise _undeclared(prefix)
        return self._range(prefix)


def _undeclared(read: Key[Any] | Prefix[Any]) -> LookupError:
    return LookupError(f"the decision did not declare that it reads {read.path}")
