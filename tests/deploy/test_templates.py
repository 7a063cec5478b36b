"""What CloudFormation makes is what the program asks for, and no more."""

import json
from pathlib import Path

import pytest

from tests.deploy import templates
from tests.deploy.checkers import DEPLOY, checked
from traffic_tacos.engines.dynamodb_tables import LAYOUT, OTHERS, TABLES, TTL, Tables

PREFIX = "tacos-"
TABLES_TEMPLATE = DEPLOY / "aws" / "tables.yaml"
SAFE = {
    "TimeToLiveSpecification": {"AttributeName": TTL, "Enabled": True},
    "PointInTimeRecoverySpecification": {
        "PointInTimeRecoveryEnabled": True,
        "RecoveryPeriodInDays": {"Ref": "RecoveryDays"},
    },
    "SSESpecification": {"SSEEnabled": True},
}


def linted(*paths: Path) -> list[tuple[str, str]]:
    """What cfn-lint finds: the file's name and the rule."""
    said = checked("cfn-lint", "--format", "json", "--", *paths)
    assert said.stdout, said.stderr
    return [(Path(one["Filename"]).name, one["Rule"]["Id"]) for one in json.loads(said.stdout)]


def test_every_template_is_linted():
    assert len(templates.PATHS) >= 2
    assert linted(*templates.PATHS) == []


MUTATIONS = {
    "an unknown key": ("tables.yaml", "BillingMode: PAY_PER_REQUEST", "BilingMode: PAY_PER_REQUEST", "E3002"),
    "a wrong value": ("tables.yaml", "PAY_PER_REQUEST", "PAY_BY_THE_REQUEST", "E3030"),
    "a wrong type": ("cache.yaml", "NumCacheClusters: 3", "NumCacheClusters: three", "E3012"),
    "a name that leads nowhere": ("cache.yaml", "!Ref Subnets", "!Ref Subnet", "E1020"),
}


def test_the_linter_finds_what_is_wrong(tmp_path):
    expected = []
    for number, (name, good, bad, rule) in enumerate(MUTATIONS.values()):
        text = (DEPLOY / "aws" / name).read_text()
        assert good in text
        (tmp_path / f"{number}.yaml").write_text(text.replace(good, bad, 1))
        expected.append((f"{number}.yaml", rule))
    found = linted(*sorted(tmp_path.iterdir()))
    assert [one for one in expected if one not in found] == []


def made(template: dict) -> dict[str, dict]:
    """The tables that a template makes, by name."""
    tables = templates.with_prefix(templates.resources(template, "AWS::DynamoDB::Table"), PREFIX)
    return {one["Properties"]["TableName"]: one for one in tables.values()}


def differences(template: dict) -> list[str]:
    """What the program would find otherwise than it needs it."""
    found, wanted = made(template), {one["TableName"]: one for one in Tables(PREFIX).definitions()}
    return [
        f"{name}: {found.get(name, {}).get('Properties')}"
        for name in sorted(found.keys() | wanted)
        if name not in found or name not in wanted or found[name]["Properties"] != wanted[name] | SAFE
    ]


def test_the_tables_are_those_of_the_program():
    assert differences(templates.read(TABLES_TEMPLATE)) == []
    assert {how.table for how in (*LAYOUT.values(), OTHERS)} == set(TABLES)


@pytest.mark.parametrize("spoil", ["a table is missing", "a key has another name", "one is not protected", "one more"])
def test_a_table_that_is_otherwise_is_found(spoil):
    template = templates.read(TABLES_TEMPLATE)
    tables = template["Resources"]
    if spoil == "a table is missing":
        del tables["Orders"]
    elif spoil == "a key has another name":
        tables["Orders"]["Properties"]["KeySchema"][0]["AttributeName"] = "id"
    elif spoil == "one is not protected":
        tables["Orders"]["Properties"]["DeletionProtectionEnabled"] = False
    else:
        more = json.loads(json.dumps(tables["Orders"]))
        more["Properties"]["TableName"] = "tacos-order"
        tables["More"] = more
    assert len(differences(template)) == 1


def test_no_table_goes_with_its_stack():
    for name, table in made(templates.read(TABLES_TEMPLATE)).items():
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain", name
