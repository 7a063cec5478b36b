"""What the pages stand on: events, plans, seats and queues as JSON that a cache may keep."""

import base64
import gzip
import html
import json
import re
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from tests.rpc.desk import QUEUE, Desk, on_platform
from tests.simulation.world import EVENT, EVENT_ID, SALE_STARTS
from traffic_tacos.gen.gateway.v1 import queue_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.waiting_room.v1 import waiting_room_pb2
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.web import routes
from traffic_tacos.web.bodies import json_body

EXAMPLES = Path(__file__).parents[2] / "examples" / "events"
LINE = "tacos.waiting_room.v1.LineService/"
DRAW = "tacos.waiting_room.v1.DrawService/"
CATALOG = "tacos.catalog.v1.CatalogService/"
TWENTY_THOUSAND = "id: evt_big\nname: Big\ncurrency: EUR\nsections:\n" + "".join(
    f"  - {{id: S{section}, name: Section {section}, price: {5000 + section}, rows: ["
    + ", ".join(f"{{id: R{row}, seats: 50, aisles: [25]}}" for row in range(20))
    + "]}\n"
    for section in range(20)
)


async def get(desk: Desk, path: str, status: int = 200):
    response = await desk.http("GET", "/web/" + path)
    assert response.status_code == status, response.text
    return response.json()


async def publish(desk: Desk, document: str, seating_plan: str = "") -> None:
    request = catalog_pb2.CreateEventRequest(document=document, seating_plan=seating_plan)
    answer = await desk.ask(CATALOG + "CreateEvent", request, desk.token(Role.ADMIN, "olga"))
    assert not answer.HasField("error"), answer.error


async def whole_plan(desk: Desk, event_id: str):
    revision = (await get(desk, f"events/{event_id}"))["event"]["revision"]
    return await get(desk, f"plan/{event_id}/{revision}")


def unpacked(plan):
    """Every seat of a plan as a page reads it: its id, number, price, and place."""
    seats = []
    for section in plan["sections"]:
        for row in section["rows"]:
            assert row["first"] == len(seats)
            numbers, at = row["numbers"], row["at"]
            if not isinstance(numbers, list):
                numbers = [str(numbers + step) for step in range(row["seats"])]
            ids = row["ids"] if isinstance(row["ids"], list) else [row["ids"] + number for number in numbers]
            prices = row["price"] if isinstance(row["price"], list) else [row["price"]] * row["seats"]
            steps = list(zip(at[2::2], at[3::2], strict=True)) or [(0, 0)]
            x, y = at[:2]
            for index in range(row["seats"]):
                seats.append((ids[index], numbers[index], prices[index], (x, y)))
                step = steps[index] if index < len(steps) > 1 else steps[0]
                x, y = x + step[0], y + step[1]
    return seats


def inside(outline, x, y):
    """Whether a place is within a convex polygon."""
    corners = list(zip(outline[::2], outline[1::2], strict=True))
    sides = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for (ax, ay), (bx, by) in pairwise([*corners, corners[0]])]
    return all(side >= 0 for side in sides) or all(side <= 0 for side in sides)


