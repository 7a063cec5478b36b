"""Messages to a reader whose stream is open in another process."""

import asyncio
import random

import pytest

from tests.unit.engines.test_peers import Process, on_virtual_time, running
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.domain_events import MessageSent
from traffic_tacos.ports.store import OUTBOX
from traffic_tacos.rooms.realtime import service
from traffic_tacos.rooms.realtime.model import Subject
from traffic_tacos.rooms.realtime.records import MESSAGE
from traffic_tacos.rooms.realtime.service import Realtime, Send


class Nothing:
    """No reservations, and no payments."""

    async def present(self, user_id, ids, call):
        return []


class Edge(Process):
    """One process with streams."""

    def __init__(self, records, clock, number):
        super().__init__(records, clock, number)
        self.realtime = Realtime(self.store, clock, random.Random(number), Nothing(), Nothing(), has_peers=True)
        self.outbox.subscribe(self.realtime.handle)
        self.read = []

    def committed(self, writes):
        super().committed(writes)
        self.realtime.committed(writes)

    async def _hear(self, event):
        pass

    _forward = _hear

    async def listens(self, name, session=""):
        call = Call(Caller(Role.FAN, name), "t")
        async for told in self.realtime.watch(Subject.RESERVATION, name, session, (), call):
            self.read.append(told.content)


def sent(**target):
    return Send(**{"user_id": "", "session_id": "", **target}, type=1, title="", content="hello", data={}, priority=1)


@pytest.mark.parametrize("target", [{"user_id": "ana"}, {"session_id": "tab"}], ids=["a user", "a session"])
def test_a_message_is_delivered_when_a_stream_of_any_process_took_it_and_told_once(target):
    @on_virtual_time
    async def test(clock):
        records = MemoryStore()
        one, other = Edge(records, clock, 1), Edge(records, clock, 2)
        async with running(one, other):
            assert (await one.realtime.send(sent(**target)))[1] is False
            stream = asyncio.create_task(other.listens("ana", "tab"))
            await clock.sleep(1)
            assert other.read == ["hello"]  # what waited
            began = clock.now()
            assert (await one.realtime.send(sent(**target)))[1] is True
            assert clock.now() - began < service.TAKEN_ELSEWHERE_WITHIN_SECONDS * 1000
            assert (await other.realtime.send(sent(**target)))[1] is True
            await clock.sleep(60)  # events are kept, and told once more where a process died
            assert (one.read, other.read) == ([], ["hello"] * 3)
            assert list(records.all(MESSAGE)) == list(records.all(OUTBOX)) == []
            stream.cancel()

    test()


@on_virtual_time
async def test_what_another_process_has_told_is_no_longer_counted_once_it_would_have_expired(clock):
    records = MemoryStore()
    one, other = Edge(records, clock, 1), Edge(records, clock, 2)
    async with running(one, other):
        stream = asyncio.create_task(other.listens("ana"))
        await clock.sleep(1)
        for _ in range(3):
            assert (await one.realtime.send(sent(user_id="ana")))[1]
        assert one.realtime.bytes_waiting > 0  # nobody tells it
        await clock.sleep(service.MESSAGES_KEPT_FOR / 1000)
        message, _ = await one.realtime.send(sent(user_id="bob"))
        assert one.realtime.bytes_waiting == message.size
        stream.cancel()


@pytest.mark.parametrize(("before_it_expires", "read"), [(1, ["hello"]), (0, [])])
def test_a_message_that_has_expired_is_not_delivered_although_nobody_has_removed_it_yet(before_it_expires, read):
    @on_virtual_time
    async def test(clock):
        records = MemoryStore()
        one, other = Edge(records, clock, 1), Edge(records, clock, 2)
        stream = asyncio.create_task(other.listens("ana"))
        await clock.sleep(1)
        message, is_taken = await one.realtime.send(sent(user_id="ana"))
        assert not is_taken  # the other process has not heard of it
        await clock.sleep((message.expires_at - clock.now() - before_it_expires) / 1000)
        assert len(list(records.all(MESSAGE))) == 1
        await other.realtime.handle(MessageSent(message.id, "ana", "", message.sent_at))
        await clock.sleep(1)
        assert other.read == read
        stream.cancel()

    test()
