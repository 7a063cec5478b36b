"""The list of rooms, and what of each the platform uses."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.rpc.desk import on_platform
from traffic_tacos import rooms
from traffic_tacos.app import config
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.ports.rooms import Gauge, Room
from traffic_tacos.ports.settings import LOG_LEVEL
from traffic_tacos.ports.store import OUTBOX, Decision, Job


def test_every_folder_of_a_room_is_in_the_list_of_rooms():
    folders = {file.parent.name for file in Path(rooms.__path__[0]).glob("*/__init__.py")}
    assert folders == set(config.ROOMS)
    assert set(config.ROOMS) > config.SHARING_A_STORE


@on_platform
async def test_whatever_a_room_brings_is_used(desk):
    heard: list[object] = []

    async def note(job):
        heard.append(job.topic)

    async def note_event(event):
        heard.append(event.event_id)

    async def at_the_start():
        heard.append("load")

    async def going_on():
        heard.append("loop")
        await desk.clock.sleep(1e9)

    async def received(headers, body):
        heard.append(body)
        return {"taken": True}

    cache = {"one": 1}
    room = Room(
        services=(),
        handlers={"kitchen.cook": note},
        subscribers=(note_event,),
        gauges=(Gauge("tacos_kitchen_pots", "Pots", "stove", lambda: [("left", 3.0)]),),
        caches={"pots": cache},
        loops={"stove": going_on},
        settings={LOG_LEVEL: heard.append},
        receivers={"/kitchen": received},
        issues=lambda: ["the stove is cold"],
        load=at_the_start,
        committed={OUTBOX: lambda writes: heard.append(f"commit of {writes[0].value.event_id}")},
        refresh=lambda: heard.append("refresh"),
        hang_up=lambda: heard.append("hang up"),
        parts=(cache,),
    )
    kitchen = ModuleType("traffic_tacos.rooms.kitchen.build")
    kitchen.build = lambda on: room
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "traffic_tacos.rooms.kitchen", ModuleType("traffic_tacos.rooms.kitchen"))
        patch.setitem(sys.modules, kitchen.__name__, kitchen)
        patch.setattr(config, "ROOMS", (*config.ROOMS, "kitchen"))
        await desk.crash()
    platform = desk.platform
    await platform.engines.store.transact(
        (), lambda _: Decision(None, jobs=(Job("one", "kitchen.cook", 0),), events=(EventChanged("kitchen.ready"),))
    )
    await desk.clock.sleep(1)
    assert {"load", "loop", "commit of kitchen.ready", "kitchen.cook", "kitchen.ready"} <= set(heard)
    assert ("tacos_kitchen_pots", {"stove": "left"}, 3.0) in [
        (gauge.name, gauge.labels, gauge.value) for gauge in platform.calls.metrics.gauges()
    ]
    [shown] = [one for one in await platform.health.rooms() if one.name == "kitchen"]
    assert "the stove is cold" in shown.issues
    assert platform.part(dict) is cache
    with pytest.raises(KeyError):
        platform.part(SimpleNamespace)
    answer = await desk.http("POST", "/kitchen", body=b"tacos")
    assert (answer.status_code, answer.json()) == (200, {"taken": True})
    platform.hang_up()
    assert {b"tacos", "hang up"} <= set(heard)
