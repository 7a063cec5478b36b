"""The platform's own keys as rooms know them: always those in force now."""

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from traffic_tacos.kernel.tokens import VerifyingKeys


class Keyring(Protocol):
    """`webhook` are the secrets for webhooks, newest first; `waiting` never changes, for places rest on it."""

    @property
    def signing(self) -> Ed25519PrivateKey: ...

    @property
    def verifying(self) -> VerifyingKeys: ...

    @property
    def waiting(self) -> bytes: ...

    @property
    def webhook(self) -> tuple[str, ...]: ...
