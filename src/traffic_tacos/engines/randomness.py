"""The operating system's randomness, which nobody can foresee."""

import os
import random

DRAWN_AT_ONCE = 4096  # bytes


class SystemRandomness(random.SystemRandom):
    """`random.SystemRandom`, drawn a page at a time: each system call lets go of the interpreter, which the store's
    writer then takes, and every id would wait for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._drawn, self._used = b"", 0
        os.register_at_fork(after_in_child=self._forget)  # two processes must not go on from the same bytes

    def randbytes(self, n: int) -> bytes:
        if self._used + n > len(self._drawn):
            self._drawn, self._used = os.urandom(max(n, DRAWN_AT_ONCE)), 0
        drawn = self._drawn[self._used : self._used + n]
        self._used += n
        return drawn

    def getrandbits(self, k: int) -> int:
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        size = (k + 7) // 8
        return int.from_bytes(self.randbytes(size)) >> (size * 8 - k)

    def random(self) -> float:
        return self.getrandbits(53) * 2.0**-53

    def _forget(self) -> None:
        self._drawn, self._used = b"", 0
