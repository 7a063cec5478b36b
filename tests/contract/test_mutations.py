"""The table of mutations fits the program as it is: what each changes stands there once, and its tests exist."""

import pytest

from tests.mutations import MUTATIONS, ROOT, mutated


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: f"{one.file} {one.old.strip()[:30]}")
def test_a_mutation_can_be_made_and_names_tests(mutation):
    compile(mutated(ROOT, mutation), mutation.file, "exec")
    assert all((ROOT / "tests" / name.partition("::")[0]).exists() for name in mutation.tests.split())


def test_every_service_and_every_part_has_some():
    parts = {"/".join(one.file.split("/")[: 2 if one.file.startswith("rooms") else 1]) for one in MUTATIONS}
    services = {
        f"rooms/{folder.name}" for folder in (ROOT / "src" / "traffic_tacos" / "rooms").iterdir() if folder.is_dir()
    }
    assert parts >= {one for one in services if not one.endswith("__")} | {
        "calls",
        "engines",
        "operations",
        "transport",
    }
    assert len(MUTATIONS) >= 30
