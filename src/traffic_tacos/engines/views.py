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
        self._check(key.path)
        value: T | None = self._get(key)
        return value

    def range(self, prefix: Prefix[T]) -> Mapping[str, T]:
        self._check(prefix.path)
        return self._range(prefix)

    def _check(self, path: str) -> None:
        if path not in self._declared:
            raise LookupError(f"the decision did not declare that it reads {path}")
