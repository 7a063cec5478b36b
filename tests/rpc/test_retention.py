"""Whatever is stored has somebody who removes it, or a reason to stay; and nobody can fill the platform."""

import asyncio
import importlib
import pkgutil
from typing import Any

import pytest

import traffic_tacos
from tests.clocks import HandClock
from tests.rpc.desk import code, on_platform
from tests.rpc.test_endpoints import APPROVED, ENDPOINTS, SERVICE, Receiver, listed
from tests.simulation import world
from traffic_tacos.app.retention import EXPIRIES, RETENTION, Ended, Kept
from traffic_tacos.engines.group_leases import GROUP_LEASE, GroupLease
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.presence import PROCESS, Present
from traffic_tacos.engines.purge import purge_expired
from traffic_tacos.gen.gateway.v1 import webhook_pb2 as pb
from traffic_tacos.gen.gateway.v1 import websocket_pb2
from traffic_tacos.gen.tacos.webhook.v1 import webhook_pb2 as own
from traffic_tacos.kernel.instants import DAY, HOUR, MINUTE, SECOND
from traffic_tacos.ports.http import HttpAnswer
from traffic_tacos.ports.idempotency import IDEMPOTENCY_RECORD, IdempotencyRecord
from traffic_tacos.ports.sessions import SESSION, Session
from traffic_tacos.ports.store import JOB, Decision, Job, Kind, delete, put
from traffic_tacos.rooms.realtime.model import Message
from traffic_tacos.rooms.realtime.records import MESSAGE
from traffic_tacos.rooms.realtime.service import BYTES_PER_TARGET_MAX, BYTES_WAITING_MAX, Realtime
from traffic_tacos.rooms.webhook.endpoints import ENDPOINTS_MAX, Endpoints
from traffic_tacos.rooms.webhook.model import Endpoint, EventType, Receipt, Secret
from traffic_tacos.rooms.webhook.records import ENDPOINT, RECEIPT

SEND = "gateway.v1.WebSocketService/SendMessage"


def kinds() -> set[Kind[Any]]:
    """Every kind of record that the package has, wherever it is declared."""
    found: set[Kind[Any]] = set()
    for module in pkgutil.walk_packages(traffic_tacos.__path__, "traffic_tacos."):
        if ".gen." not in module.name and not module.name.endswith("__main__"):
            declared = vars(importlib.import_module(module.name)).values()
            found.update(one for one in declared if type(one) is Kind)
    return found


def test_every_kind_of_record_has_an_owner_and_a_time_or_a_reason():
    assert {kind.name for kind in kinds()} == {kind.name for kind in RETENTION}
    for kind, how in RETENTION.items():
        assert not isinstance(how, Ended) or how.by, kind
        assert not isinstance(how, Kept) or how.why, kind


# One of each kind that the sweeper removes, made now; and how long after that it is gone.
def samples(now: int) -> dict[Kind[Any], tuple[Any, int]]:
    dead = Job("webhook.send:x", "webhook.send", now, is_dead=True)
    endpoint = Endpoint("whk_x", "x", "https://x.example/", (EventType(1),), (Secret("whsec_"),), "x", now, gone_at=now)
    return {
        IDEMPOTENCY_RECORD: (IdempotencyRecord("", now + 5 * MINUTE), 5 * MINUTE),
        JOB: (dead, 30 * DAY),
        MESSAGE: (Message("m", "", "text", 1, 1, {}, now, now + HOUR), HOUR),
        SESSION: (Session("user x", now + DAY), DAY),
        RECEIPT: (Receipt("c", now, ""), 7 * DAY),
        ENDPOINT: (endpoint, 30 * DAY),
        PROCESS: (Present(now), HOUR),
        GROUP_LEASE: (GroupLease("x", now), HOUR),
    }


