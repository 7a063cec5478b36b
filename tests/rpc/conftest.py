"""Every engine answers calls alike: each test here runs on each of them, or on the one that `--engine` names.

What is decided before any store is asked is the same on all, and marked `one_store`.
"""

import pytest

from tests.simulation import world


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = metafunc.config.getoption("--engine")
    engines = [chosen] if chosen else list(world.STORES)
    if metafunc.definition.get_closest_marker("one_store"):
        engines = engines[:1]
    metafunc.parametrize("engine", engines, indirect=True)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "ENGINE", request.param)
