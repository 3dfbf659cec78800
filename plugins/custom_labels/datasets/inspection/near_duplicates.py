"""Which pictures are near copies of each other: by hashes that differ in few bits, and then by the pictures themselves.

No pair is missed among the hashes: of two that differ in at most 11 of 64 bits, one of four parts of 16 bits differs in
at most two (multi-index hashing; Norouzi, Punjani, Fleet, "Fast search in Hamming space with multi-index hashing",
2012). So a part is looked up with each of its 137 variants, and not all pairs are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

DISTANCE = 10
"""Bits in which the hashes of near copies may differ; those of this hash always differ in an even number."""
_PARTS, _PART_BITS = 4, 16
_BLOCK = 100_000
"""Pairs that are compared at once."""


class Groups:
    """Numbers that belong together: whatever is united with the same is together.

    :param count: numbers from 0 up to it, each alone at first.
    """

    def __init__(self, count: int) -> None:
        import numpy as np

        self._parents = np.arange(count, dtype=np.int64)

    def find(self, number: int) -> int:
        """Give the lowest number of a group."""
        root = number
        while (above := int(self._parents[root])) != root:
            root = above
        while (above := int(self._parents[number])) != root:
            self._parents[number], number = root, above
        return root

    def unite(self, one: int, other: int) -> None:
        """Put two groups together."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parents[high] = low

    def roots(self) -> Any:
        """Give the lowest number of each number's group, as an array."""
        import numpy as np

        return np.array([self.find(number) for number in range(len(self._parents))], dtype=np.int64)


def group_near_copies(hashes: Any, is_hashed: Any, are_alike: Callable[[Any, Any], Any]) -> Groups:
    """Group pictures.

    :param hashes: unsigned 64-bit integers, one a picture; those without ``is_hashed`` stay alone.
    :param are_alike: says of two arrays of numbers of pictures, pairwise, which are near copies.
    """
    import numpy as np

    groups = Groups(len(hashes))
    numbers = np.flatnonzero(is_hashed)
    for one, other in similar_pairs(hashes[numbers]):
        first, second = numbers[one], numbers[other]
        # Of pictures that are together already nothing new can be learned.
        apart = np.array([groups.find(a) != groups.find(b) for a, b in zip(first, second, strict=True)], dtype=bool)
        if apart.any():
            first, second = first[apart], second[apart]
            alike = are_alike(first, second)
            for a, b in zip(first[alike], second[alike], strict=True):
                groups.unite(int(a), int(b))
    return groups


def similar_pairs(hashes: Any, distance: int = DISTANCE) -> Iterator[tuple[Any, Any]]:
    """Give all pairs of hashes that differ in few bits, in blocks, as two arrays of numbers; some of them repeatedly.

    :param hashes: unsigned 64-bit integers.
    :param distance: bits, at most 11.
    """
    import numpy as np

    variants = _variants()
    for part in range(_PARTS):
        values = (hashes >> np.uint64(part * _PART_BITS)).astype(np.uint64) & np.uint64(0xFFFF)
        order = np.argsort(values, kind="stable")
        values = values[order]
        for variant in variants:
            starts = np.searchsorted(values, values ^ variant, "left")
            ends = np.searchsorted(values, values ^ variant, "right")
            for one, other in _joined(starts, ends):
                first, second = order[one], order[other]
                near = first < second
                first, second = first[near], second[near]
                near = np.bitwise_count(hashes[first] ^ hashes[second]) <= distance
                if near.any():
                    yield first[near], second[near]


def _variants() -> list[Any]:
    """Give what changes at most two of the bits of a part."""
    import numpy as np

    bits = [1 << bit for bit in range(_PART_BITS)]
    return [np.uint64(each) for each in (0, *bits, *(one | other for one, other in combinations(bits, 2)))]


def _joined(starts: Any, ends: Any) -> Iterator[tuple[Any, Any]]:
    """Give the pairs of each number with those from its start to its end, in blocks, however long the spans are."""
    import numpy as np

    counts = ends - starts
    totals = np.concatenate(([0], np.cumsum(counts)))
    for begin in range(0, int(totals[-1]), _BLOCK):
        places = np.arange(begin, min(begin + _BLOCK, int(totals[-1])))
        one = np.searchsorted(totals, places, "right") - 1
        yield one, starts[one] + places - totals[one]
