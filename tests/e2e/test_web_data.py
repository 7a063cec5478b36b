"""A guest buys over HTTP alone, by what pages stand on; and all of it outlives the process."""

import base64
import json
import time
from contextlib import suppress
from urllib.error import URLError
from urllib.request import Request, urlopen

EVENT = "evt_hundred"


class Page:
    """What a page does: GETs that a cache may keep, and calls by Connect."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path, **headers):
        with urlopen(Request(f"http://{self.address}/web/{path}", headers=headers)) as response:
            return response.headers, response.read()

    def read(self, path):
        return json.loads(self.get(path)[1])

    def call(self, rpc, token="", **fields):
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        with urlopen(Request(f"http://{self.address}/{rpc}", json.dumps(fields).encode(), headers)) as response:
            return json.loads(response.read())


def until(look, seconds=20.0):
    """What is looked for, once it is there: HTTP may listen some moments after gRPC."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(URLError):
            if found := look():
                return found
        time.sleep(0.1)
    raise AssertionError("it never came")


def test_a_guest_buys_over_http_alone_and_finds_the_order_after_a_restart(up):
    platform = up()
    page = Page(platform.http)
    event = until(lambda: page.read("events")["events"])[0]
    assert (event["id"], event["sale"], event["guests"], event["free"]) == (EVENT, "open", True, 100)
    headers, packed = page.get(f"plan/{EVENT}/{event['revision']}", **{"accept-encoding": "gzip"})
    assert headers["cache-control"].endswith("immutable") and packed[:2] == b"\x1f\x8b"
    assert int(headers["content-length"]) == len(packed)

    waiting = page.call("gateway.v1.QueueService/JoinQueue", eventId=EVENT, sessionId="phone")["waitingToken"]
    line = until(lambda: (found := page.read(f"queue/{EVENT}"))["cursor"] > int(waiting[32:44], 16) and found)
    assert line["joined"] == 1
    guest = page.call("tacos.identity.v1.GuestService/Become", waitingToken=waiting)
    admitted = page.call(
        "gateway.v1.QueueService/RequestAdmission",
        guest["token"],
        waitingToken=waiting,
        eventId=EVENT,
        userId=guest["userId"],
    )
    held = page.call(
        "tacos.reservation.v1.BestSeatsService/ReserveBest",
        guest["token"],
        eventId=EVENT,
        quantity=2,
        userId=guest["userId"],
        reservationToken=admitted["reservationToken"],
        idempotencyKey="one",
    )
    states = page.read(f"seats/{EVENT}")
    taken = 100 - sum(byte.bit_count() for byte in base64.b64decode(states["free"]))
    assert (taken, states["free_count"], states["revision"]) == (2, 98, event["revision"])

    platform.kill()
    platform.start()
    until(lambda: page.read("events")["events"])
    again = page.call("tacos.identity.v1.GuestService/Become", waitingToken=waiting)
    assert again["userId"] == guest["userId"]
    listed = page.call("reservation.v1.ReservationService/ListReservations", again["token"], userId=again["userId"])
    assert [one["reservationId"] for one in listed["reservations"]] == [held["reservationId"]]
    assert page.read(f"events/{EVENT}")["event"]["revision"] == event["revision"]
    assert page.read(f"queue/{EVENT}")["joined"] == 1
    platform.verify()
