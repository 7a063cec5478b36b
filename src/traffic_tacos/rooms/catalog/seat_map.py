"""An event's seats as a page draws them: whole numbers, and a line round each section. Pure.

The positions are those of the event's file where it has all of them, else they are laid out (`arranging`).
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

import msgspec

from traffic_tacos.kernel.drawing import Place, usual_step
from traffic_tacos.rooms.catalog.arranging import BLOCK_HEIGHT, BLOCK_WIDTH, PITCH, Rows, arranged
from traffic_tacos.rooms.catalog.model import Event, Section

VERSION = 1  # of what is made here of the same seats: pages keep a plan for a year under its revision
EXTENT_MAX = 100_000.0
EDGE = 8  # from the middle of a seat to the line round its section
MARGIN = 10
REVISION_BYTES = 8

Point: TypeAlias = tuple[int, int]


class SectionMap(msgspec.Struct, frozen=True):
    """`outline` are the x and y of its corners; `rows` have the first seat's, then the steps from seat to seat, one
    step where all are the same.
    """

    outline: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]


class SeatMap(msgspec.Struct, frozen=True):
    width: int
    height: int
    is_drawn: bool
    stage: tuple[int, ...]
    sections: tuple[SectionMap, ...]


def revision(event: Event) -> str:
    """A digest of the seating, and of how it is laid out."""
    seating = msgspec.json.encode((VERSION, event.id, event.currency, event.sections))
    return hashlib.blake2b(seating, digest_size=REVISION_BYTES).hexdigest()


def seat_map(event: Event) -> SeatMap:
    drawn = _drawn(event.sections)
    sections, stage = drawn or arranged(event.sections)
    points = [[[(round(x), round(y)) for x, y in row] for row in rows] for rows in sections]
    outlines = [
        _outline(rows, is_standing=section.rows[0].standing)
        for rows, section in zip(points, event.sections, strict=True)
    ]
    looked_at = [] if stage is None else [(round(stage[0]), round(stage[1]))]
    corners = [*(corner for outline in outlines for corner in outline), *looked_at]
    left, top = min(x for x, _ in corners) - MARGIN, min(y for _, y in corners) - MARGIN
    right, bottom = max(x for x, _ in corners) + MARGIN, max(y for _, y in corners) + MARGIN

    def moved(some: Iterable[Point]) -> list[Point]:
        return [(x - left, y - top) for x, y in some]

    return SeatMap(
        right - left,
        bottom - top,
        drawn is not None,
        _flat(moved(looked_at)),
        tuple(
            SectionMap(_flat(moved(outline)), tuple(_steps(moved(row)) for row in rows))
            for outline, rows in zip(outlines, points, strict=True)
        ),
    )


def _drawn(sections: Sequence[Section]) -> tuple[list[Rows], Place | None] | None:
    """The positions of the file, so large that neighbours are a pitch apart; None where any seat has none."""
    positions = [[[seat.position for seat in row.seats] for row in section.rows] for section in sections]
    places = [[[(at.x, at.y) for at in row if at] for row in rows] for rows in positions]
    if any(
        len(some) < len(row)
        for rows, of in zip(places, positions, strict=True)
        for some, row in zip(rows, of, strict=True)
    ):
        return None
    rows = [row for section in places for row in section]
    xs, ys = [x for row in rows for x, _ in row], [y for row in rows for _, y in row]
    extent = max(max(xs) - min(xs), max(ys) - min(ys))
    scale = PITCH / (usual_step(rows) or PITCH)
    if extent:
        scale = min(scale, EXTENT_MAX / extent)
    focal = {section.focal_point for section in sections}
    stage = focal.pop() if len(focal) == 1 else None
    scaled = [[[(x * scale, y * scale) for x, y in row] for row in section] for section in places]
    return scaled, None if stage is None else (stage.x * scale, stage.y * scale)


def _outline(rows: Sequence[Sequence[Point]], *, is_standing: bool) -> list[Point]:
    """The convex hull of a section, a little way round its seats."""
    across, down = (round(BLOCK_WIDTH / 2), round(BLOCK_HEIGHT / 2)) if is_standing else (EDGE, EDGE)
    seats = _hull(point for row in rows for point in row)
    return _hull((x + dx, y + dy) for x, y in seats for dx in (-across, across) for dy in (-down, down))


def _hull(points: Iterable[Point]) -> list[Point]:
    """The corners of the convex hull: Andrew's monotone chain (1979)."""
    ascending = sorted(set(points))
    if len(ascending) < 3:
        return ascending
    lower, upper = _chain(ascending), _chain(reversed(ascending))
    return [*lower[:-1], *upper[:-1]]


def _chain(points: Iterable[Point]) -> list[Point]:
    chain: list[Point] = []
    for x, y in points:
        while len(chain) >= 2:
            (x0, y0), (x1, y1) = chain[-2:]
            if (x1 - x0) * (y - y0) > (y1 - y0) * (x - x0):
                break
            chain.pop()
        chain.append((x, y))
    return chain


def _steps(row: Sequence[Point]) -> tuple[int, ...]:
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(row)]
    return _flat([row[0], *(steps[:1] if len(set(steps)) == 1 else steps)])


def _flat(points: Iterable[Point]) -> tuple[int, ...]:
    return tuple(number for point in points for number in point)