class StillClock(HandClock):
    """Waiting on it takes no time: only tests set it."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


async def swept(store: MemoryStore, clock: StillClock) -> None:
    """The sweeper has walked over everything once, and more."""
    walking = asyncio.create_task(purge_expired(store, clock, EXPIRIES))
    for _ in range(100):
        await asyncio.sleep(0)
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)


def test_a_session_with_a_place_is_kept_as_long_as_places_are():
    [expiry] = [expiry for expiry in EXPIRIES if expiry.kind is SESSION]
    assert expiry.is_over(Session("user x", DAY), DAY)
    assert not expiry.is_over(Session("place evt 1", DAY, ("evt", 1)), 1000 * DAY)


async def test_one_of_each_kind_that_ends_is_there_before_its_time_and_gone_after_it():
    made = samples(StillClock().now())
    assert set(made) == {expiry.kind for expiry in EXPIRIES}
    for kind, (one, lasts) in made.items():
        store, clock, key = MemoryStore(), StillClock(), kind.key("x")
        await store.transact((), lambda _, key=key, one=one: Decision(None, [put(key, one)]))
        clock.advance((lasts - 1) / SECOND)
        await swept(store, clock)
        assert await store.get(key) is not None, kind
        clock.advance(1 / SECOND)
        await swept(store, clock)
        assert await store.get(key) is None, kind


def message(user: str, size: int, **data: str) -> Any:
    return websocket_pb2.SendMessageRequest(
        target_user_id=user, message_type=websocket_pb2.MESSAGE_TYPE_INFO, content="x" * size, data=data
    )


def waiting(desk) -> list[Message]:
    return [one for _, one in desk.records().all(MESSAGE)]


@on_platform
async def test_messages_for_one_who_never_comes_are_few_and_small_and_gone_after_an_hour(desk):
    desk.checks_every_commit = False
    for _ in range(120):
        big = message("nobody", 4000, **{f"k{n}": "x" * 900 for n in range(20)})
        assert code(await desk.as_service(SEND, big)) == ""
    assert sum(one.size for one in waiting(desk)) <= BYTES_PER_TARGET_MAX
    assert len(waiting(desk)) > 5
    for _ in range(150):
        assert code(await desk.as_service(SEND, message("another", 10))) == ""
    assert len(waiting(desk)) < 150
    await desk.clock.sleep(3700)
    assert waiting(desk) == []
    assert desk.platform.part(Realtime).bytes_waiting == 0


@on_platform
async def test_messages_for_many_who_never_come_are_bounded_altogether_also_after_a_restart(desk):
    if world.ENGINE != "memory":
        pytest.skip("64 MB go through the sweeper again and again: on memory alone")
    desk.checks_every_commit = False
    now = desk.clock.now()
    big = [Message(f"m{n}", "", "x" * 200_000, 1, 1, {}, now, now + HOUR) for n in range(BYTES_WAITING_MAX // 200_000)]
    for one in big:
        write = put(MESSAGE.key("user", one.id, "1", one.id), one)
        await desk.platform.engines.store.transact((), lambda _, write=write: Decision(None, (write,)))
    assert code(await desk.as_service(SEND, message("one more", 4000))) == "QUOTA_EXCEEDED"
    await desk.crash()
    assert code(await desk.as_service(SEND, message("one more", 4000))) == "QUOTA_EXCEEDED"
    await desk.clock.sleep(3700)
    assert code(await desk.as_service(SEND, message("one more", 4000))) == ""


@on_platform
async def test_a_crowd_of_expiry_webhooks_becomes_no_crowd_of_jobs(desk):
    """For a reservation that does not exist they are refused; for one that does, we look once, and when its time is."""
    held = await desk.held("ana", 1)
    before = set(desk.jobs())
    for number in range(300):
        for reservation_id, expected in (("rsv_none", "NOT_FOUND"), (held.reservation_id, "")):
            request = pb.ExpiryWebhookRequest(
                webhook_id=f"{reservation_id}-{number}", reservation_id=reservation_id, source="tester"
            )
            assert code(await desk.as_service(SERVICE + "ReceiveExpiryWebhook", request)) == expected
        await desk.clock.sleep(0.02)
    assert len(set(desk.jobs()) - before) == 1
    failed = desk.platform.engines.jobs.figures().failed
    await desk.clock.sleep(80)
    assert desk.platform.engines.jobs.figures().failed == failed
    assert set(desk.jobs()) - before == set()
    assert len(list(desk.records().all(RECEIPT))) == 300


@pytest.mark.parametrize(
    ("intent", "reservation", "expected"), [("pi_none", "", ""), ("", "rsv_none", "INVALID_ARGUMENT")]
)
def test_news_of_payments_that_are_not_ours_are_no_work(intent, reservation, expected):
    from tests.rpc.test_webhooks_and_health import WEBHOOK, webhook

    @on_platform
    async def run(desk):
        held = await desk.held("ana", 1)
        mine = (await desk.intent("ana", held)).payment_intent_id
        before = set(desk.jobs())
        if reservation:
            held.reservation_id = reservation
        answer = await desk.ask(WEBHOOK, webhook(desk, held, intent or mine))
        assert code(answer) == expected
        assert answer.next_action == ("none" if not expected else "")
        assert set(desk.jobs()) == before
        await desk.clock.sleep(700)

    run()


@on_platform
async def test_a_removed_endpoint_leaves_nothing_behind(desk):
    """Neither its secret, nor what it was yet to be told or could not be told, nor how it was doing."""
    desk.checks_every_commit = False
    shop = Receiver(desk, "shop", *[HttpAnswer(410)] * 99)
    endpoint = (await shop.register(APPROVED)).webhook_id
    other = Receiver(desk, "zed", *[HttpAnswer(500)] * 99)
    await other.register(APPROVED)
    for number in range(3):
        fan = f"fan{number}"
        await desk.pay(fan, await desk.held(fan, 1))
    await desk.clock.sleep(20)
    assert (await listed(desk))["shop"].dead == 3
    request = own.RemoveEndpointRequest(endpoint_id=endpoint)
    assert code(await desk.as_service(ENDPOINTS + "RemoveEndpoint", request)) == ""
    assert "shop" not in await listed(desk)
    assert endpoint not in await listed(desk)
    assert [one.id for _, one in desk.records().all(JOB) if endpoint in one.id] == []
    assert [one.id for _, one in desk.records().all(ENDPOINT)] != []
    assert (await listed(desk))["zed"].waiting == 3
    await desk.as_service(
        ENDPOINTS + "RemoveEndpoint", own.RemoveEndpointRequest(endpoint_id=desk.platform.part(Endpoints).all()[0].id)
    )


@on_platform
async def test_endpoints_are_bounded_also_when_many_register_at_once(desk):
    desk.checks_every_commit = False
    many = [Endpoint(f"whk_{n}", "s", "https://a.example", (), (), "s", desk.clock.now()) for n in range(ENDPOINTS_MAX)]
    endpoints = desk.platform.part(Endpoints)
    endpoints.committed([put(ENDPOINT.key(one.id), one) for one in many])
    assert code(await Receiver(desk, "late").register(APPROVED)) == "QUOTA_EXCEEDED"
    endpoints.committed([delete(ENDPOINT.key(one.id)) for one in many])
