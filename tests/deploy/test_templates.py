"""What CloudFormation makes is what the program asks for, and no more."""

import json
from pathlib import Path

import pytest

from tests.deploy import templates
from tests.deploy.checkers import DEPLOY, checked
from traffic_tacos.engines import eventbridge, sqs_queues
from traffic_tacos.engines.dynamodb_tables import LAYOUT, OTHERS, TABLES, TTL, Tables
from traffic_tacos.engines.sqs_queues import DEAD_LETTERS, QUEUES

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
    "a rule without a target": ("messages.yaml", "Targets:", "Target:", "E3002"),
    "a right that there is not": ("roles.yaml", "dynamodb:GetItem", "dynamodb:FetchItem", "W3037"),
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


MESSAGES = templates.read(DEPLOY / "aws" / "messages.yaml")
ROLES = templates.read(DEPLOY / "aws" / "roles.yaml")


def test_the_queues_are_those_of_the_program():
    queues = templates.with_prefix(templates.resources(MESSAGES, "AWS::SQS::Queue"), PREFIX)
    names = {one["Properties"]["QueueName"]: name for name, one in queues.items()}
    assert {PREFIX + queue + end for queue in QUEUES for end in ("", DEAD_LETTERS)} < set(names)
    for queue in QUEUES:
        dead = names[PREFIX + queue + DEAD_LETTERS]
        kept = {"MessageRetentionPeriod": sqs_queues.KEPT_SECONDS, "SqsManagedSseEnabled": True}
        assert queues[dead]["Properties"] == {"QueueName": PREFIX + queue + DEAD_LETTERS} | kept
        assert queues[names[PREFIX + queue]]["Properties"] == {"QueueName": PREFIX + queue} | kept | {
            "VisibilityTimeout": sqs_queues.VISIBLE_AGAIN_SECONDS,
            "ReceiveMessageWaitTimeSeconds": sqs_queues.LISTEN_SECONDS,
            "RedrivePolicy": {
                "deadLetterTargetArn": {"Fn::GetAtt": f"{dead}.Arn"},
                "maxReceiveCount": sqs_queues.RECEIVES_MAX,
            },
        }


def test_the_rule_hears_what_the_program_says():
    [rule] = templates.resources(MESSAGES, "AWS::Events::Rule").values()
    assert rule["Properties"]["EventPattern"] == {"source": [eventbridge.SOURCE]}
    assert rule["Properties"]["EventBusName"] == {"Ref": "EventBus"}


def named(arn: str, there: set[str]) -> bool:
    """Whether an ARN of our own account is of one of these."""
    return arn.rpartition("}:")[2] in there


def too_much(template: dict) -> list[str]:
    """Rights of a role that are not by name, or on what nobody has made."""
    there = {*(f"table/{PREFIX}{table}" for table in TABLES), "event-bus/${Bus}"}
    there |= {PREFIX + queue + end for queue in QUEUES for end in ("", DEAD_LETTERS)}
    found = []
    for name, role in templates.with_prefix(templates.resources(template, "AWS::IAM::Role"), PREFIX).items():
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                resources = (
                    statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                )
                found += [f"{name} may {action}" for action in statement["Action"] if "*" in action]
                found += [f"{name} on {one}" for one in resources if one.rpartition("}:")[2] not in there]
    return found


def test_every_role_has_its_rights_by_name_on_what_there_is():
    assert len(templates.resources(ROLES, "AWS::IAM::Role")) == 6
    assert too_much(ROLES) == []


@pytest.mark.parametrize(
    ("right", "value"),
    [
        ("Action", ["dynamodb:*"]),
        ("Resource", "*"),
        ("Resource", [{"Fn::Sub": "arn:${AWS::Partition}:sqs:x:y:${Prefix}q"}]),
    ],
)
def test_a_right_that_is_too_much_is_found(right, value):
    spoiled = json.loads(json.dumps(ROLES))
    spoiled["Resources"]["Edge"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0][right] = value
    assert too_much(spoiled)


def test_every_queue_and_table_is_watched():
    alarms = templates.read(DEPLOY / "aws" / "alarms.yaml")["Resources"]
    lists = {name.partition("::ForEach::")[2]: one[1] for name, one in alarms.items()}
    assert lists["Throttled"] == list(TABLES)
    assert lists["Waits"] == list(QUEUES)
    aside = [queue + DEAD_LETTERS for queue in QUEUES]
    assert lists["NotRead"] == [*aside, "events-not-delivered"]
    nodes = templates.read(DEPLOY / "aws" / "cache.yaml")["Resources"]["Valkey"]["Properties"]["NumCacheClusters"]
    assert lists["Valkey"] == [f"{number:03}" for number in range(1, nodes + 1)]
