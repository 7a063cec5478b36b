"""What speaks as AWS does, started once for the tests of a file."""

import pytest

from tests.emulators import found_as, ministack


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """What a process must have in its environment to find it."""
    with ministack(tmp_path_factory.mktemp("ministack")) as address:
        yield found_as(address)
