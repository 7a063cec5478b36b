"""Messages to users and sessions, for whoever has a stream open to them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from traffic_tacos.kernel.instants import Instant


class Text(msgspec.Struct, frozen=True):
    """A message as its reader sees it."""

    id: str
    text: str
    sent_at: Instant


class Inbox(Protocol):
    """What one open stream is to deliver."""

    def take(self) -> list[Text]:
        """All that has come since, each once."""
        ...

    async def delivered(self, text: Text) -> None:
        """Its reader has it."""
        ...

    def close(self) -> None: ...


class Messages(Protocol):
    async def open(self, session_id: str, names: Sequence[str], user_id: str, wake: Callable[[], None]) -> Inbox:
        """The inbox of a session, where it belongs to who has these names (`ports.sessions`), and of the user where one
        is known: with what waits already. `wake` is called when more has come.
        """
        ...


class _NothingToRead:
    def take(self) -> list[Text]:
        return []

    async def delivered(self, text: Text) -> None:
        pass

    def close(self) -> None:
        pass


class _NoMessages:
    async def open(self, session_id: str, names: Sequence[str], user_id: str, wake: Callable[[], None]) -> Inbox:  # noqa: ARG002  # a Messages
        return _NothingToRead()


NO_MESSAGES: Messages = _NoMessages()  # where nobody sends any
