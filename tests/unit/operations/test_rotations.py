"""What the audit log hears of keys that were replaced in their folder."""

import pytest

from traffic_tacos.operations.rotations import NOTES, SIGNING, WEBHOOK, Rotation, news, note, noted

NOW = 1000


def rotation(old: str, new: str, subject: str = SIGNING) -> Rotation:
    return Rotation(NOW - 10, "ana", "rotate key", subject, old, new, "yearly")


@pytest.mark.parametrize(
    ("before", "after", "notes", "expected"),
    [
        ("a", "a", [], []),
        ("a", "b", [rotation("a", "b")], [("ana", "a", "b")]),
        ("a", "c", [rotation("a", "b"), rotation("b", "c")], [("ana", "a", "b"), ("ana", "b", "c")]),
        ("b", "c", [rotation("a", "b"), rotation("b", "c")], [("ana", "b", "c")]),
        ("a", "b", [], [("unknown", "a", "b")]),
        ("a", "c", [rotation("a", "b")], [("ana", "a", "b"), ("unknown", "b", "c")]),
        ("a", "b", [rotation("a", "b", WEBHOOK)], [("unknown", "a", "b")]),
    ],
)
def test_every_step_between_two_keys_is_told_once(before, after, notes, expected):
    found = news({SIGNING: before}, {SIGNING: after}, notes, NOW)
    assert [(one.actor, one.old, one.new) for one in found] == expected


def test_notes_are_kept_in_order_and_what_cannot_be_read_is_none(tmp_path):
    assert noted(tmp_path) == []
    note(tmp_path, rotation("a", "b"))
    (tmp_path / NOTES).open("a").write("nonsense\n")
    note(tmp_path, rotation("b", "c"))
    assert [one.new for one in noted(tmp_path)] == ["b", "c"]
