"""Callers of one process that want the same records queue up for them here, instead of fighting over the wire."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager


class _Queue:
    """First come, first served; `users` hold it or wait for it."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Contention:
    """A queue for each path that somebody of this process wants for himself just now."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def turn(self, paths: Sequence[str], where_others_queue: Iterable[str]) -> AsyncIterator["Turn"]:
        """The caller's turn at these paths, and at those of the others that have a queue already."""
        turn = Turn(self._queues)
        try:
            await turn.also([*paths, *(path for path in where_others_queue if path in self._queues)])
            yield turn
        finally:
            turn.leave()


class Turn:
    def __init__(self, queues: dict[str, _Queue]) -> None:
        self._queues = queues
        self._held: list[str] = []

    async def also(self, paths: Sequence[str]) -> bool:
        """Wait for these paths too; False when the caller has them already.

        All are given up before, and taken in the order of their names: nobody waits for who waits for him.
        """
        wanted = {*self._held, *paths}
        if len(wanted) == len(self._held):
            return False
        self.leave()
        for path in sorted(wanted):
            queue = self._queues.setdefault(path, _Queue())
            queue.users += 1
            try:
                await queue.lock.acquire()
            except BaseException:
                self._let_go(path, queue)
                raise
            self._held.append(path)
        return True

    def leave(self) -> None:
        for path in self._held:
            queue = self._queues[path]
            queue.lock.release()
            self._let_go(path, queue)
        self._held.clear()

    def _let_go(self, path: str, queue: _Queue) -> None:
        queue.users -= 1
        if not queue.users:
            del self._queues[path]
