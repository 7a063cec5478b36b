"""Prometheus takes every expression of the alerts and the dashboard."""

from tests.deploy.checkers import faults_of
from tests.rpc.test_observability import BOARD, RULES

VARIABLES = {"$event": "evt", "$__rate_interval": "1m"}


def plain(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def test_prometheus_takes_every_expression():
    asked = [rule["expr"] for rule in RULES]
    asked += [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", ())]
    faults = faults_of("promql", [plain(one) for one in asked])
    assert [one for one in zip(asked, faults, strict=True) if one[1]] == []


def test_one_that_it_does_not_take_is_found():
    assert all(faults_of("promql", ["sum(rate(tacos_streams)) by", "rate(tacos_streams)", "tacos_streams{event=a}"]))
