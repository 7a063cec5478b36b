"""`python -m tests.golden.make VERSION`: what this version stores and answers, for later ones to read."""

import json
import random
import sys
from pathlib import Path

import msgspec

from tests.golden.script import walk
from tests.rpc.desk import Desk
from tests.simulation.loop import VirtualLoop, run
from traffic_tacos.kernel.domain_events import topic_of
from traffic_tacos.ports.store import OUTBOX

HERE = Path(__file__).parent
SAMPLES_MAX = 4  # of the records of one kind that have the same fields


def main(version: str) -> None:
    loop = VirtualLoop(random.Random(1))
    folder = HERE / version
    folder.mkdir()

    async def record() -> None:
        desk, samples, events = Desk(loop), {}, {}
        await desk.open()
        heard = desk.memory.on_commit

        def committed(writes):
            heard(writes)
            for write in writes:
                if write.kind is OUTBOX and write.value is not None:
                    shape = topic_of(write.value), getattr(write.value, "old", None), getattr(write.value, "new", None)
                    events.setdefault(shape, {"path": write.path, "value": json.loads(OUTBOX.encode(write.value))})
                if write.value is not None:
                    value = json.loads(write.kind.encode(write.value))
                    shape = (write.kind.name, *sorted(value)) if isinstance(value, dict) else (write.kind.name,)
                    samples.setdefault(shape, {})[write.path] = value

        desk.memory.on_commit = committed
        asked = await walk(desk)
        assert not desk.broken_invariants()
        _write(folder / "calls.jsonl", [msgspec.to_builtins(one) for one in asked])
        kept = [pair for paths in samples.values() for pair in list(paths.items())[:SAMPLES_MAX]]
        _write(folder / "events.jsonl", list(events.values()))
        _write(folder / "records.jsonl", [{"path": path, "value": value} for path, value in sorted(kept, key=str)])
        stored = [{"path": path, "value": json.loads(raw)} for path, raw in desk.records().kept().items()]
        _write(folder / "store.jsonl", [{"at": desk.clock.now()}, *stored])
        await desk.close()

    run(record(), loop)


def _write(path: Path, lines: list[object]) -> None:
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


if __name__ == "__main__":
    main(sys.argv[1])
