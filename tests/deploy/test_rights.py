"""Whole sales under the rights that deploy/aws/roles.yaml gives, each process under those of its role."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cloud import BUS, EVENT, EVENT_ID, PROCESSES, TABLES, Cloud
from tests.deploy.aws import ROOT, aws
from tests.emulators import valkey

pytestmark = pytest.mark.long

NAMES = ("sale-1", "worker-1", "relay-1", "admin-1", "edge-1")
WORK = (
    "buy {event} --quantity 2",
    "event block {event} FLOOR-S1-9",
    "event unblock {event} FLOOR-S1-9",
    "webhook list",
    "webhook dead",
    "admin health",
    "admin set limits.fan_per_second 50 --reason less",
    "admin emergency cancel-reservations --event {event} --reason wrong --yes",
    "admin emergency cancel-reservations --event {event} --resume --reason right --yes",
    "admin drain {event} --dry-run --reason over",
    "admin audit",
    "reconcile",
    "verify",
)
REFUSED = re.compile(r".*(?:AccessDenied|not authorized to perform|does not accept our credentials).*")


@contextmanager
def running(folder) -> Iterator[Cloud]:
    with aws(folder / "aws", TABLES, BUS) as made, valkey(folder / "valkey") as queues:
        redis = {"TACOS_REDIS": queues.url}
        settings = {"event": [str(EVENT)], "redis-replicas": 0, "time-scale": 1000}
        cloud = Cloud(folder, made.as_root() | redis, NAMES, settings)
        others = {name: value for name, value in os.environ.items() if name not in ROOT}
        for name, process in cloud.processes.items():
            role = PROCESSES[name]
            process.environment = others | made.as_pod(role, role) | redis | {"HOME": str(folder)}
        try:
            cloud.start(print)
            yield cloud
        finally:
            cloud.kill()


def test_every_role_may_do_what_it_does(tmp_path):
    with running(tmp_path) as cloud:
        for command in WORK:
            done = cloud.tacos(*command.format(event=EVENT_ID).split())
            assert done.returncode == 0, f"{command}: {done.stdout[-500:]} {done.stderr[-500:]}"
        refused = {name: REFUSED.findall(process.log.read_text()) for name, process in cloud.processes.items()}
        assert {name: lines[:3] for name, lines in refused.items() if lines} == {}
