"""Which store the worlds of the tests run on, how many tests run at once, and that none fails by the clock."""

import os

import hypothesis
import pytest

from tests.simulation import world

WAITING = 2  # workers more than cores: that many wait for processes of their own at most times


# How long an example takes says how busy the machine is: speed is measured in bench/.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_xdist_auto_num_workers() -> int:
    return (os.cpu_count() or 1) + WAITING


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=sorted(world.STORES), default="memory", help="what simulated worlds run on")


def pytest_configure(config: pytest.Config) -> None:
    world.ENGINE = config.getoption("--engine")