def free_of(states):
    bits = base64.b64decode(states["free"])
    return [bool(bits[seat // 8] >> seat % 8 & 1) for seat in range(states["seats"])]


async def joined(desk: Desk, *fans: str) -> list[str]:
    tokens = []
    for fan in fans:
        request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, session_id=fan)
        tokens.append((await desk.ask(QUEUE + "JoinQueue", request)).waiting_token)
    return tokens


def reckoned(line, rank):
    """The place of a rank, as a page reckons it."""
    ended = line["ended"]
    blocks = (rank - ended["from"]) // ended["step"]
    return rank - ended["before"] - sum(ended["counts"][:blocks])


@on_platform
async def test_an_event_is_told_with_its_dates_prices_and_what_is_left(desk):
    await publish(desk, (EXAMPLES / "theatre.yaml").read_text())
    listed = await get(desk, "events")
    theatre = next(one for one in listed["events"] if one["id"] == "evt_taco_theatre")
    names = {"STALLS": "Stalls", "CIRCLE": "Dress circle", "BALCONY": "Balcony", "BOXES": "Boxes"}
    assert (await get(desk, "events/evt_taco_theatre"))["event"] == {**theatre, "section_names": names, "standing": []}
    assert theatre["starts_at"] == "2027-03-01T20:00:00+09:00" and theatre["ends_at"] == "2027-03-01T22:30:00+09:00"
    assert (theatre["opens_at"], theatre["closes_at"]) == (None, "2027-03-01T22:30:00+09:00")
    assert (theatre["utc_offset_minutes"], theatre["decimals"], theatre["currency"]) == (540, 0, "KRW")
    assert (theatre["seats"], theatre["free"], theatre["sale"]) == (1979, 1979, "open")
    assert theatre["venue"]["name"] == "Teatro Taco" and theatre["venue"]["country"] == "KR"
    night = next(one for one in listed["events"] if one["id"] == EVENT_ID)
    assert (night["price_min"], night["price_max"], night["free"]) == (50000, 60000, 15)
    assert listed["now"].endswith("Z") and listed["next"] == ""


STANDING = """id: evt_standing
name: On foot
currency: EUR
sections:
  - {id: FLOOR, name: Floor, price: 100, standing: 4}
  - {id: A, name: Stalls, price: 100, rows: [{id: A, seats: 4}]}
"""


@on_platform
async def test_an_event_says_in_which_sections_people_stand(desk):
    await publish(desk, STANDING)
    event = (await get(desk, "events/evt_standing"))["event"]
    assert (event["standing"], event["section_names"]) == (["FLOOR"], {"FLOOR": "Floor", "A": "Stalls"})


@pytest.mark.parametrize("kind", ["row", "event", "sale"])
def test_an_event_that_cannot_be_read_hides_no_other(kind):
    @on_platform
    async def on_desk(desk):
        desk.checks_every_commit = False
        await publish(desk, EVENT.replace("evt_sim", "evt_other"))
        await desk.held("ana", 1)
        path = next(path for path in desk.records().kept() if path.startswith(f"{kind}/{EVENT_ID}"))
        whole = desk.records().kept()[path]
        desk.records().keep(path, b"{")
        await desk.crash()
        assert [one["id"] for one in (await get(desk, "events"))["events"]] == ["evt_other"]
        error = (await get(desk, f"events/{EVENT_ID}", 500))["error"]
        assert error["code"] == "DATA_CORRUPTION"
        desk.records().keep(path, whole)
        await desk.crash()

    on_desk()


@on_platform
async def test_an_event_says_when_it_is_not_sold_yet_sold_out_and_over(desk):
    await publish(desk, EVENT.replace("evt_sim", "evt_later") + "sale_start_time: 2027-02-15T08:00:30+00:00\n")
    await publish(desk, EVENT.replace("evt_sim", "evt_ends") + "sale_end_time: 2027-01-15T08:10:00+00:00\n")
    assert (await get(desk, "events/evt_later"))["event"]["sale"] == "before"
    for fan in ("ana", "ben", "cleo"):
        await desk.pay(fan, await desk.held(fan, 4))
    await desk.pay("dora", await desk.held("dora", 3))
    await desk.clock.sleep(20)
    assert (await get(desk, f"events/{EVENT_ID}"))["event"]["sale"] == "sold_out"
    await desk.clock.sleep(600)
    assert (await get(desk, "events/evt_ends"))["event"]["sale"] == "over"


@pytest.mark.parametrize("name", ["club", "theatre", "arena", "studio"])
def test_a_plan_has_every_seat_of_its_event_in_its_place(name):
    @on_platform
    async def on_desk(desk):
        document, drawing = (EXAMPLES / f"{name}.yaml"), (EXAMPLES / f"{name}.json")
        await publish(desk, document.read_text(), drawing.read_text() if drawing.exists() else "")
        event_id = f"evt_taco_{name}"
        plan = await whole_plan(desk, event_id)
        known = (await desk.ask(CATALOG + "GetEvent", catalog_pb2.GetEventRequest(event_id=event_id))).plan
        seats = unpacked(plan)
        expected = [
            (seat.id, seat.number, seat.price)
            for section in known.sections
            for row in section.rows
            for seat in row.seats
        ]
        assert [seat[:3] for seat in seats] == expected
        assert plan["drawn"] is (name == "studio")
        at = 0
        for section in plan["sections"]:
            places = [seat[3] for seat in seats[at : at + section["seats"]]]
            at += section["seats"]
            assert all(inside(section["outline"], x, y) for x, y in places), section["id"]
            assert all(0 <= x <= plan["width"] and 0 <= y <= plan["height"] for x, y in places)
            if not section["standing"]:
                assert len(set(places)) == len(places), "two seats in one place"
        assert at == len(seats)

    on_desk()


@on_platform
async def test_sections_that_are_laid_out_never_lie_on_each_other(desk):
    await publish(desk, (EXAMPLES / "arena.yaml").read_text())
    plan = await whole_plan(desk, "evt_taco_arena")
    boxes = [
        (min(line[::2]), min(line[1::2]), max(line[::2]), max(line[1::2]))
        for line in (section["outline"] for section in plan["sections"])
    ]
    for at, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:at]:
            assert right <= other[0] or left >= other[2] or bottom <= other[1] or top >= other[3]


@on_platform
async def test_a_plan_is_kept_for_ever_under_its_revision_and_under_no_other(desk):
    plan = await whole_plan(desk, EVENT_ID)
    path = f"/web/plan/{EVENT_ID}/{plan['revision']}"
    first = await desk.http("GET", path)
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = await desk.http("GET", path, {"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    other = await desk.http("GET", f"/web/plan/{EVENT_ID}/0000000000000000")
    error = other.json()["error"]
    assert (other.status_code, other.headers["cache-control"], error["code"]) == (404, "no-store", "NOT_FOUND")
    assert plan["revision"] in error["message"] and error["trace_id"]
    # Words about an event are not of its plan; its seats are.
    await publish(desk, EVENT.replace("evt_sim", "evt_two").replace("Simulated", "Other"))
    await publish(desk, EVENT.replace("evt_sim", "evt_three").replace("seats: 5", "seats: 4"))
    assert (await whole_plan(desk, "evt_two"))["sections"] == plan["sections"]
    assert (await whole_plan(desk, "evt_three"))["sections"] != plan["sections"]


@on_platform
async def test_a_plan_of_twenty_thousand_seats_goes_out_in_fifteen_kilobytes(desk):
    await publish(desk, TWENTY_THOUSAND)
    revision = (await get(desk, "events/evt_big"))["event"]["revision"]
    response = await desk.http("GET", f"/web/plan/evt_big/{revision}", {"accept-encoding": "gzip, br"})
    assert response.headers["content-encoding"] == "gzip" and response.headers["vary"] == "accept-encoding"
    assert int(response.headers["content-length"]) < 15_000
    assert len(unpacked(response.json())) == 20_000
    plain = await desk.http("GET", f"/web/plan/evt_big/{revision}", {"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers and plain.json() == response.json()


@on_platform
async def test_a_seat_is_free_until_somebody_holds_it_and_again_when_they_let_go(desk):
    plan = await whole_plan(desk, EVENT_ID)
    ids = [seat[0] for seat in unpacked(plan)]
    before = await desk.http("GET", f"/web/seats/{EVENT_ID}")
    assert before.headers["cache-control"] == "public, max-age=2"
    assert free_of(before.json()) == [True] * 15 and before.json()["revision"] == plan["revision"]
    held = await desk.held("ana", 2, ("MAIN-A-3", "PIT-S1-2"))
    states = await get(desk, f"seats/{EVENT_ID}")
    assert {id_ for id_, free in zip(ids, free_of(states), strict=True) if not free} == {"MAIN-A-3", "PIT-S1-2"}
    assert (states["free_count"], states["seats"]) == (13, 15)
    await desk.cancel("ana", held)
    after = await desk.http("GET", f"/web/seats/{EVENT_ID}")
    assert free_of(after.json()) == [True] * 15


@on_platform
async def test_accessible_seats_are_marked_and_counted_apart(desk):
    await publish(desk, EVENT.replace("evt_sim", "evt_access").replace("seats: 5}", "seats: 5, accessible: [2, 3]}"))
    plan, states = await whole_plan(desk, "evt_access"), await get(desk, "seats/evt_access")
    assert plan["sections"][0]["rows"][0]["accessible"] == [1, 2]
    assert (states["free_count"], states["accessible_free"], free_of(states)) == (13, 2, [True] * 15)
    event = (await get(desk, "events/evt_access"))["event"]
    assert (event["free"], event["accessible_free"]) == (13, 2)


@on_platform
async def test_a_page_reckons_the_place_that_the_queue_would_tell(desk):
    desk.checks_every_commit = False
    tokens = await joined(desk, *(f"fan-{number}" for number in range(600)))
    numbers = [int(token[32:44], 16) for token in tokens]
    assert numbers == list(range(1, 601))
    shown: dict[int, int] = {}
    for round_ in range(5):
        for leaving in range(20 * round_ + 60, 20 * round_ + 70):
            await desk.ask(QUEUE + "LeaveQueue", queue_pb2.LeaveQueueRequest(waiting_token=tokens[leaving]))
        await desk.clock.sleep(1)
        line = await get(desk, f"queue/{EVENT_ID}")
        for number in (300, 513, 600):
            status = await desk.ask(
                QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(waiting_token=tokens[number - 1])
            )
            place = reckoned(line, number)
            assert status.position <= place < status.position + line["ended"]["step"], (number, line)
            assert place <= shown.get(number, place), "a place has risen"
            shown[number] = place
    assert shown[600] < 600 - 40
    assert line["cursor"] > 1 and line["joined"] == 600 and line["state"] == ""


@on_platform
async def test_the_queue_says_why_nobody_is_let_in_and_what_the_operators_say(desk):
    await joined(desk, "ana")
    quiet = await get(desk, f"queue/{EVENT_ID}")
    assert (quiet["phase"], quiet["paused"], quiet["operator_message"], quiet["draw"]) == ("open", False, "", None)
    for setting, value in (("admission.stopped", "true"), ("admission.message", "Doors open at Eight")):
        request = waiting_room_pb2.ConfigureLineRequest(
            event_id=EVENT_ID, setting=setting, value=value, actor="olga", reason="rain"
        )
        assert not (await desk.as_service(LINE + "ConfigureLine", request)).HasField("error")
    line = await get(desk, f"queue/{EVENT_ID}")
    assert (line["paused"], line["state"], line["operator_message"]) == (True, "paused", "Doors open at Eight")
    assert line["message"]
    request = waiting_room_pb2.ConfigureLineRequest(
        event_id=EVENT_ID, setting="admission.message", value="x" * 201, actor="olga", reason="rain"
    )
    answer = await desk.as_service(LINE + "ConfigureLine", request)
    assert "value" in answer.error.message
    request.value = ""
    changed = await desk.as_service(LINE + "ConfigureLine", request)
    assert changed.old_value == "Doors open at Eight"
    assert (await get(desk, f"queue/{EVENT_ID}"))["operator_message"] == ""


@on_platform(event=EVENT + SALE_STARTS)
async def test_a_place_of_the_pool_is_reckoned_once_it_is_drawn(desk):
    tokens = await joined(desk, *(f"fan-{number}" for number in range(40)))
    line = await get(desk, f"queue/{EVENT_ID}")
    assert (line["phase"], line["draw"]["state"], line["draw"]["size"]) == ("before", "pool", 40)
    assert line["draw"]["seed"] == "" and line["opens_at"] == "2027-01-15T08:00:30.000Z"
    await desk.clock.sleep(31)
    line = await get(desk, f"queue/{EVENT_ID}")
    draw = line["draw"]
    assert draw["state"] == "drawn" and sha256(bytes.fromhex(draw["seed"])).hexdigest() == draw["seed_sha256"]
    for number, token in enumerate(tokens, 1):
        request = waiting_room_pb2.ListDrawEntriesRequest(event_id=EVENT_ID, after_number=number - 1, page_size=1)
        (entry,) = (await desk.ask(DRAW + "ListDrawEntries", request)).entries
        status = await desk.ask(QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(waiting_token=token))
        assert reckoned(line, entry.place) == status.position


@pytest.mark.parametrize("path", ["events/{}", "seats/{}", "queue/{}", "plan/{}/0"])
def test_what_is_not_there_is_refused_as_json(path):
    @on_platform
    async def on_desk(desk):
        error = (await get(desk, path.format("evt_nothing"), 404))["error"]
        assert error["code"] == "NOT_FOUND" and error["trace_id"] and "evt_nothing" in error["message"]
        error = (await get(desk, path.format("%00"), 400))["error"]
        assert (error["code"], error["details"][0]["field"]) == ("INVALID_ARGUMENT", "event_id")

    on_desk()


async def shared_as(desk: Desk, path: str) -> dict[str, str]:
    """What is shown of a link to a page, wherever somebody shares it."""
    page = (await desk.http("GET", path)).text
    said = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', page))
    title, heading = re.search(r"<title>(.*)</title>", page)[1], re.search(r"<h1>(.*)</h1>", page)[1]
    assert said["title"] == title == heading
    return {name: html.unescape(said[name]) for name in ("title", "description")}


FISH = """id: evt_fish
name: 'Fish & <b>"Chips"</b> @description @assets'
currency: EUR
start_time: 2027-03-01T20:00:00+09:00
venue: {name: City Hall, address: {city: Seoul}}
sections: [{id: A, name: A, price: 100, rows: [{id: A, seats: 4}]}]
"""


@on_platform
async def test_a_link_to_an_event_is_shown_with_its_name_wherever_it_is_shared(desk):
    await publish(desk, FISH)
    name, says = 'Fish & <b>"Chips"</b> @description @assets', "City Hall, Seoul · 1 March 2027, 20:00"
    assert await shared_as(desk, "/e/evt_fish") == {"title": name, "description": says}
    assert await shared_as(desk, "/draw/evt_fish") == {"title": f"The draw: {name}", "description": says}
    changed = catalog_pb2.UpdateEventRequest(event_id="evt_fish", document=FISH.replace("Fish &", "Hake &"))
    assert not (await desk.ask(CATALOG + "UpdateEvent", changed, desk.token(Role.ADMIN, "olga"))).HasField("error")
    await desk.clock.sleep(routes.HEADLINE_KEPT / SECOND)
    assert (await shared_as(desk, "/e/evt_fish"))["title"] == name.replace("Fish", "Hake")


@on_platform
async def test_a_page_of_nobody_is_served_whatever_token_it_shows_and_within_its_address_limit(desk):
    wrong = await desk.http("GET", "/web/events", {"authorization": "Bearer nonsense"})
    assert wrong.status_code == 200
    desk.address = "203.0.113.7"
    statuses = [(await desk.http("GET", f"/web/queue/{EVENT_ID}")).status_code for _ in range(205)]
    assert statuses[:200] == [200] * 200 and 429 in statuses
    limited = await desk.http("GET", f"/web/queue/{EVENT_ID}")
    assert limited.json()["error"]["code"] == "RATE_LIMITED" and "retry-after" in limited.headers


def test_bodies_compress_alike_each_time():
    made = json_body({"seats": "x" * 2000})
    assert made == json_body({"seats": "x" * 2000})
    assert json.loads(gzip.decompress(made.compressed)) == json.loads(made.plain)


def names_in(content):
    """Every name of an object, however deep."""
    if isinstance(content, dict):
        return set(content) | {name for value in content.values() for name in names_in(value)}
    if isinstance(content, list):
        return {name for value in content for name in names_in(value)}
    return set()


@on_platform(event=EVENT + SALE_STARTS)
async def test_every_name_is_described(desk):
    await joined(desk, "ana")
    plan = await whole_plan(desk, EVENT_ID)
    told = [plan, *[await get(desk, f"{what}/{EVENT_ID}") for what in ("events", "seats", "queue")]]
    assert told[1]["event"]["section_names"].keys() == {"MAIN", "PIT"}  # these names are an event's own
    told[1]["event"]["section_names"] = {}
    config = await get(desk, "config.json")
    told.append({**config, "currencies": {}})
    for content in told:
        missing = {name for name in names_in(content) if f'"{name}"' not in routes.__doc__}
        assert not missing, missing
    unchanged = await desk.http("GET", "/web/config.json", {"if-none-match": "*"})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
