"""A store is checked so many reservations at a time: what is broken is found in whichever part it is, and once."""

import msgspec

from tests.rpc.desk import code, on_platform
from traffic_tacos.operations.invariants import verified
from traffic_tacos.ports.store import Decision, delete, put
from traffic_tacos.rooms.inventory.records import HOLD, ROW
from traffic_tacos.rooms.payment.records import PAYMENT
from traffic_tacos.rooms.reservation.records import ADMISSION_USE, ORDER, RESERVATION


async def bought(desk, fans):
    for fan in fans:
        held = await desk.held(fan, 1)
        assert code(held) == ""
        await desk.pay(fan, held)
    await desk.clock.sleep(60)


def found(desk, at_once):
    return {
        one.invariant: (sorted(one.violations), one.violation_count)
        for one in verified(desk.memory, desk.clock.now(), at_once)
    }


def changed(desk, kind, index, **fields):
    path, record = sorted(desk.memory.all(kind))[index]
    return put(kind.key(*path.split("/")[1:]), msgspec.structs.replace(record, **fields))


@on_platform
async def test_what_is_broken_is_found_in_parts_as_in_the_whole(desk):
    await bought(desk, [f"fan{number}" for number in range(6)])
    assert not any(count for _, count in found(desk, 1000).values())
    assert found(desk, 1) == found(desk, 1000)
    counted = {one.invariant: one.checked for one in verified(desk.memory, desk.clock.now(), 1000)}
    assert {one.invariant: one.checked for one in verified(desk.memory, desk.clock.now(), 1)} == counted
    order = sorted(desk.memory.all(ORDER))[0][1]
    row_path, row = sorted(desk.memory.all(ROW))[0]
    hold_path, hold = sorted(desk.memory.all(HOLD))[1]
    again = sorted(desk.memory.all(RESERVATION))[2][1].admission_id
    writes = (
        delete(ORDER.key(order.id)),
        changed(desk, PAYMENT, 1, refunded=1),
        put(ROW.key(*row_path.split("/")[1:]), msgspec.structs.replace(row, gone=row.gone ^ 1)),
        put(HOLD.key(*hold_path.split("/")[1:]), msgspec.structs.replace(hold, committed_at=None)),
        changed(desk, RESERVATION, 4, admission_id=again),
    )
    before = dict(desk.memory.kept())
    await desk.memory.transact((), lambda _: Decision(None, writes))
    damaged, _ = sorted(desk.memory.all(ADMISSION_USE))[5]
    desk.memory.keep(damaged, b"not a record")
    whole = found(desk, 1000)
    assert [name for name, (_, count) in whole.items() if count] == ["records", "I1", "I2", "I3", "I4", "I5", "I11"]
    assert found(desk, 1) == found(desk, 2) == whole
    desk.memory.restore(before)
    desk.memory.keep(damaged, before[damaged])
    desk.broken = None
