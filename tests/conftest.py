"""Which store the worlds of the tests run on, how many tests run at once, and that none fails by the clock."""

import gc
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
    on = "what simulated worlds run on; without it memory, and those of tests/rpc one after the other on each"
    parser.addoption("--engine", choices=sorted(world.STORES), help=on)


def pytest_configure(config: pytest.Config) -> None:
    world.ENGINE = config.getoption("--engine") or world.ENGINE


def pytest_collection_finish() -> None:
    """What tests are made of stays to the end: garbage is looked for without looking at it."""
    gc.collect()
    gc.freeze()
