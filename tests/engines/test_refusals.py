"""What the commands say of an AWS that is not as it should be: one line, which names what would be right."""

import os

import pytest

from tests.e2e.process import ran, tacos
from tests.emulators import found_as


def told(environment, *arguments):
    """What a command says, and ends with."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    quiet = {"AWS_EC2_METADATA_DISABLED": "true", "COLUMNS": "200", **environment}
    done = ran(arguments, {**outside, **quiet})
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize("command", [("up",), ("verify",)])
def test_tables_that_are_missing_are_named_with_what_makes_them(aws, command, tmp_path):
    data = ("--data", str(tmp_path / "data"), "--dynamodb", "none-")
    assert told(aws, *command, *data) == (1, "error: a table is missing: `tacos aws create-tables` makes them")


@pytest.mark.parametrize(
    ("environment", "arguments", "status", "said"),
    [
        ({}, ("--dynamodb", "t-"), 2, "error: dynamodb: needs a region in the environment, as AWS_REGION"),
        ({"AWS_REGION": "eu-central-1"}, ("--dynamodb", "a b"), 2, "error: dynamodb: must be 1 to 40 letters"),
        ({"AWS_REGION": "eu-central-1"}, (), 2, "error: dynamodb: is required"),
    ],
)
def test_what_is_asked_wrongly_is_refused_at_once(environment, arguments, status, said):
    ended, line = told(environment, "aws", "create-tables", *arguments)
    assert ended == status and line.startswith(said) and "\n" not in line


def test_an_address_where_nothing_answers_is_told_in_one_line(tmp_path):
    ended, line = told(found_as("http://127.0.0.1:9"), "verify", "--dynamodb", "t-")
    assert ended == 1 and line.startswith("error: DynamoDB does not answer: ClientConnector") and "\n" not in line


@pytest.mark.parametrize(
    ("environment", "arguments", "status", "said"),
    [
        ({}, ("--sqs", "t-"), 2, "error: sqs: needs a region in the environment, as AWS_REGION"),
        ({"AWS_REGION": "eu-central-1"}, ("--sqs", "a.b"), 2, "error: sqs: must be 1 to 40 letters"),
        ({"AWS_REGION": "eu-central-1"}, ("--event-bus", "a b"), 2, "error: event-bus: must be 1 to 64 letters"),
        ({"AWS_REGION": "eu-central-1"}, (), 2, "error: dynamodb: or sqs or event-bus must be given"),
        (
            {"AWS_REGION": "eu-central-1"},
            ("--sqs", "t-"),
            1,
            "error: SQS does not accept our credentials: NoCredentialsError",
        ),
        (found_as("http://127.0.0.1:9"), ("--sqs", "t-"), 1, "error: SQS does not answer: EndpointConnectionError"),
        (found_as("http://127.0.0.1:9"), ("--event-bus", "b"), 1, "error: EventBridge does not answer: Endpoint"),
    ],
)
def test_queues_and_a_bus_that_cannot_be_made_are_told_in_one_line(environment, arguments, status, said):
    ended, line = told(environment, "aws", "create", *arguments)
    assert ended == status and line.startswith(said) and "\n" not in line


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--sqs", "none-"), 2, "error: sqs: needs dynamodb"),
        (("--dynamodb", "t-", "--sqs", "none-"), 2, "error: sqs: a queue is missing: `tacos aws create` makes them"),
        (("--dynamodb", "t-", "--event-bus", "none"), 2, "error: event-bus: is missing: `tacos aws create` makes it"),
    ],
)
def test_a_platform_does_not_start_without_its_queues_and_its_bus(aws, arguments, status, said, tmp_path):
    ended, line = told(aws, "up", "--data", str(tmp_path / "data"), *arguments)
    assert ended == status and line.startswith(said) and "\n" not in line


def test_tables_are_made_once_and_left_as_they_are(aws):
    for word in ("created", "is there already"):
        done = tacos("aws", "create-tables", "--dynamodb", "made-", **aws)
        assert done.stdout.splitlines() == [
            f"made-{name}: {word}" for name in ("reservations", "inventory", "orders", "payments", "platform")
        ]
