"""What is deployed to watch the platform watches something: every metric and method that it names exists."""

import json
import re
from pathlib import Path

import yaml

from tests.contract.reference import metrics_text
from traffic_tacos.calls.policy import POLICY
from traffic_tacos.kernel.errors import Code

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"
BOARD = json.loads((FOLDER / "dashboard.json").read_text())
ALERTS = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
EXPRESSIONS = [
    *(target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", ())),
    *(variable["query"] for variable in BOARD["templating"]["list"]),
    *(rule["expr"] for rule in RULES),
]


def test_every_metric_method_label_and_code_that_is_watched_exists():
    samples = re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", metrics_text(), re.MULTILINE)
    labels = {}
    for name, given in samples:
        labels.setdefault(name, set()).update(re.findall(r'(\w+)="', given))
    assert len(EXPRESSIONS) > 25
    for expression in EXPRESSIONS:
        named = set(re.findall(r"\btacos_\w+", expression))
        assert named or expression == "prometheus", expression
        for name in named - {"tacos_disk_free_bytes"}:  # which a simulated platform has not
            assert name in labels, f"{name} is not in /metrics: {expression}"
        for name, given in re.findall(r"\b(tacos_\w+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)(?:=~|!=|=)", given)) <= labels[name], expression
        for method in re.findall(r'method="/([^"]+)"', expression):
            assert method in POLICY, expression
        for code in re.findall(r"ERROR_CODE_\(?([A-Z_|]+)", expression):
            assert all(one in Code.__members__ for one in code.split("|")), expression


def test_every_alert_says_how_bad_what_and_what_to_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule
        assert rule["annotations"]["summary"], rule
        assert rule["annotations"]["do"], rule


def test_panels_do_not_lie_over_one_another():
    taken = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        assert at["x"] + at["w"] <= 24
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
