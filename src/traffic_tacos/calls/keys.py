"""The platform's own secrets, made in the data folder on its first start. There is no default secret.

Files are readable by their owner only. Whoever has the signing key can speak as anybody.
"""

import base64
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import OKPAlgorithm

from traffic_tacos.kernel.errors import Fault, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.signatures import SECRET_PREFIX
from traffic_tacos.kernel.tokens import (
    ALGORITHM,
    LIFETIME_SECONDS_MAX,
    SEALING_SECRET_BYTES,
    ReservationToken,
    SealingSecrets,
    UnknownKey,
    VerifyingKeys,
    key_id,
    open_reservation,
    seal_reservation,
    sealing_secret,
    verify_reservation,
)
from traffic_tacos.ports.clock import Clock

FOLDER = "keys"
SIGNING = "signing.pem"
WAITING = "waiting.secret"
WEBHOOK = "webhook.secret"
# As SECONDS-KEYID.pem (when it was retired, and which it was): the public key, and after it its sealing secret.
RETIRED = "retired"
SECRET_BYTES = 32
WATCHED_EVERY_SECONDS = 2.0
_SEALING = ("-----BEGIN TACOS SEALING SECRET-----", "-----END TACOS SEALING SECRET-----")
_PUBLIC_END = "-----END PUBLIC KEY-----"

T = TypeVar("T")
log = structlog.get_logger()


class Keys(msgspec.Struct, frozen=True):
    """`signing` for tokens, `waiting` for waiting tokens, `webhook` for webhooks (`whsec_…`), newest first.

    `verifying` are the keys that tokens are verified with: that of `signing`, and those it took the place of. `sealing`
    are the secrets that go with them; keys that an older version retired have none.
    """

    signing: Ed25519PrivateKey
    waiting: bytes
    webhook: tuple[str, ...]
    verifying: VerifyingKeys
    sealing: SealingSecrets


class Keyring:
    """The keys in force. Those of a folder follow it: rotating them needs no restart."""

    def __init__(self, keys: Keys, data: Path | None = None) -> None:
        self._keys = keys
        self._data = data
        self._seen = self._stamps()
        self._problem = ""  # with the folder; logged once, for whoever sends wrong tokens makes us look as often
        self._listeners: list[Callable[[], None]] = []

    def seal_admission(self, admission: ReservationToken, issued_at: Instant) -> str:
        return seal_reservation(admission, issued_at, self._keys.sealing)

    def admission_of(self, token: str, event_id: str, now: Instant) -> ReservationToken:
        if "." in token:
            return verify_reservation(token, self._keys.verifying, event_id, now)
        try:
            return open_reservation(token, self._keys.sealing, event_id, now)
        except UnknownKey:
            if not self.refresh():
                raise
        return open_reservation(token, self._keys.sealing, event_id, now)

    @property
    def signing(self) -> Ed25519PrivateKey:
        return self._keys.signing

    @property
    def verifying(self) -> VerifyingKeys:
        return self._keys.verifying

    @property
    def waiting(self) -> bytes:
        return self._keys.waiting

    @property
    def webhook(self) -> tuple[str, ...]:
        return self._keys.webhook

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def refresh(self) -> bool:
        """Take up what the folder has now; False when nothing has changed there, or it cannot be read."""
        if self._data is None:
            return False
        try:
            stamps = self._stamps()
            found = None if stamps == self._seen else read(self._data)
        except (OSError, ValueError, Refusal) as error:
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning("keys_unreadable", folder=str(self._data / FOLDER), error=self._problem)
            return False
        self._problem = ""
        if found is None:
            return False
        self.take(msgspec.structs.replace(found, waiting=self._keys.waiting))
        self._seen = stamps
        return True

    def take(self, keys: Keys) -> None:
        """These keys from now on."""
        self._keys = keys
        for listener in self._listeners:
            listener()

    @property
    def is_followed(self) -> bool:
        """Whether there is a folder to follow."""
        return self._data is not None

    @property
    def folder(self) -> Path | None:
        return None if self._data is None else self._data / FOLDER

    @property
    def signing_id(self) -> str:
        return key_id(self._keys.signing.public_key())

    async def run(self, clock: Clock, changed: Callable[[], Awaitable[None]]) -> None:
        """Follow the folder, until cancelled; `changed` is called after every change, whoever noticed it first."""
        audited = self._keys
        while True:
            await clock.sleep(WATCHED_EVERY_SECONDS)
            self.refresh()
            if self._keys is not audited:
                try:
                    await changed()
                except Fault as fault:  # and once more the next time
                    log.warning("key_rotation_not_audited", error=str(fault))
                else:
                    audited = self._keys

    def _stamps(self) -> tuple[tuple[str, int], ...]:
        if self._data is None:
            return ()
        folder = self._data / FOLDER
        files = [folder / SIGNING, folder / WEBHOOK, *sorted((folder / RETIRED).glob("*.pem"))]
        return tuple((file.name, file.stat().st_mtime_ns) for file in files)


