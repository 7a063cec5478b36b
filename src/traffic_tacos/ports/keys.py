"""The platform's own keys as rooms know them: always those in force now."""

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from traffic_tacos.kernel.instants import Instant
from traffic_tacos.kernel.tokens import ReservationToken, VerifyingKeys


class Keyring(Protocol):
    """`webhook` are the secrets for webhooks, newest first; `waiting` never changes, for places rest on it."""

    @property
    def signing(self) -> Ed25519PrivateKey: ...

    @property
    def verifying(self) -> VerifyingKeys: ...

    def seal_admission(self, admission: ReservationToken, issued_at: Instant) -> str:
        """The reservation token of an admission; see `tokens.seal_reservation`."""
        ...

    def admission_of(self, token: str, event_id: str, now: Instant) -> ReservationToken:
        """The admission behind a reservation token, for this event, now; see `tokens.open_reservation`."""
        ...

    @property
    def waiting(self) -> bytes: ...

    @property
    def webhook(self) -> tuple[str, ...]: ...
