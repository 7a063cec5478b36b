"""A pod has no credentials, but a token that AWS exchanges for those of its role."""

import pytest

from tests.deploy.aws import aws
from traffic_tacos.app import stores
from traffic_tacos.ports.store import StoreUnavailable

PREFIX = "tacos-"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with aws(tmp_path_factory.mktemp("aws")) as made:
        yield made


def as_pod(monkeypatch, cloud, role, account):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    for name, value in cloud.as_pod(role, account).items():
        monkeypatch.setenv(name, value)


async def read(table):
    payload = {"TableName": PREFIX + table, "Key": {"pk": {"S": "event.0"}, "sk": {"S": "event/x"}}}
    async with stores.wire_to(PREFIX) as wire:
        return await wire("GetItem", payload)


async def test_a_process_is_let_in_under_the_role_of_its_pod_and_no_further(cloud, monkeypatch):
    as_pod(monkeypatch, cloud, "edge", "edge")
    assert "Item" not in await read("platform")
    with pytest.raises(StoreUnavailable, match="AccessDenied"):
        await read("payments")


async def test_no_other_pod_gets_the_role(cloud, monkeypatch):
    as_pod(monkeypatch, cloud, "sale", "edge")
    with pytest.raises(StoreUnavailable, match="NoCredentialsFound"):
        await read("platform")
