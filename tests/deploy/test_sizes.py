"""The sizes of docs/sizing.md are those that the benches compute, and the manifests can grow to them."""

import math

from bench.sizes import BUSY_MAX, RUSH, Load, cores, processes, shown

from tests.deploy.checkers import ROOT
from tests.deploy.manifests import of_kind

PAGE = ROOT / "docs" / "sizing.md"


def test_the_page_has_what_is_computed():
    page = PAGE.read_text()
    for row in shown(RUSH):
        assert f"| {' | '.join(row)} |".replace("  ", " ") in page, row


def test_the_autoscalers_may_start_as_many_and_one_more():
    scaled = {
        name: one["spec"]["maxReplicas"] for name, one in of_kind("production", "HorizontalPodAutoscaler").items()
    }
    scaled |= {name: one["spec"]["maxReplicaCount"] for name, one in of_kind("production", "ScaledObject").items()}
    assert {role for role, most in scaled.items() if most <= processes(RUSH, role)} == set()


def test_an_autoscaler_wants_processes_as_busy_as_the_page_says():
    for one in of_kind("production", "HorizontalPodAutoscaler").values():
        [metric] = one["spec"]["metrics"]
        assert metric["resource"]["target"]["averageUtilization"] == BUSY_MAX * 100


def test_processes_are_the_cores_over_what_one_may_use():
    loads = (Load("a", 1000, {"edge": 1.0}), Load("b", 100, {"edge": 2.0, "sale": 5.0}))
    assert cores(loads, "edge") == 1.2
    assert processes(loads, "edge") == math.ceil(1.2 / 0.6)
    assert (processes(loads, "sale"), processes(loads, "worker")) == (1, 0)
