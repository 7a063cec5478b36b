"""Every engine answers calls alike: each test here runs on each of them, or on the one that `--engine` names."""

import pytest

from tests.simulation import world


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = metafunc.config.getoption("--engine")
    metafunc.parametrize("engine", [chosen] if chosen else list(world.STORES), indirect=True)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "ENGINE", request.param)
