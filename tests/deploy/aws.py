"""An AWS on this machine that makes what the templates say, and lets nobody do more than their role may."""

import asyncio
import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from aiobotocore.session import get_session

from tests.deploy import templates
from tests.deploy.checkers import DEPLOY
from tests.emulators import ministack

REGION = "eu-central-1"
ACCOUNT = "000000000000"
PORT = 80  # aiodynamo signs the host without a port
ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
PROVIDER = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF"
AUDIENCE = "sts.amazonaws.com"
SERVICES = "dynamodb,sqs,events,cloudformation,iam,sts,logs,monitoring"
# What the emulator does not have.
NOT_HERE = ("AWS::Events::Archive",)
# On AWS the right to do one is the right to do ten at once.
IN_BATCHES = ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
# The emulator takes DescribeEventBus to be about every bus, for it looks for the bus under another name than AWS does.
LOOK_AT_ANY_BUS = {"Effect": "Allow", "Action": ["events:DescribeEventBus"], "Resource": "*"}
MADE_WITHIN = 30
TEMPLATES = ("tables", "messages", "roles")


class Aws:
    def __init__(self, address: str, folder: Path, prefix: str) -> None:
        self.address = address
        self._folder = folder
        self._prefix = prefix

    def as_root(self) -> dict[str, str]:
        """The environment of whoever may do everything."""
        return {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.address, **ROOT}

    def as_pod(self, role: str, account: str) -> dict[str, str]:
        """The environment of a pod under a service account, that asks for a role: AWS exchanges the token in it for
        credentials where the role trusts that account.
        """
        claims = {"iss": f"https://{PROVIDER}", "sub": f"system:serviceaccount:tacos:{account}", "aud": AUDIENCE}
        token = self._folder / f"{role}-{account}.token"
        token.write_text(jwt.encode(claims, "the emulator looks at no signature", "HS256"))
        return {
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/{self._prefix}{role}",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ROLE_SESSION_NAME": role,
        }


@contextmanager
def aws(folder: Path, prefix: str = "tacos-", bus: str = "tacos") -> Iterator[Aws]:
    host = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
    _check_may_listen(host)
    with ministack(folder, host, PORT, SERVICES=SERVICES, AUTH="true", **ROOT) as address:
        asyncio.run(_make(address, {"Prefix": prefix, "Bus": bus, "OidcProvider": PROVIDER}))
        yield Aws(address, folder, prefix)


def _check_may_listen(host: str) -> None:
    try:
        with socket.socket() as probe:
            probe.bind((host, PORT))
    except OSError as error:
        pytest.skip(f"port {PORT} of {host} cannot be had here: {error.strerror}")


async def _make(address: str, parameters: Mapping[str, str]) -> None:
    async with get_session().create_client(
        "cloudformation",
        region_name=REGION,
        endpoint_url=address,
        aws_access_key_id=ROOT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT["AWS_SECRET_ACCESS_KEY"],
    ) as cloudformation:
        for name in TEMPLATES:
            template = _template(name)
            known = parameters.items() & {(key, parameters.get(key)) for key in template["Parameters"]}
            await cloudformation.create_stack(
                StackName=name,
                TemplateBody=yaml.safe_dump(template),
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in known],
            )
            async with asyncio.timeout(MADE_WITHIN):
                while (status := await _status(cloudformation, name)).endswith("IN_PROGRESS"):
                    await asyncio.sleep(0.1)
            assert status == "CREATE_COMPLETE", f"{name}: {status}"


async def _status(cloudformation, name: str) -> str:
    found = await cloudformation.describe_stacks(StackName=name)
    return str(found["Stacks"][0]["StackStatus"])


def _template(name: str) -> dict[str, Any]:
    template = templates.read(DEPLOY / "aws" / f"{name}.yaml")
    kept = {key: one for key, one in template["Resources"].items() if one["Type"] not in NOT_HERE}
    for role in templates.resources(template, "AWS::IAM::Role").values():
        statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        for statement in statements:
            statement["Action"] += [f"{action}Batch" for action in statement["Action"] if action in IN_BATCHES]
        statements.append(LOOK_AT_ANY_BUS)
    return template | {"Resources": kept}
