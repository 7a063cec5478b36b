"""How far apart seats are on a drawing."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import hypot
from statistics import median_low

Place = tuple[float, float]


def steps(row: Sequence[Place]) -> list[float]:
    """The distances between neighbours of a row."""
    return [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(row)]


def usual_step(rows: Iterable[Sequence[Place]]) -> float:
    """The step between neighbours that is most at home in these rows: the median of all; 0 when nobody has any."""
    return median_low([step for row in rows for step in steps(row) if step > 0] or [0.0])
