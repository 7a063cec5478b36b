"""Where the seats of an event are that its file gives rows of, and no drawing. Pure.

Rows are parallel arcs before a stage at the top, sections stand beside and behind each other in the order of the file.
The same rows always lie the same way.
"""

from collections.abc import Sequence
from math import ceil, floor, sqrt

from traffic_tacos.kernel.drawing import Place
from traffic_tacos.rooms.catalog.model import Row, Section

PITCH = 10.0  # from seat to seat
ROW_STEP = 12.0
AISLE = 12.0
RADIUS = 700.0  # of the arcs
BLOCK_WIDTH, BLOCK_HEIGHT = 80.0, 60.0  # of standing places
SECTIONS_APART = 30
STAGE_APART = 40.0
WIDER_THAN_HIGH = 1.4

Rows = list[list[Place]]  # of a section: each seat's place; of a standing block its middle alone


def arranged(sections: Sequence[Section]) -> tuple[list[Rows], Place]:
    """The places of all sections, and the stage. Sections fill lines from the stage backwards, each line centred."""
    shapes = [_shape(section) for section in sections]
    boxes = [_box(rows, section.rows[0].standing) for rows, section in zip(shapes, sections, strict=True)]
    widths = [right - left for left, _, right, _ in boxes]
    area = sum(width * (bottom - top) for width, (_, top, _, bottom) in zip(widths, boxes, strict=True))
    widest = max(*widths, WIDER_THAN_HIGH * sqrt(area))
    placed: list[Rows] = [[] for _ in sections]
    down = 0
    for line in _lines(widths, widest):
        across = -((sum(widths[at] for at in line) + SECTIONS_APART * (len(line) - 1)) // 2)
        for at in line:
            left, top, _, _ = boxes[at]
            placed[at] = [[(x - left + across, y - top + down) for x, y in row] for row in shapes[at]]
            across += widths[at] + SECTIONS_APART
        down += max(boxes[at][3] - boxes[at][1] for at in line) + SECTIONS_APART
    return placed, (0.0, -STAGE_APART)


def _lines(widths: Sequence[float], widest: float) -> list[list[int]]:
    """Which sections stand beside each other."""
    lines: list[list[int]] = []
    used = 0.0
    for at, width in enumerate(widths):
        if lines and used + SECTIONS_APART + width <= widest:
            lines[-1].append(at)
            used += SECTIONS_APART + width
        else:
            lines.append([at])
            used = width
    return lines


def _shape(section: Section) -> Rows:
    """A section by itself, its middle at 0."""
    if section.rows[0].standing:
        columns = ceil(sqrt(len(section.rows)))
        return [[(at % columns * BLOCK_WIDTH, at // columns * BLOCK_HEIGHT)] for at in range(len(section.rows))]
    return [_arc(row, at * ROW_STEP) for at, row in enumerate(section.rows)]


def _arc(row: Row, down: float) -> list[Place]:
    """A row whose ends are nearer to the stage than its middle."""
    aisles = set(row.aisles)
    across, places = 0.0, []
    for at in range(len(row.seats)):
        across += (PITCH if at else 0.0) + (AISLE if at in aisles else 0.0)
        places.append(across)
    return [(x - across / 2, down - (x - across / 2) ** 2 / (2 * RADIUS)) for x in places]


def _box(rows: Rows, standing: bool) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a section, with its edge: whole numbers, so that rows that are alike are rounded
    alike, and compress.
    """
    xs, ys = [x for row in rows for x, _ in row], [y for row in rows for _, y in row]
    beside, above = (BLOCK_WIDTH / 2, BLOCK_HEIGHT / 2) if standing else (PITCH / 2, ROW_STEP / 2)
    return floor(min(xs) - beside), floor(min(ys) - above), ceil(max(xs) + beside), ceil(max(ys) + above)
