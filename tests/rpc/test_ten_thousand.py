"""Ten thousand fans, on the virtual clock: their order, their places, and how fast they are let in."""

import asyncio
from itertools import count

from tests.rpc.desk import QUEUE, on_platform
from tests.rpc.test_waiting_room import admit, emergency, status
from traffic_tacos.gen.gateway.v1 import queue_pb2

FANS, CALLERS, RATE = 10_000, 32, 1000
EVENT_ID = "evt_big"
EVENT = f"""
id: {EVENT_ID}
name: Big Night
currency: KRW
admission: {{rate_per_second: {RATE}, active_max: 20000}}
sections: [{{id: PIT, name: Standing, price: 30000, standing: 20000}}]
"""


@on_platform
async def test_ten_thousand_from_32_callers_stand_in_order_and_are_let_in_at_the_rate_each_once(desk):
    desk.checks_every_commit = False  # once at the end
    await desk.platform.put_on_sale(EVENT)
    await emergency(desk)
    ticks, names = count(), iter(range(FANS))
    joined: list[tuple[int, int, str]] = []  # begun, answered, token

    async def caller():
        for name in names:
            begun = next(ticks)
            request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id=f"s{name}")
            answer = await desk.ask(QUEUE + "JoinQueue", request)
            joined.append((begun, next(ticks), answer.waiting_token))
            if name % 7 == 0:
                await asyncio.sleep(desk.random.uniform(0, 0.01))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    places = {token: (await status(desk, token)).position for _, _, token in joined}
    assert sorted(places.values()) == list(range(1, FANS + 1))
    answered = sorted((end, places[token]) for _, end, token in joined)
    done, last_place = 0, 0
    for begun, _, token in sorted(joined):
        while answered[done][0] < begun:  # all that were answered before this one began
            last_place = max(last_place, answered[done][1])
            done += 1
        assert places[token] > last_place

    await emergency(desk, parameters={"resume": "true"})
    started = desk.clock.now()
    tokens: list[str] = []
    for token in sorted(places, key=places.__getitem__):
        while not (granted := await admit(desk, token, EVENT_ID)).reservation_token:
            await desk.clock.sleep(0.05)
        tokens.append(granted.reservation_token)
    took = (desk.clock.now() - started) / 1000
    assert len(set(tokens)) == FANS
    assert 0.95 * RATE <= FANS / took <= 1.05 * RATE  # and no rolling second above it: I9, checked at the end
