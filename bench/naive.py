"""`tacos` where every process gives out the very best seats that are left, as if it were the only one.

That is what `offering.own_first` spares processes that sell from one store: `python -m bench.processes` measures both.
"""

from traffic_tacos import cli
from traffic_tacos.rooms.inventory import service


def main() -> None:
    service.own_first = lambda sections, *_: tuple(sections)
    cli.main()
