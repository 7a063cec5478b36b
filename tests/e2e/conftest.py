from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.process import UpProcess

EVENT_FILE = Path(__file__).parent / "hundred.yaml"


@pytest.fixture
def up(tmp_path) -> Iterator[Callable[..., UpProcess]]:
    """Start `tacos up` with an event of 100 seats, and more arguments."""
    started: list[UpProcess] = []

    def start(*arguments: str) -> UpProcess:
        process = UpProcess(tmp_path / "data", "--event", str(EVENT_FILE), "--time-scale", "10", *arguments)
        started.append(process)
        return process.start()

    yield start
    for process in started:
        process.ensure_stopped()
