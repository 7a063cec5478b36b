"""The pages about clusters: a runbook for each alert, and commands that kubectl and AWS know."""

import functools
import re
import shlex
from collections.abc import Iterator

import pytest
from botocore import xform_name
from botocore.session import get_session

from tests.deploy import templates
from tests.deploy.checkers import DEPLOY, ROOT, checked
from tests.deploy.manifests import of_kind
from tests.rpc.test_observability import RULES

PAGES = [ROOT / "docs" / name for name in ("deployment.md", "runbooks.md", "sizing.md", "many-machines.md")]
RUNBOOKS = ROOT / "docs" / "runbooks.md"
# What the command line of AWS has beside the calls of its services, and its own options.
OWN_COMMANDS = {
    "cloudformation deploy": {"stack-name", "template-file", "parameter-overrides", "capabilities"},
    "dynamodb wait table-exists": {"table-name"},
}
OWN_OPTIONS = {"query", "output"}


def alarms() -> set[str]:
    names = re.findall(r"docs/runbooks\.md#(\w+)", (DEPLOY / "aws" / "alarms.yaml").read_text())
    return set(names)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    heads = re.findall(r"^### (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)
    assert len(heads) == len(set(heads))
    ours = {head for head in heads if head.startswith("Tacos")}
    assert ours == {rule["alert"] for rule in RULES}
    assert {head.lower() for head in heads if head not in ours} == alarms()


def commands(program: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE).replace("\n", " ")
        lines = re.findall(rf"^ *({program} .+)$", text, re.MULTILINE)
        found += [(page.name, command) for command in [*lines, *re.findall(rf"`({program} [^`]+)`", prose)]]
    return [
        (page, part.strip())
        for page, command in found
        for part in re.split(r"\s\|\s", command)
        if part.strip().startswith(program)
    ]


@functools.cache
def usage(*verb: str) -> str:
    """What kubectl says of a command; empty when it has none."""
    if any(not re.fullmatch("[a-z-]+", word) or word.startswith("-") for word in verb):
        return ""
    said = checked("kubectl", *verb, "--help").stdout
    return said if re.search(rf"^  kubectl {' '.join(verb)}( |$)", said, re.MULTILINE) else ""


@functools.cache
def everywhere() -> str:
    """The options of every command."""
    return checked("kubectl", "options").stdout


def fault_of_kubectl(command: str) -> str:
    """What kubectl would not know, or name that is not deployed; empty for nothing."""
    words = shlex.split(re.sub("^kubectl (-n [a-z]+ )?", "", command.partition(" -- ")[0]))
    known = next((text for verb in (words[:3], words[:2], words[:1]) if (text := usage(*verb))), "")
    if not known:
        return f"kubectl has no {words[0]}"
    given = [word[2:].split("=")[0] for word in words if word.startswith("--")]
    if unknown := [one for one in given if not re.search(rf"--{one}(?![\w-])", known + everywhere())]:
        return f"there is no option --{unknown[0]}"
    named = re.findall(r" (?:deploy|deployment)/([a-z-]+)(?![/\w])", command)
    there = {*of_kind("production", "Deployment"), "keda-operator"}
    return "".join(f"there is no Deployment {name}" for name in named if name not in there)


def test_kubectl_knows_every_command_of_the_pages():
    found = commands("kubectl")
    assert len(found) > 25
    assert [(*one, fault) for one in found if (fault := fault_of_kubectl(one[1]))] == []


@pytest.mark.parametrize(
    "command", ["kubectl get pods --all", "kubectl aply -k x", "kubectl -n tacos rollout restart deployment/sales"]
)
def test_a_command_that_kubectl_does_not_know_is_found(command):
    assert fault_of_kubectl(command)


@functools.cache
def calls_of(service: str) -> dict[str, set[str]]:
    """The calls of a service of AWS by the name that the command line gives them, and their options."""
    session = get_session()
    if service not in session.get_available_services():
        return {}
    model = session.get_service_model(service)
    return {
        xform_name(name, "-"): set(options(model.operation_model(name).input_shape)) for name in model.operation_names
    }


def options(shape) -> Iterator[str]:
    for name, member in shape.members.items() if shape is not None else ():
        yield xform_name(name, "-")
        if member.type_name == "boolean":
            yield f"no-{xform_name(name, '-')}"


def fault_of_aws(command: str) -> str:
    words = shlex.split(command)[1:]
    own = next((known for name, known in OWN_COMMANDS.items() if " ".join(words).startswith(name)), None)
    known = own if own is not None else calls_of(words[0]).get(words[1])
    if known is None:
        return f"AWS has no {words[0]} {words[1]}"
    given = {word[2:].split("=")[0] for word in words if word.startswith("--")} - OWN_OPTIONS
    return "".join(f"there is no option --{one}" for one in sorted(given - known))


def test_aws_knows_every_command_of_the_pages():
    found = commands("aws")
    assert len(found) > 12
    assert [(*one, fault) for one in found if (fault := fault_of_aws(one[1]))] == []


@pytest.mark.parametrize(
    "command", ["aws sqs purge --queue-url URL", "aws dynamodb update-table --table X", "aws dynamo list-tables"]
)
def test_a_command_that_aws_does_not_know_is_found(command):
    assert fault_of_aws(command)


def test_every_stack_is_made_with_the_parameters_that_it_asks_for():
    made = {}
    for _, command in commands("aws cloudformation deploy"):
        words = shlex.split(command)
        given = (
            {word.split("=")[0] for word in words[words.index("--parameter-overrides") + 1 :] if "=" in word}
            if "--parameter-overrides" in words
            else set()
        )
        made[words[words.index("--template-file") + 1]] = given
    assert set(made) == {f"deploy/aws/{path.name}" for path in templates.PATHS}
    for path in templates.PATHS:
        asked = templates.read(path)["Parameters"]
        needed = {name for name, parameter in asked.items() if "Default" not in parameter}
        assert needed <= made[f"deploy/aws/{path.name}"] <= set(asked), path.name
