"""Who has no account buys by the place in the queue."""

import re

import msgspec
import pytest

from tests.rpc.desk import GATEWAY, QUEUE, RESERVATION, code, on_platform
from tests.rpc.test_keys_and_issuers import ISSUER, with_login
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.calls.authentication import DISCOVERY
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2
from traffic_tacos.gen.tacos.identity.v1 import identity_pb2 as pb
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.instants import HOUR
from traffic_tacos.rooms.waiting_room import guests

BECOME = "tacos.identity.v1.GuestService/Become"
NO_GUESTS = EVENT + "guests: false\n"


async def place(desk, session, event_id=EVENT_ID, user="", token=""):
    request = queue_pb2.JoinQueueRequest(event_id=event_id, session_id=session, user_id=user)
    return (await desk.ask(QUEUE + "JoinQueue", request, token)).waiting_token


async def become(desk, waiting_token):
    return await desk.ask(BECOME, pb.BecomeRequest(waiting_token=waiting_token))


async def admission(desk, waiting_token, guest):
    request = queue_pb2.RequestAdmissionRequest(waiting_token=waiting_token, event_id=EVENT_ID, user_id=guest.user_id)
    return await desk.ask(QUEUE + "RequestAdmission", request, guest.token)


@on_platform
async def test_a_guest_buys_and_sees_the_order_without_an_account(desk):
    waiting = await place(desk, "phone")
    await desk.clock.sleep(1)
    guest = await become(desk, waiting)
    assert guest.user_id.startswith("guest:") and EVENT_ID not in guest.user_id
    admitted = await admission(desk, waiting, guest)
    request = gateway_pb2.CreateReservationRequest(
        event_id=EVENT_ID,
        quantity=2,
        user_id=guest.user_id,
        reservation_token=admitted.reservation_token,
        idempotency_key=desk.key(),
    )
    held = await desk.ask(GATEWAY + "CreateReservation", request, guest.token)
    assert held.reservation_id, held.error
    await desk.pay(guest.user_id, held)
    await desk.clock.sleep(30)
    # Long after the turn, with another token of the same name.
    await desk.clock.sleep(2 * 3600)
    listing = reservation_pb2.ListReservationsRequest(user_id=guest.user_id)
    assert code(await desk.ask(RESERVATION + "ListReservations", listing, guest.token)) == "UNAUTHENTICATED"
    again = await become(desk, waiting)
    assert again.user_id == guest.user_id
    listed = await desk.ask(RESERVATION + "ListReservations", listing, again.token)
    assert [one.reservation_id for one in listed.reservations] == [held.reservation_id]


@on_platform
async def test_each_place_is_another_guest_and_the_same_one_after_a_restart(desk):
    one, two = await place(desk, "phone"), await place(desk, "desktop")
    await desk.clock.sleep(1)
    names = [(await become(desk, waiting)).user_id for waiting in (one, two)]
    assert len(set(names)) == 2
    await desk.crash()
    await desk.clock.sleep(2)
    assert [(await become(desk, waiting)).user_id for waiting in (one, two)] == names


@on_platform
async def test_nobody_is_a_guest_before_the_turn_nor_after_one_that_was_never_taken(desk):
    places = [await place(desk, f"s{number}") for number in range(12)]
    assert code(await become(desk, places[-1])) == "FAILED_PRECONDITION"
    await desk.clock.sleep(1)
    assert (await become(desk, places[0])).token
    left = queue_pb2.LeaveQueueRequest(waiting_token=places[1])
    assert (await desk.ask(QUEUE + "LeaveQueue", left)).success
    assert code(await become(desk, places[1])) == "FAILED_PRECONDITION"
    assert code(await become(desk, places[0][:-2] + "00")) == "UNAUTHENTICATED"
    assert code(await become(desk, "")) == "INVALID_ARGUMENT"


async def recover(desk, recovery_code):
    return await desk.ask(BECOME.replace("Become", "Recover"), pb.RecoverRequest(recovery_code=recovery_code))


@on_platform
async def test_a_recovery_code_makes_the_same_guest_elsewhere_however_it_is_copied(desk):
    waiting, other = await place(desk, "phone"), await place(desk, "desktop")
    await desk.clock.sleep(1)
    guest = await become(desk, waiting)
    assert (await become(desk, waiting)).recovery_code == guest.recovery_code
    assert (await become(desk, other)).recovery_code != guest.recovery_code
    place_of, _, letters = guest.recovery_code.rpartition(".")
    assert place_of == f"{EVENT_ID}.1" and re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}", letters)
    misread = letters.replace("0", "O").replace("1", "l")
    for copy in (letters, letters.lower(), letters.replace("-", ""), letters.replace("-", " "), misread):
        found = await recover(desk, f" {place_of}.{copy} ")
        assert found.user_id == guest.user_id, found.error
    listing = reservation_pb2.ListReservationsRequest(user_id=guest.user_id)
    assert not (await desk.ask(RESERVATION + "ListReservations", listing, found.token)).HasField("error")
    await desk.crash()
    await desk.clock.sleep(2)
    assert (await recover(desk, guest.recovery_code)).user_id == guest.user_id


