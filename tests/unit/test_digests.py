"""Requests under a key are told apart by digests that survive a new field, and that earlier versions stored."""

import importlib
import json
import pkgutil
from pathlib import Path

import msgspec
import pytest

from tests import golden
from traffic_tacos import rooms
from traffic_tacos.kernel.money import Money
from traffic_tacos.ports.idempotency import Keyed, digest_of

GOLDEN = Path(golden.__path__[0]) / "digests.json"
ADDED_SINCE = {"inventory.Reserve": {"section", "price_max"}, "reservation.Create": {"wish"}}
"""Fields that 0.1.0 did not have: a request of that version leaves them at their defaults."""

SAMPLES = {str: "x/é", int: 7, tuple[str, ...]: ("a", "b"), Money: Money(5, "KRW")}


def requests() -> list[type[Keyed]]:
    for module in pkgutil.walk_packages(rooms.__path__, f"{rooms.__name__}."):
        importlib.import_module(module.name)
    return sorted(Keyed.__subclasses__(), key=name_of)


def name_of(kind: type[Keyed]) -> str:
    return f"{kind.__module__.split('.')[2]}.{kind.__name__}"


def sample(kind: type[Keyed]) -> Keyed:
    """One with something in every field that 0.1.0 had."""
    made = {}
    for field in msgspec.structs.fields(kind):
        if field.name in ADDED_SINCE.get(name_of(kind), ()):
            continue
        if field.type in SAMPLES:
            made[field.name] = SAMPLES[field.type]
        elif isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            made[field.name] = field.type()
        else:
            made[field.name] = SAMPLES[next(one for one in field.type.__args__ if one in SAMPLES)]
    return kind(**made)


@pytest.mark.parametrize("kind", requests(), ids=name_of)
def test_a_field_that_is_added_with_a_default_changes_no_digest(kind):
    one = sample(kind)
    later = msgspec.defstruct(
        kind.__name__, [("added", str, "as before"), ("more", int | None, None)], bases=(kind,), frozen=True
    )
    asked = {name: getattr(one, name) for name in one.__struct_fields__}
    assert digest_of(later(**asked)) == digest_of(one)
    assert digest_of(later(**asked, added="something else")) != digest_of(one)


@pytest.mark.parametrize("kind", requests(), ids=name_of)
def test_the_digests_of_version_0_1_0_are_those_of_this_one(kind):
    """Made by `json.dump({name_of(kind): digest_of(sample(kind)) for kind in requests()}, …)` in that version."""
    assert json.loads(GOLDEN.read_text())[name_of(kind)] == digest_of(sample(kind))
