"""Which seats are beside each other on a drawing, whatever the order of the file. Pure.

Rows may be straight, turned, curved or round, and may be listed in any order.
"""

from collections.abc import Sequence
from math import atan2, cos, pi, sin

from traffic_tacos.kernel.drawing import Place, steps

AISLE_STEPS = 1.5  # half a seat beyond the usual step
SAME = 1e-6


def along(row: Sequence[Place]) -> list[int]:
    """The seats of a row from one end to the other, as indexes.

    Of three orders the one whose walk is the shortest: that of the file, that along the row's own direction, and
    that around its middle, for rows bent so far that two of their seats lie side by side in any direction.
    """
    listed = list(range(len(row)))
    if len(row) < 3:
        return listed
    orders = (listed, _projected(row), _around(row))
    best = min(orders, key=lambda order: round(sum(steps([row[index] for index in order])), 6))
    return best if best[0] < best[-1] else best[::-1]


def aisles(row: Sequence[Place], usual: float) -> tuple[int, ...]:
    """After how many seats of a row in order the drawing leaves more than the usual space."""
    widest = AISLE_STEPS * usual + SAME
    return tuple(after for after, step in enumerate(steps(row), 1) if usual and step > widest)


def middle_of(places: Sequence[Place]) -> Place:
    return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)


def _projected(row: Sequence[Place]) -> list[int]:
    """In the direction in which the row is longest: its first principal component."""
    x0, y0 = middle_of(row)
    xx = sum((x - x0) ** 2 for x, _ in row)
    yy = sum((y - y0) ** 2 for _, y in row)
    xy = sum((x - x0) * (y - y0) for x, y in row)
    angle = atan2(2 * xy, xx - yy) / 2
    ux, uy = cos(angle), sin(angle)
    return sorted(range(len(row)), key=lambda index: round((row[index][0] - x0) * ux + (row[index][1] - y0) * uy, 6))


def _around(row: Sequence[Place]) -> list[int]:
    """Round the middle of the row, from behind its widest opening."""
    x0, y0 = middle_of(row)
    angles = {index: atan2(y - y0, x - x0) for index, (x, y) in enumerate(row)}
    order = sorted(angles, key=lambda index: round(angles[index], 9))
    openings = [
        (angles[order[at]] - angles[order[at - 1]]) % (2 * pi) if at else angles[order[0]] - angles[order[-1]] + 2 * pi
        for at in range(len(order))
    ]
    start = openings.index(max(openings))
    return order[start:] + order[:start]
