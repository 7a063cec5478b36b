"""The draw is a permutation, a fair one, and nobody can change it afterwards unseen."""

import hashlib
import hmac
from collections import Counter
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.rooms.waiting_room.draw import (
    EMPTY_POOL,
    Draw,
    Published,
    commitment,
    differences,
    draw_key,
    pool_digest,
)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 3000))
def test_every_number_has_a_rank_of_its_own_and_the_way_back_finds_it(key, size):
    draw = Draw(key, size)
    ranks = [draw.rank(number) for number in range(1, size + 1)]
    assert sorted(ranks) == list(range(1, size + 1))
    assert all(draw.number(rank) == number for number, rank in enumerate(ranks, 1))


def test_those_who_come_after_the_draw_stand_behind_in_order():
    draw = Draw(b"k" * 32, 10)
    assert [draw.rank(number) for number in (11, 12, 5000)] == [11, 12, 5000]
    assert [draw.number(rank) for rank in (11, 12, 5000)] == [11, 12, 5000]


def test_a_pool_of_a_hundred_thousand_is_permuted_evenly():
    """Chi-square: early and late joiners, in tenths, land in every tenth alike. 81 degrees of freedom; the
    critical value at p = 0.001 is 126.1 (NIST/SEMATECH e-Handbook 1.3.6.7.4). The key is fixed, so it cannot flake."""
    size = 100_000
    draw = Draw(b"a seed that was not searched for", size)
    cells = Counter((number * 10 // size, (draw.rank(number + 1) - 1) * 10 // size) for number in range(size))
    expected = size / 100
    assert len(cells) == 100
    assert sum((count - expected) ** 2 / expected for count in cells.values()) < 126.1
    neighbours = sum(abs(draw.rank(number) - draw.rank(number + 1)) < 10 for number in range(1, size))
    assert neighbours < 40  # about 20 are expected: neighbours do not stay together


def test_of_three_every_order_is_drawn_as_often():
    """5 degrees of freedom; the critical value at p = 0.001 is 20.5."""
    orders = Counter(_order(seed) for seed in range(600))
    expected = 100
    assert set(orders) == set(permutations((1, 2, 3)))
    assert sum((count - expected) ** 2 / expected for count in orders.values()) < 20.5


def _order(seed: int) -> tuple[int, ...]:
    draw = Draw(hashlib.sha256(seed.to_bytes(4)).digest(), 3)
    return tuple(draw.rank(number) for number in (1, 2, 3))


def test_the_draw_is_the_one_that_the_documents_describe():
    """docs/draw.md, written down a second time and without tables."""
    key, size = b"\x07" * 32, 1500
    bits = max(10, (size - 1).bit_length())
    right_bits = bits // 2
    left_bits = bits - right_bits

    def round_function(index: int, half: int, width: int) -> int:
        mac = hmac.new(key, bytes([index]) + half.to_bytes(4, "big"), "sha256").digest()
        return int.from_bytes(mac[:4], "big") % 2**width

    def place(number: int) -> int:
        value = number - 1
        while True:
            left, right = divmod(value, 2**right_bits)
            for index in range(10):
                if index % 2 == 0:
                    left ^= round_function(index, right, left_bits)
                else:
                    right ^= round_function(index, left, right_bits)
            value = left * 2**right_bits + right
            if value < size:
                return value + 1

    draw = Draw(key, size)
    for number in (1, 2, 700, 1499, 1500):
        assert draw.rank(number) == place(number)


def published(size: int = 300) -> Published:
    seed = bytes(range(32))
    entries = tuple(hashlib.sha256(f"token {number}".encode()).digest() for number in range(size))
    digest = EMPTY_POOL
    for entry in entries:
        digest = pool_digest(digest, entry)
    draw = Draw(draw_key(seed, "evt", digest), size)
    places = tuple(draw.rank(number) for number in range(1, size + 1))
    return Published("evt", commitment(seed), seed, digest, entries, places)


def swapped(values: tuple, one: int, other: int) -> tuple:
    changed = list(values)
    changed[one], changed[other] = changed[other], changed[one]
    return tuple(changed)


TAMPERED = [
    ("nothing", {}, 0),
    ("another seed", {"seed": bytes(32)}, 290),
    ("another commitment", {"commitment": bytes(32)}, 1),
    ("another pool", {"pool_digest": bytes(32)}, 1),
    ("two places swapped", {"places": swapped(published().places, 17, 170)}, 2),
    ("two entries swapped", {"entries": swapped(published().entries, 17, 170)}, 1),
    ("an entry added", {"entries": (*published().entries, bytes(32))}, 2),
    ("another event", {"event_id": "evt_other"}, 290),
]


@pytest.mark.parametrize(("what", "changes", "found"), TAMPERED, ids=[row[0] for row in TAMPERED])
def test_whatever_is_changed_after_the_draw_is_found(what, changes, found):
    wrong = differences(msgspec.structs.replace(published(), **changes))
    assert len(wrong) >= found
    assert bool(wrong) == bool(found)
