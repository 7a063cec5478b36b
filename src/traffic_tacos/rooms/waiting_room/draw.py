"""The draw: everybody who came before the sale opened gets a random place, all at once.

A keyed permutation of 1..size: a Feistel network (Luby and Rackoff 1988) whose round functions are
HMAC-SHA256 (RFC 2104), with cycle walking (Black and Rogaway 2002) where the size is no power of two.
Any place is computed on its own, in either direction; nothing is sorted and nothing is stored. The
halves are small, so each round function is a table, made once. docs/draw.md says how to recompute a
place with any other program, and what that proves.
"""

import hashlib
import hmac

import msgspec

SEED_BYTES = 32
ROUNDS = 10  # as many as NIST SP 800-38G asks of a Feistel cipher over a small domain
BITS_MIN = 10  # a smaller domain has too few permutations in reach; walking out of it costs little
TABULATED_MAX = 1 << BITS_MIN

EMPTY_POOL = bytes(32)


class Draw:
    """Number (by joining, from 1) to rank (by the draw, from 1), and back. Above `size` both are the same."""

    def __init__(self, key: bytes, size: int) -> None:
        self.size = size
        bits = max(BITS_MIN, (size - 1).bit_length()) if size else BITS_MIN
        self._right_bits = bits // 2
        self._left_bits = bits - self._right_bits
        self._right_mask = (1 << self._right_bits) - 1
        self._rounds = [self._round(key, index) for index in range(ROUNDS)] if size else []
        self._ranks: list[int] = []
        self._numbers: list[int] = []
        if size <= TABULATED_MAX:  # walks are long in a small part of the domain: make them once
            self._ranks = [self._forward(number) for number in range(size)]
            self._numbers = [0] * size
            for number, rank in enumerate(self._ranks):
                self._numbers[rank] = number

    def rank(self, number: int) -> int:
        if number > self.size:
            return number
        return 1 + (self._ranks[number - 1] if self._ranks else self._forward(number - 1))

    def number(self, rank: int) -> int:
        if rank > self.size:
            return rank
        return 1 + (self._numbers[rank - 1] if self._numbers else self._backward(rank - 1))

    def _forward(self, value: int) -> int:
        rounds, bits, mask = self._rounds, self._right_bits, self._right_mask
        while True:
            left, right = value >> bits, value & mask
            for index in range(0, ROUNDS, 2):
                left ^= rounds[index][right]
                right ^= rounds[index + 1][left]
            value = left << bits | right
            if value < self.size:
                return value

    def _backward(self, value: int) -> int:
        rounds, bits, mask = self._rounds, self._right_bits, self._right_mask
        while True:
            left, right = value >> bits, value & mask
            for index in range(ROUNDS - 2, -1, -2):
                right ^= rounds[index + 1][left]
                left ^= rounds[index][right]
            value = left << bits | right
            if value < self.size:
                return value

    def _round(self, key: bytes, index: int) -> list[int]:
        """Even rounds change the left half by the right one, odd rounds the right by the left."""
        given, changed = (self._right_bits, self._left_bits) if index % 2 == 0 else (self._left_bits, self._right_bits)
        mask = (1 << changed) - 1
        prefix = index.to_bytes(1)
        return [
            int.from_bytes(hmac.digest(key, prefix + half.to_bytes(4), "sha256")[:4]) & mask
            for half in range(1 << given)
        ]


def commitment(seed: bytes) -> bytes:
    """What is published of the seed before anybody joins."""
    return hashlib.sha256(seed).digest()


def entry(waiting_token: str) -> bytes:
    """What is published of a ticket in the pool: only its holder can tell whose it is."""
    return hashlib.sha256(waiting_token.encode()).digest()


def pool_digest(before: bytes, joined: bytes) -> bytes:
    """The digest of the pool with one more entry, starting from EMPTY_POOL: a hash chain in order of joining."""
    return hashlib.sha256(before + joined).digest()


def draw_key(seed: bytes, event_id: str, digest: bytes) -> bytes:
    """The permutation's key. It rests on the pool as well: whoever knows the seed cannot know a place before
    the pool has closed."""
    return hmac.digest(seed, event_id.encode() + b"\0" + digest, "sha256")


class Published(msgspec.Struct, frozen=True):
    """Everything that is published of a draw, as anybody can check it.

    `entries` are in order of joining; `places` are the ranks claimed for them.
    """

    event_id: str
    commitment: bytes
    seed: bytes
    pool_digest: bytes
    entries: tuple[bytes, ...]
    places: tuple[int, ...]


def differences(published: Published) -> list[str]:
    """What is wrong with a published draw, recomputed from nothing else; empty when all is right."""
    wrong = []
    if commitment(published.seed) != published.commitment:
        wrong.append("the seed is not the one that was committed to")
    digest = EMPTY_POOL
    for joined in published.entries:
        digest = pool_digest(digest, joined)
    if digest != published.pool_digest:
        wrong.append("the entries are not those of the pool that was closed")
    if len(published.places) != len(published.entries):
        wrong.append(f"{len(published.entries)} entries have {len(published.places)} places")
    drawn = Draw(draw_key(published.seed, published.event_id, published.pool_digest), len(published.entries))
    for number, place in enumerate(published.places, 1):
        if place != drawn.rank(number):
            wrong.append(f"entry {number} was drawn to place {drawn.rank(number)}, not {place}")
    return wrong
