"""What every earlier version stored is read by this one, and what was answered under a key is answered again."""

import base64
import json
import random
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.golden.script import Asked
from tests.rpc.desk import Desk
from tests.simulation.loop import EPOCH, VirtualLoop, run
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.store import Kind

VERSIONS = sorted(folder for folder in Path(__file__).parent.iterdir() if (folder / "records.jsonl").exists())


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def kinds() -> dict[str, Kind[Any]]:
    """Those of the platform; tests may have others of the same names."""
    ours = [vars(module) for name, module in sys.modules.items() if name.startswith("traffic_tacos.")]
    return {one.name: one for module in ours for one in module.values() if type(one) is Kind}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda folder: folder.name)
def test_records_of_an_earlier_version_are_read_with_all_that_is_in_them(version: Path):
    known = kinds()
    for line in lines(version / "records.jsonl") + lines(version / "events.jsonl"):
        kind = known[line["path"].split("/")[0]]
        written = json.loads(kind.encode(kind.decode(line["path"], json.dumps(line["value"]))))
        if isinstance(line["value"], dict):
            assert line["value"].items() <= written.items(), line["path"]
        else:
            assert line["value"] == written


@pytest.mark.parametrize("version", VERSIONS, ids=lambda folder: folder.name)
def test_a_platform_goes_on_with_what_an_earlier_version_stored(version: Path):
    """Every call under a key is answered as it was, every promise holds, and a new fan can buy."""
    head, *stored = lines(version / "store.jsonl")
    loop = VirtualLoop(random.Random(1), (head["at"] - EPOCH) / SECOND)

    async def main() -> None:
        desk = Desk(loop)
        desk.memory.restore({line["path"]: json.dumps(line["value"]).encode() for line in stored})
        await desk.open()
        for line in lines(version / "calls.jsonl"):
            asked = msgspec.convert(line, Asked)
            method = desk.platform.calls.methods["/" + asked.path]
            request = method.request.FromString(base64.b64decode(asked.request))
            answer = await desk.ask(asked.path, request, desk.token(Role(asked.role), asked.name))
            assert answer == method.response.FromString(base64.b64decode(asked.answer)), asked.path
        held = await desk.held("zoe", 1)
        await desk.pay("zoe", held)
        await desk.clock.sleep(20)
        assert (await desk.reservation(held.reservation_id)).order_id
        assert desk.broken is None and desk.broken_invariants() == []
        await desk.close()

    run(main(), loop)
