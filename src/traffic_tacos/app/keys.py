"""The platform's own secrets, made in the data folder on its first start. There is no default secret.

Files are readable by their owner only. Whoever has the signing key can speak as anybody.
"""

import base64
import os
import random
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.signatures import SECRET_PREFIX
from traffic_tacos.kernel.tokens import ALGORITHM, key_id

FOLDER = "keys"
SIGNING = "signing.pem"
WAITING = "waiting.secret"
WEBHOOK = "webhook.secret"
SECRET_BYTES = 32


class Keys(msgspec.Struct, frozen=True):
    """`signing` for tokens, `waiting` for waiting tokens, `webhook` for webhooks (`whsec_…`), newest first."""

    signing: Ed25519PrivateKey
    waiting: bytes
    webhook: tuple[str, ...]

    @property
    def public(self) -> Ed25519PublicKey:
        return self.signing.public_key()


def opened(data: Path, randomness: random.Random) -> Keys:
    """The keys of a data folder, made where they are missing."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = made(randomness)
    pem = fresh.signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, content in ((SIGNING, pem), (WAITING, fresh.waiting), (WEBHOOK, fresh.webhook[0].encode())):
        _write_new(folder / name, content)
    return read(data)


def read(data: Path) -> Keys:
    """The keys of a data folder; refused when there are none."""
    folder = data / FOLDER
    try:
        signing = load_pem_private_key((folder / SIGNING).read_bytes(), None)
        waiting = (folder / WAITING).read_bytes()
        webhook = tuple((folder / WEBHOOK).read_text().split())
    except FileNotFoundError:
        raise Refusal.of_field("data", "must be the data folder of a platform; `tacos up` makes one", data) from None
    if not isinstance(signing, Ed25519PrivateKey):
        raise Refusal.of_field("data", f"must have an Ed25519 key in {FOLDER}/{SIGNING}", data)
    return Keys(signing, waiting, webhook)


def made(randomness: random.Random) -> Keys:
    """Fresh keys."""
    return Keys(
        signing=Ed25519PrivateKey.from_private_bytes(randomness.randbytes(SECRET_BYTES)),
        waiting=randomness.randbytes(SECRET_BYTES),
        webhook=(_webhook_secret(randomness),),
    )


def key_set(public: Ed25519PublicKey) -> dict[str, object]:
    """The public key as others verify our tokens with it: a JSON Web Key Set (RFC 7517, 8037)."""
    key = OKPAlgorithm.to_jwk(public, as_dict=True)
    return {"keys": [{**key, "kid": key_id(public), "use": "sig", "alg": ALGORITHM}]}


def rotate_webhook(data: Path, randomness: random.Random) -> None:
    """A new secret for webhooks; the one before it still signs and is believed, the one before that no longer.

    In force from the platform's next start.
    """
    current = read(data).webhook[0]
    _write(data / FOLDER / WEBHOOK, f"{_webhook_secret(randomness)}\n{current}\n".encode())


def drop_old_webhook(data: Path) -> None:
    """Only the newest secret for webhooks, from the platform's next start."""
    _write(data / FOLDER / WEBHOOK, read(data).webhook[0].encode())


def _webhook_secret(randomness: random.Random) -> str:
    return SECRET_PREFIX + base64.b64encode(randomness.randbytes(SECRET_BYTES)).decode()


def _write_new(path: Path, content: bytes) -> None:
    """Write the file, unless there is one: that is kept."""
    if not path.exists():
        _write(path, content)


def _write(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, whole or not at all."""
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