@on_platform
async def test_what_is_no_recovery_code_of_this_place_makes_nobody(desk):
    places = [await place(desk, f"s{number}") for number in range(12)]
    await desk.clock.sleep(1)
    code_of = (await become(desk, places[0])).recovery_code
    place_of, _, letters = code_of.rpartition(".")
    event, _, number = place_of.rpartition(".")
    wrong = letters[:-1] + ("2" if letters[-1] != "2" else "3")
    for shown in (
        *("", ".", "..", "1", letters, f"{place_of}.", f"{place_of}.{wrong}", f"{place_of}.{letters}0"),
        *(f"evt.{number}.{letters}", *(f"{event}.{other}.{letters}" for other in ("2", "-1", "\u0661", "9" * 40))),
    ):
        assert code(await recover(desk, shown)) in ("UNAUTHENTICATED", "INVALID_ARGUMENT"), shown
    secret = desk.platform.keyring.waiting
    assert (
        code(await recover(desk, guests.recovery_code(EVENT_ID, 12, secret))) == "FAILED_PRECONDITION"
    )  # its turn is not yet
    assert code(await recover(desk, guests.recovery_code(EVENT_ID, 99, secret))) == "NOT_FOUND"
    assert code(await recover(desk, guests.recovery_code("evt_none", 1, secret))) == "NOT_FOUND"
    mine = await place(desk, "mine", user="ana", token=desk.token(Role.FAN, "ana"))
    assert mine
    assert code(await recover(desk, guests.recovery_code(EVENT_ID, 13, secret))) == "FORBIDDEN"


@on_platform
async def test_a_place_of_a_user_makes_no_guest(desk):
    waiting = await place(desk, "phone", user="ana", token=desk.token(Role.FAN, "ana"))
    await desk.clock.sleep(1)
    assert code(await become(desk, waiting)) == "FORBIDDEN"


@on_platform(event=NO_GUESTS)
async def test_an_event_says_whether_it_takes_guests_and_may_change_its_mind(desk):
    waiting = await place(desk, "phone")
    await desk.clock.sleep(1)
    assert code(await become(desk, waiting)) == "FORBIDDEN"
    assert (await desk.http("GET", f"/web/events/{EVENT_ID}")).json()["event"]["guests"] is False
    request = catalog_pb2.UpdateEventRequest(event_id=EVENT_ID, document=EVENT + "guests: true\n")
    changed = await desk.ask("tacos.catalog.v1.CatalogService/UpdateEvent", request, desk.token(Role.ADMIN, "olga"))
    assert changed.plan.guests, changed.error
    await desk.clock.sleep(1)
    assert (await become(desk, waiting)).token


def test_where_people_have_a_login_only_events_that_say_so_take_guests():
    async def test(desk, login):
        waiting = await place(desk, "phone")
        assert code(await become(desk, waiting)) == "FORBIDDEN"
        request = catalog_pb2.CreateEventRequest(document=EVENT.replace("evt_sim", "evt_open") + "guests: true\n")
        await desk.ask("tacos.catalog.v1.CatalogService/CreateEvent", request, desk.token(Role.ADMIN, "olga"))
        waiting = await place(desk, "phone", "evt_open")
        await desk.clock.sleep(1)
        assert (await become(desk, waiting)).token

    with_login(test)


@on_platform
async def test_a_guests_token_ends_and_says_when(desk):
    waiting = await place(desk, "phone")
    await desk.clock.sleep(1)
    guest = await become(desk, waiting)
    assert guest.expires_at.ToMilliseconds() == desk.clock.now() + HOUR


@on_platform
async def test_an_address_can_not_have_tokens_made_without_end(desk):
    waiting = await place(desk, "phone")
    await desk.clock.sleep(1)
    desk.address = "203.0.113.7"
    codes = [code(await become(desk, waiting)) for _ in range(205)]
    assert codes[:200] == [""] * 200 and "RATE_LIMITED" in codes


@on_platform
async def test_pages_are_told_that_they_need_no_login(desk):
    config = await desk.http("GET", "/web/config.json")
    told = config.json()
    assert config.headers["cache-control"] == "public, max-age=60"
    assert (told["guests"], told["issuer"], told["languages"]) == (True, None, ["en", "ko"])
    assert (told["currencies"]["KRW"], told["currencies"]["EUR"], told["currencies"]["BHD"]) == (0, 2, 3)
    assert ["4242424242424242", "approved"] in told["test_cards"]


@on_platform
async def test_pages_are_told_where_the_documentation_is(desk):
    assert (await desk.http("GET", "/web/config.json")).json()["docs"] == ""
    desk.platform.config = msgspec.structs.replace(desk.platform.config, docs_url="https://docs.example")
    assert (await desk.http("GET", "/web/config.json")).json()["docs"] == "https://docs.example"


@pytest.mark.parametrize("token_endpoint", [ISSUER + "/token", "javascript:alert(1)"])
def test_pages_are_told_where_people_sign_in(token_endpoint):
    named = {"authorization_endpoint": ISSUER + "/authorize", "token_endpoint": token_endpoint}

    async def test(desk, login):
        issuer = (await desk.http("GET", "/web/config.json")).json()["issuer"]
        assert (issuer["url"], issuer["audience"], issuer["authorization_endpoint"]) == (ISSUER, "traffic-tacos", "")
        found = login.fetch

        async def fetch(url):
            return await found(url) | (named if url == ISSUER + DISCOVERY else {})

        desk.fetch = fetch
        await desk.crash()
        await desk.clock.sleep(1)
        config = (await desk.http("GET", "/web/config.json")).json()
        is_good = token_endpoint.startswith("https")
        assert (config["guests"], config["issuer"]["scope"]) == (False, "openid")
        assert config["issuer"]["authorization_endpoint"] == (ISSUER + "/authorize" if is_good else "")
        assert config["issuer"]["token_endpoint"] == (token_endpoint if is_good else "")
        # What an issuer shows wrongly costs its users nothing that was known before.
        good = desk.token(Role.FAN, "ana")
        assert (await desk.http("GET", "/web/events", {"authorization": f"Bearer {good}"})).status_code == 200

    with_login(test)