def opened(data: Path, randomness: random.Random) -> Keys:
    """The keys of a data folder, made where they are missing."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = made(randomness)
    for name, content in (
        (SIGNING, _private_pem(fresh.signing)),
        (WAITING, fresh.waiting),
        (WEBHOOK, fresh.webhook[0].encode()),
    ):
        _write_new(folder / name, content)
    return read(data)


def read(data: Path) -> Keys:
    """The keys of a data folder; refused when there are none."""
    folder = data / FOLDER
    signing = _parsed(folder / SIGNING, lambda content: load_pem_private_key(content, None))
    waiting = _parsed(folder / WAITING, bytes)
    webhook = _parsed(folder / WEBHOOK, lambda content: tuple(content.decode().split()))
    retired = [_parsed(file, _retired_key) for file in _retired(folder)]
    if not isinstance(signing, Ed25519PrivateKey):
        raise Refusal.of_field("data", f"must have an Ed25519 key in {FOLDER}/{SIGNING}", data)
    if not waiting or not webhook:
        raise Refusal.of_field("data", f"must have a secret in {FOLDER}/{WEBHOOK if waiting else WAITING}", data)
    return _believing(signing, waiting, webhook, retired)


def made(randomness: random.Random) -> Keys:
    """Fresh keys."""
    signing = _signing_key(randomness)
    return _believing(signing, randomness.randbytes(SECRET_BYTES), (_webhook_secret(randomness),), ())


def _believing(
    signing: Ed25519PrivateKey,
    waiting: bytes,
    webhook: tuple[str, ...],
    retired: Sequence[tuple[Ed25519PublicKey, bytes]],
) -> Keys:
    """These keys, and those before it that are still believed, each with its sealing secret."""
    believed = ((signing.public_key(), sealing_secret(signing)), *retired)
    named = [(key_id(key), key, secret) for key, secret in believed]
    verifying = {name: key for name, key, _ in named}
    return Keys(signing, waiting, webhook, verifying, {name: secret for name, _, secret in named if secret})


def key_set(keys: VerifyingKeys) -> dict[str, object]:
    """The public keys as others verify our tokens with them: a JSON Web Key Set (RFC 7517, 8037)."""
    more = {"use": "sig", "alg": ALGORITHM}
    return {"keys": [OKPAlgorithm.to_jwk(key, as_dict=True) | {"kid": name} | more for name, key in keys.items()]}


def rotate(data: Path, randomness: random.Random, now: Instant, *, revoke: bool = False) -> str:
    """A new key for tokens; its id. Those made with the one before are good until they expire, unless it is
    revoked: then they are refused, and so are those of all keys before it. Waiting tokens and recovery codes rest on
    another secret.

    The private key before is gone either way. Of retired ones those are kept that a token may still rest on.
    """
    before = read(data).signing
    old = before.public_key()
    folder = data / FOLDER
    (folder / RETIRED).mkdir(mode=0o700, exist_ok=True)
    for file in _retired(folder):
        if revoke or _retired_at(file) + LIFETIME_SECONDS_MAX < now // SECOND:
            file.unlink()
    if not revoke:
        _write(folder / RETIRED / f"{now // SECOND}-{key_id(old)}.pem", _retired_pem(before))
    signing = _signing_key(randomness)
    _write(folder / SIGNING, _private_pem(signing))
    return key_id(signing.public_key())


def rotate_webhook(data: Path, randomness: random.Random) -> None:
    """A new secret for webhooks; the one before it still signs and is accepted, the one before that no longer."""
    current = read(data).webhook[0]
    _write(data / FOLDER / WEBHOOK, f"{_webhook_secret(randomness)}\n{current}\n".encode())


def drop_old_webhook(data: Path) -> None:
    """Only the newest secret for webhooks."""
    _write(data / FOLDER / WEBHOOK, read(data).webhook[0].encode())


def _signing_key(randomness: random.Random) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(randomness.randbytes(SECRET_BYTES))


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _retired_pem(key: Ed25519PrivateKey) -> bytes:
    """What is kept of a key that signs no more: enough to check what rests on it, and to make nothing."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    begin, end = _SEALING
    return public + f"{begin}\n{base64.b64encode(sealing_secret(key)).decode()}\n{end}\n".encode()


def _retired_key(content: bytes) -> tuple[Ed25519PublicKey, bytes]:
    """A retired key and its sealing secret, which is empty where an older version has retired it."""
    key = load_pem_public_key(content)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")
    after = content.decode().partition(_PUBLIC_END)[2].split("\n")
    match [line.strip() for line in after if line.strip()]:
        case []:
            return key, b""
        case [begin, text, end] if (begin, end) == _SEALING:
            secret = base64.b64decode(text, validate=True)
            if len(secret) == SEALING_SECRET_BYTES:
                return key, secret
    raise ValueError("its sealing secret is not whole")


def _retired(folder: Path) -> list[Path]:
    """The files of retired keys, the one that was retired last first."""
    return sorted((folder / RETIRED).glob("*-*.pem"), reverse=True)


def _retired_at(file: Path) -> int:
    """When it was retired, in seconds, as its name says."""
    seconds = file.name.partition("-")[0]
    return int(seconds) if seconds.isascii() and seconds.isdigit() else 0


def _webhook_secret(randomness: random.Random) -> str:
    return SECRET_PREFIX + base64.b64encode(randomness.randbytes(SECRET_BYTES)).decode()


def _parsed(file: Path, parse: Callable[[bytes], T]) -> T:
    """What a file of the folder has; refused, with its name, when it is missing, unreadable, or has something else."""
    try:
        return parse(file.read_bytes())
    except FileNotFoundError:
        folder = file.parent.parent
        why = "must be the data folder of a platform; `tacos up` makes one"
        raise Refusal.of_field("data", why, folder) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not what the platform has written there"
        raise Refusal.of_field("data", f"must have keys that can be read: {file}: {reason}") from None


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
