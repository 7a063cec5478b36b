"""The platform's own secrets, made in the data folder on its first start. There is no default secret.

Files are readable by their owner only. Whoever has the signing key can speak as anybody.
"""

import base64
import hashlib
import os
import random
from collections.abc import Awaitable, Callable, Mapping
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
    ReservationToken,
    VerifyingKeys,
    key_id,
    sign_reservation,
    verify_reservation,
)
from traffic_tacos.ports.clock import Clock

FOLDER = "keys"
SIGNING = "signing.pem"
WAITING = "waiting.secret"
WEBHOOK = "webhook.secret"
RETIRED = "retired"  # public keys, as SECONDS-KEYID.pem: when it was retired, and which it was
SECRET_BYTES = 32
WATCHED_EVERY_SECONDS = 2.0
SIGNED_REMEMBERED_MAX = 50_000
_DIGEST_BYTES = 16

T = TypeVar("T")
log = structlog.get_logger()


class Keys(msgspec.Struct, frozen=True):
    """`signing` for tokens, `waiting` for waiting tokens, `webhook` for webhooks (`whsec_…`), newest first.

    `verifying` are the keys that tokens are verified with: that of `signing`, and those it took the place of.
    """

    signing: Ed25519PrivateKey
    waiting: bytes
    webhook: tuple[str, ...]
    verifying: Mapping[str, Ed25519PublicKey]


class _Signed(msgspec.Struct, frozen=True):
    """An admission as its token says it, and from when on that is good."""

    admission: ReservationToken
    good_from: Instant


class Keyring:
    """The keys in force. Those of a folder follow it: rotating them needs no restart.

    What this process has signed it knows again by a digest of the token, until the keys change: checking a signature
    costs more than all the rest of many a call. Nothing is accepted that the signature would not prove.
    """

    def __init__(self, keys: Keys, data: Path | None = None) -> None:
        self._keys = keys
        self._data = data
        self._seen = self._stamps()
        self._listeners: list[Callable[[], None]] = []
        self._signed: dict[bytes, _Signed] = {}

    def sign_admission(self, admission: ReservationToken, issued_at: Instant) -> str:
        token = sign_reservation(self.signing, admission, issued_at)
        if len(self._signed) >= SIGNED_REMEMBERED_MAX:
            del self._signed[next(iter(self._signed))]
        whole_seconds = admission.expires_at // SECOND * SECOND
        said = msgspec.structs.replace(admission, expires_at=whole_seconds)
        self._signed[_digest(token)] = _Signed(said, issued_at // SECOND * SECOND)
        return token

    def admission_of(self, token: str, event_id: str, now: Instant) -> ReservationToken:
        own = self._signed.get(_digest(token))
        if own is not None and own.admission.event_id == event_id and own.good_from <= now < own.admission.expires_at:
            return own.admission
        return verify_reservation(token, self.verifying, event_id, now)

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
            if (stamps := self._stamps()) == self._seen:
                return False
            found = read(self._data)
        except (OSError, ValueError, Refusal) as error:
            log.warning("keys_unreadable", folder=str(self._data / FOLDER), error=str(error))
            return False
        self.take(msgspec.structs.replace(found, waiting=self._keys.waiting))
        self._seen = stamps
        return True

    def take(self, keys: Keys) -> None:
        """These keys from now on."""
        self._keys = keys
        self._signed.clear()
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


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()


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
    retired = [_parsed(file, load_pem_public_key) for file in _retired(folder)]
    if not isinstance(signing, Ed25519PrivateKey):
        raise Refusal.of_field("data", f"must have an Ed25519 key in {FOLDER}/{SIGNING}", data)
    if not waiting or not webhook:
        raise Refusal.of_field("data", f"must have a secret in {FOLDER}/{WEBHOOK if waiting else WAITING}", data)
    believed = (signing.public_key(), *(key for key in retired if isinstance(key, Ed25519PublicKey)))
    return Keys(signing, waiting, webhook, {key_id(key): key for key in believed})


def made(randomness: random.Random) -> Keys:
    """Fresh keys."""
    signing = _signing_key(randomness)
    return Keys(
        signing=signing,
        waiting=randomness.randbytes(SECRET_BYTES),
        webhook=(_webhook_secret(randomness),),
        verifying={key_id(signing.public_key()): signing.public_key()},
    )


def key_set(keys: VerifyingKeys) -> dict[str, object]:
    """The public keys as others verify our tokens with them: a JSON Web Key Set (RFC 7517, 8037)."""
    more = {"use": "sig", "alg": ALGORITHM}
    return {"keys": [OKPAlgorithm.to_jwk(key, as_dict=True) | {"kid": name} | more for name, key in keys.items()]}


def rotate(data: Path, randomness: random.Random, now: Instant, *, revoke: bool = False) -> str:
    """A new key for tokens; its id. Those signed with the one before are good until they expire, unless it is
    revoked: then no token that was issued until now is good any more.

    The private key before is gone either way. Of retired ones those are kept that a token may still rest on.
    """
    old = read(data).signing.public_key()
    folder = data / FOLDER
    (folder / RETIRED).mkdir(mode=0o700, exist_ok=True)
    for file in _retired(folder):
        if revoke or _retired_at(file) + LIFETIME_SECONDS_MAX < now // SECOND:
            file.unlink()
    if not revoke:
        public = old.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        _write(folder / RETIRED / f"{now // SECOND}-{key_id(old)}.pem", public)
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
