"""The audit log is a chain: whatever is done to it afterwards shows."""

import msgspec
import pytest

from tests.rpc.desk import on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.operations.invariants import Everything, verified_of
from traffic_tacos.ports.audit import AUDIT, CHAIN_END, ChainEnd, audit_key, broken_links, digest
from traffic_tacos.ports.store import Decision, delete, put


def tampered(change):
    """What is broken after `change` of a log of five entries, by the check of `tacos verify`."""
    found = []

    @on_platform
    async def on_desk(desk):
        for number in range(1, 6):
            request = admin_pb2.UpdateConfigRequest(
                service="queue",
                config_key=f"events/{EVENT_ID}/admission.rate_per_second",
                config_value=str(number),
                reason=f"reason {number}",
            )
            assert (await desk.operate("common.v1.AdminService/UpdateConfig", request)).updated
        entries = {entry.number: entry for _, entry in desk.records().all(AUDIT)}
        writes = change(entries)
        desk.checks_every_commit = False
        await desk.store.transact((), lambda _: Decision(None, writes))
        everything = Everything(desk.records(), desk.clock.now())
        (result,) = [one for one in verified_of(everything) if one.invariant == "audit"]
        found.extend(result.violations)
        undone = [put(audit_key(number), entry) for number, entry in entries.items()]
        undone += [delete(audit_key(6)), put(CHAIN_END, ChainEnd(5, digest(entries[5])))]
        await desk.store.transact((), lambda _: Decision(None, undone))

    on_desk()
    return found


def changed(entry, **fields):
    return put(audit_key(entry.number), msgspec.structs.replace(entry, **fields))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda log: [], []),
        (lambda log: [changed(log[3], new="77")], ["entry 3 was changed, or entry 4 was put in its place"]),
        (lambda log: [changed(log[3], reason="")], ["entry 3 was changed, or entry 4 was put in its place"]),
        (lambda log: [delete(audit_key(2))], ["entry 2 is missing or out of place"]),
        (lambda log: [delete(audit_key(5))], ["the chain ends with entry 5 of another digest; the last is 4"]),
        (lambda log: [changed(log[5], actor="x")], ["the chain ends with entry 5 of another digest; the last is 5"]),
        (
            lambda log: [put(audit_key(6), msgspec.structs.replace(log[4], number=6))],
            [
                "entry 5 was changed, or entry 6 was put in its place",
                "the chain ends with entry 5 of another digest; the last is 6",
            ],
        ),
        (lambda log: [delete(audit_key(1))], ["entry 1 is missing or out of place"]),
    ],
)
def test_whatever_is_done_to_the_log_shows(change, expected):
    assert tampered(change) == expected


def test_an_empty_log_is_whole_and_an_emptied_one_is_not():
    assert broken_links([], None) == []
    assert broken_links([], ChainEnd(3, "x")) == ["the chain ends with entry 3 of another digest; the last is 0"]
