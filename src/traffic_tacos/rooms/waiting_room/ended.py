"""How many places ahead of a rank have ended: counted without walking over them.

A flag for each rank, and a Fenwick tree (Fenwick 1994) over the counts of blocks of flags. Both adding
and counting take O(log n), a few microseconds for a million ranks; a rank takes one byte.
"""

BLOCK = 256


class Ended:
    """A growing set of ranks, from 1, that knows how many of them are below another."""

    def __init__(self) -> None:
        self._flags = bytearray()
        self._tree = [0]  # node i counts the flags of blocks (i - lowbit(i), i]
        self.total = 0

    def add(self, rank: int) -> None:
        """Adding a rank again changes nothing."""
        index = rank - 1
        while index >= len(self._flags):
            self._grow()
        if self._flags[index]:
            return
        self._flags[index] = 1
        self.total += 1
        node = index // BLOCK + 1
        while node < len(self._tree):
            self._tree[node] += 1
            node += node & -node

    def before(self, rank: int) -> int:
        """How many ranks below this one have ended."""
        index = rank - 1
        if index >= len(self._flags):
            return self.total
        node = index // BLOCK
        count = self._flags.count(1, node * BLOCK, index)
        tree = self._tree
        while node:
            count += tree[node]
            node &= node - 1
        return count

    def counts_from(self, rank: int) -> tuple[int, list[int]]:
        """The first rank of the block that a rank is in, and how many have ended in it and in each block behind it, as
        far as any have. A block has BLOCK ranks.
        """
        begins = (rank - 1) // BLOCK * BLOCK
        counts = [self._flags.count(1, at, at + BLOCK) for at in range(begins, len(self._flags), BLOCK)]
        while counts and not counts[-1]:
            counts.pop()
        return begins + 1, counts

    def __contains__(self, rank: int) -> bool:
        return rank <= len(self._flags) and bool(self._flags[rank - 1])

    def _grow(self) -> None:
        """One more block, in which nothing has ended: its node counts what it spans before it."""
        self._flags.extend(bytes(BLOCK))
        node = len(self._tree)
        count, child = 0, node - 1
        while child > node - (node & -node):
            count += self._tree[child]
            child &= child - 1
        self._tree.append(count)
