"""`python -m bench.way`: what one reservation passes through, function after function in the order in which they run.

The whole platform runs in this process; the call is made where the gRPC server makes it. Each line is a file and those
of its functions that run then and have not run before. Counted are the functions, how often any is called, and how
often the way goes from one file to another, until the reservation is decided and waits for the disk.
"""

import asyncio
import logging
import sys
import tempfile
from itertools import groupby, pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from bench.__main__ import GATEWAY, event_file, reservations
from bench.servers import free_port
from traffic_tacos.app import embedded
from traffic_tacos.app.config import Config
from traffic_tacos.cli.event import read_files
from traffic_tacos.cli.shown import Listing
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.operations import logs

PACKAGE = "/traffic_tacos/"
BEFORE = 20  # reservations, so that nothing is done for the first time


class Way:
    """The functions of the platform that are entered while it is watched: files and names."""

    def __init__(self) -> None:
        self.entered: list[tuple[str, str]] = []

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        _, found, file = code.co_filename.rpartition(PACKAGE)
        if event == "call" and found and not file.startswith("gen/"):
            self.entered.append((file, code.co_qualname))


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    entered = asyncio.run(passed())
    table = Listing("file", "functions")
    first = dict.fromkeys(entered)
    for file, some in groupby(first, key=lambda one: one[0]):
        table.add(file, ", ".join(name.rpartition(".<locals>.")[2] for _, name in some))
    table.print()
    moves = sum(one[0] != other[0] for one, other in pairwise(entered))
    files = len({file for file, _ in first})
    print(f"{files} files, {len(first)} functions, {len(entered)} calls, {moves} moves from one file to another")


async def passed() -> list[tuple[str, str]]:
    """What is entered on the way of one reservation, until it waits."""
    with tempfile.TemporaryDirectory() as folder:
        event, data = event_file(Path(folder)), Path(folder) / "data"
        config = Config(data=data, grpc=Address("127.0.0.1", free_port()), http=Address("127.0.0.1", free_port()))

        async def prepare(platform: Any) -> None:
            await platform.put_on_sale(*read_files(event))

        async with embedded.running(config, logs.LogRing(), prepare) as (platform, _):
            bodies, tokens = reservations(data, BEFORE + 1)
            method = platform.calls.methods[f"/{GATEWAY}/CreateReservation"]

            async def reserve(number: int) -> None:
                request = method.request.FromString(bodies[number])
                headers = (("authorization", f"Bearer {tokens[number]}"),)
                call = platform.calls.call(method, request, headers, lambda: "ipv4:127.0.0.1:1", 10.0)
                answer = await platform.calls.answer(method, request, call)
                assert not answer.HasField("error"), answer.error

            for number in range(BEFORE):
                await reserve(number)
            way = Way()
            last = asyncio.ensure_future(reserve(BEFORE))
            sys.setprofile(way)
            await asyncio.sleep(0)
            sys.setprofile(None)
            await last
            return way.entered


if __name__ == "__main__":
    main()
