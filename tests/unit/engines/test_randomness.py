import os

import pytest

from traffic_tacos.engines.randomness import DRAWN_AT_ONCE, SystemRandomness


def test_numbers_are_of_the_size_that_was_asked_for_and_differ():
    chance = SystemRandomness()
    numbers = [chance.getrandbits(80) for _ in range(2000)]  # several pages of them
    assert len(set(numbers)) == len(numbers)
    assert max(number.bit_length() for number in numbers) == 80
    assert chance.getrandbits(0) == 0
    assert {chance.getrandbits(1) for _ in range(100)} == {0, 1}
    assert len(chance.randbytes(3 * DRAWN_AT_ONCE)) == 3 * DRAWN_AT_ONCE
    assert all(0 <= chance.random() < 1 for _ in range(1000))
    with pytest.raises(ValueError, match="negative"):
        chance.getrandbits(-1)


def test_a_forked_process_does_not_go_on_from_the_same_bytes():
    chance = SystemRandomness()
    chance.getrandbits(8)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, chance.getrandbits(128).to_bytes(16))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 16) != chance.getrandbits(128).to_bytes(16)
    os.close(reading)
    os.close(writing)
