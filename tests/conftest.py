"""Which store the worlds of the tests run on."""

import pytest

from tests.simulation import world


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=sorted(world.STORES), default="memory", help="what simulated worlds run on")


def pytest_configure(config: pytest.Config) -> None:
    world.ENGINE = config.getoption("--engine")
