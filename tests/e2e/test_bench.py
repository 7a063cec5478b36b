"""The benches run, and count what they say they count."""

from pathlib import Path

from bench import compare, mixed


def test_the_mixture_is_offered_whole_and_answered():
    """A small share for a second: the counts, never the times."""
    said = []
    (made,) = mixed.run([0.5], 1.0, search=False, say=said.append)
    offered = {figures.name: figures.offered for figures in made.figures}
    assert offered == {rpc.name: int(rpc.per_second * 0.005) for rpc in mixed.MIXTURE}
    assert [figures.name for figures in made.figures if figures.answered != figures.offered or figures.lacking] == []
    assert [figures.first_refusal for figures in made.figures if figures.refused] == []
    assert any("cores" in str(one) for one in said)


def test_a_share_is_within_only_when_all_was_answered_in_time():
    fine = mixed.Figures("x", offered=10, lacking=0, answered=10, refused=0, first_refusal="", ms=(1.0, 50.0, 90.0))
    assert fine.is_within(50.0)
    for worse in ({"answered": 9}, {"refused": 1}, {"lacking": 1}, {"ms": (1.0, 50.1, 60.0)}):
        assert not fine._replace(**worse).is_within(50.0)


def test_checkouts_are_measured_turn_about_and_compared_by_their_medians(monkeypatch):
    asked = []

    def measured(path):
        asked.append(path.name)
        cpu = {"new": 10, "old": 20}[path.name] * len(asked)
        return [{"rpc": "JoinQueue", "load": "64", "cpu_us": str(cpu), "echoes": f"{cpu / 10}"}]

    monkeypatch.setattr(compare, "measured", measured)
    old, new = Path("old"), Path("new")
    found = compare.medians([old, new], 3)
    assert asked == ["old", "new", "new", "old", "old", "new"]
    assert found == {("JoinQueue", "64"): {old: ("80", "8.0"), new: ("30", "3.0")}}
