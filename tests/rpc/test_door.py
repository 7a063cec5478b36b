"""A ticket lets one person in, once: whoever scans it, and never after it was given back."""

import asyncio
import base64
import json

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.rpc.desk import code, on_platform
from tests.rpc.test_giving_back import REFUNDED, bought
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.calls.policy import POLICY, PUBLIC
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.tacos.admission.v1 import admission_pb2 as pb
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import derived_id
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import TicketToken, UserToken, sign_ticket, sign_user, verify_ticket
from traffic_tacos.ports.audit import AUDIT
from traffic_tacos.ports.store import Decision, put
from traffic_tacos.rooms.reservation.model import Entry
from traffic_tacos.rooms.reservation.records import reservation_key

TICKETS = "tacos.admission.v1.TicketService/ListTickets"
DOOR = "tacos.admission.v1.DoorService/"
OTHER = "evt_other"


async def tickets_of(desk, fan, held):
    asked = pb.ListTicketsRequest(reservation_id=held.reservation_id, user_id=fan)
    answer = await desk.as_fan(TICKETS, asked, fan)
    assert code(answer) == ""
    return [ticket.ticket for ticket in answer.tickets]


def scan(ticket, scan_id="1", scanner="north", event_id=EVENT_ID):
    return pb.CheckInRequest(ticket=ticket, event_id=event_id, scanner_id=scanner, scan_id=scan_id)


async def check_in(desk, *arguments, **named):
    return await desk.as_service(DOOR + "CheckIn", scan(*arguments, **named))


def parts(ticket):
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in ticket.split(".")]


def is_signed(ticket, key_set):
    """Checked with the published keys and nothing of ours (RFC 7515, 5.2)."""
    head, _, signature = parts(ticket)
    key = next(key for key in key_set["keys"] if key["kid"] == json.loads(head)["kid"])
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=="))
    try:
        public.verify(signature, ticket.rpartition(".")[0].encode())
    except InvalidSignature:
        return False
    return True


@on_platform
async def test_each_seat_has_a_ticket_that_enters_once(desk):
    held, _ = await bought(desk, "ana")
    first, second = await tickets_of(desk, "ana", held)
    assert await tickets_of(desk, "ana", held) == [first, second]  # however often it is printed
    answer = await check_in(desk, first)
    assert (code(answer), answer.entered, answer.checked_in.scanner_id) == ("", True, "north")
    assert (await check_in(desk, first)).entered  # the same scan, sent again
    copy = await check_in(desk, first, "2", "south")
    assert (code(copy), copy.entered) == ("", False)
    assert copy.checked_in == answer.checked_in
    assert (await check_in(desk, second, "2", "south")).entered
    asked = pb.ListTicketsRequest(reservation_id=held.reservation_id)
    shown = await desk.as_fan(TICKETS, asked, "ana")
    assert [ticket.checked_in.scanner_id for ticket in shown.tickets] == ["north", "south"]
    assert desk.broken_invariants() == []


@on_platform
async def test_two_scanners_that_were_offline_at_once_let_one_in(desk):
    held, _ = await bought(desk, "ana", 1)
    (ticket,) = await tickets_of(desk, "ana", held)
    answers = await asyncio.gather(*(check_in(desk, ticket, str(number), f"gate{number}") for number in range(8)))
    assert sorted(answer.entered for answer in answers) == [False] * 7 + [True]
    assert len({answer.checked_in.scanner_id for answer in answers}) == 1


@on_platform
async def test_what_was_given_back_does_not_enter_and_what_has_entered_is_not_given_back(desk):
    held, _ = await bought(desk, "ana", 1)
    (ticket,) = await tickets_of(desk, "ana", held)
    assert (await desk.cancel("ana", held)).status == REFUNDED
    assert code(await check_in(desk, ticket)) == "FAILED_PRECONDITION"
    asked = pb.ListTicketsRequest(reservation_id=held.reservation_id)
    assert code(await desk.as_fan(TICKETS, asked, "ana")) == "FAILED_PRECONDITION"
    other, _ = await bought(desk, "ben", 1)
    (ticket,) = await tickets_of(desk, "ben", other)
    assert (await check_in(desk, ticket)).entered
    assert code(await desk.cancel("ben", other)) == "FAILED_PRECONDITION"
    undo = pb.UndoCheckInRequest(ticket=ticket, event_id=EVENT_ID, reason="wrong door")
    assert (await desk.ask(DOOR + "UndoCheckIn", undo, desk.token(Role.ADMIN, "olga"))).changed
    assert not (await desk.as_service(DOOR + "UndoCheckIn", undo)).changed
    assert (await desk.cancel("ben", other)).status == REFUNDED
    noted = [
        entry
        for _, entry in await desk.platform.engines.store.scan(AUDIT.prefix(), limit=100)
        if entry.action == "check-in"
    ]
    assert [(entry.actor, entry.reason) for entry in noted] == [("olga", "wrong door")]
    assert desk.broken_invariants() == []


@on_platform
async def test_a_door_s_token_is_good_for_checking_tickets_and_for_nothing_else(desk):
    token = desk.token(Role.DOOR, "north")
    held, _ = await bought(desk, "ana", 1)
    (ticket,) = await tickets_of(desk, "ana", held)
    assert (await desk.ask(DOOR + "CheckIn", scan(ticket), token)).entered
    listed = await desk.ask(DOOR + "ListCheckIns", pb.ListCheckInsRequest(event_id=EVENT_ID), token)
    assert [one.reservation_id for one in listed.check_ins] == [held.reservation_id]
    undo = pb.UndoCheckInRequest(ticket=ticket, event_id=EVENT_ID, reason="wrong door")
    assert (await desk.ask(DOOR + "UndoCheckIn", undo, token)).changed
    assert (await desk.cancel("ana", held)).status == REFUNDED
    returned = await desk.ask(DOOR + "ListReturned", pb.ListReturnedRequest(event_id=EVENT_ID), token)
    assert [*returned.reservation_ids] == [held.reservation_id]
    methods, headers = desk.platform.calls.methods, (("authorization", f"Bearer {token}"),)
    allowed = set()
    for path in (path for path, roles in POLICY.items() if roles is not PUBLIC):
        try:
            desk.platform.calls.check(methods["/" + path], headers, desk.peer)
        except Refusal as refusal:
            assert refusal.code is Code.FORBIDDEN, path
        else:
            allowed.add(path)
    assert allowed == {DOOR + name for name in ("CheckIn", "UndoCheckIn", "ListCheckIns", "ListReturned")}


@on_platform
async def test_a_door_s_token_without_its_scope_is_refused(desk):
    now = desk.clock.now()
    token = sign_user(desk.keys.signing, UserToken(Caller(Role.DOOR, "north"), (), now + SECOND), now)
    asked = pb.ListCheckInsRequest(event_id=EVENT_ID)
    assert code(await desk.ask(DOOR + "ListCheckIns", asked, token)) == "FORBIDDEN"


@pytest.mark.parametrize("ahead", range(6))
def test_either_the_ticket_enters_or_it_is_given_back(ahead):
    @on_platform
    async def race(desk):
        held, _ = await bought(desk, "ana", 1)
        (ticket,) = await tickets_of(desk, "ana", held)

        async def later(act):
            for _ in range(ahead):
                await asyncio.sleep(0)
            return await act

        back, entry = await asyncio.gather(desk.cancel("ana", held), later(check_in(desk, ticket)))
        assert (back.status == REFUNDED) is not entry.entered
        assert desk.broken_invariants() == []

    race()


@on_platform
async def test_what_is_no_ticket_for_this_event_is_refused(desk):
    await desk.platform.put_on_sale(EVENT.replace(EVENT_ID, OTHER))
    held, _ = await bought(desk, "ana", 1)
    (ticket,) = await tickets_of(desk, "ana", held)
    elsewhere = await check_in(desk, ticket, event_id=OTHER)
    assert (code(elsewhere), elsewhere.error.details[0].field) == ("FORBIDDEN", "ticket")
    for wrong in (ticket[:-6] + ("A" * 6), "x", "", await desk.admitted("ben"), desk.token(Role.FAN, "ana")):
        answer = await check_in(desk, wrong)
        assert code(answer) in ("UNAUTHENTICATED", "FORBIDDEN")
        assert answer.error.details[0].field == "ticket"  # and not the scanner's own token
    for missing in (scan(ticket, scan_id=""), scan(ticket, scanner="")):
        assert code(await desk.as_service(DOOR + "CheckIn", missing)) == "INVALID_ARGUMENT"
    refused = await desk.as_fan(DOOR + "CheckIn", scan(ticket), "ana")
    assert (code(refused), [*refused.error.details]) == ("FORBIDDEN", [])
    asked = pb.ListTicketsRequest(reservation_id=held.reservation_id, user_id="ben")
    assert code(await desk.as_fan(TICKETS, asked, "ben")) == "NOT_FOUND"
    pending = await desk.held("ben", 1)
    asked = pb.ListTicketsRequest(reservation_id=pending.reservation_id)
    assert code(await desk.as_fan(TICKETS, asked, "ben")) == "FAILED_PRECONDITION"


@on_platform
async def test_who_has_entered_is_listed_a_page_at_a_time(desk):
    entered = []
    for fan in ("ana", "ben", "cem"):
        held, _ = await bought(desk, fan, 1)
        (ticket,) = await tickets_of(desk, fan, held)
        assert (await check_in(desk, ticket)).entered
        entered.append(held.reservation_id)
    asked = pb.ListCheckInsRequest(event_id=EVENT_ID, pagination=types_pb2.Pagination(page_size=2))
    first = await desk.as_service(DOOR + "ListCheckIns", asked)
    asked.pagination.cursor = first.page_info.next_cursor
    second = await desk.as_service(DOOR + "ListCheckIns", asked)
    assert [one.reservation_id for one in (*first.check_ins, *second.check_ins)] == entered


@on_platform
async def test_what_was_given_back_is_listed_for_scanners_without_a_connection(desk):
    await desk.platform.put_on_sale(EVENT.replace(EVENT_ID, OTHER))
    returned = []
    for fan in ("ana", "ben", "cem", "dan"):
        held, _ = await bought(desk, fan, 1)
        if fan != "cem":
            assert (await desk.cancel(fan, held)).status == REFUNDED
            returned.append(held.reservation_id)
    pending = await desk.held("eve", 1)
    await desk.cancel("eve", pending)  # was never bought
    asked = pb.ListReturnedRequest(event_id=EVENT_ID, pagination=types_pb2.Pagination(page_size=2))
    first = await desk.as_service(DOOR + "ListReturned", asked)
    assert (code(first), first.page_info.total_count, first.page_info.has_next_page) == ("", 3, True)
    asked.pagination.cursor = first.page_info.next_cursor
    second = await desk.as_service(DOOR + "ListReturned", asked)
    assert [*first.reservation_ids, *second.reservation_ids] == returned
    elsewhere = await desk.as_service(DOOR + "ListReturned", pb.ListReturnedRequest(event_id=OTHER))
    assert (code(elsewhere), [*elsewhere.reservation_ids]) == ("", [])
    assert code(await desk.as_fan(DOOR + "ListReturned", asked, "ana")) == "FORBIDDEN"


@pytest.mark.parametrize("seats", [(0, 0), (5,)], ids=["twice", "a seat of nobody's"])
def test_an_entry_too_many_is_found(seats):
    @on_platform
    async def found(desk):
        held, _ = await bought(desk, "ana", 1)
        key = reservation_key(held.reservation_id)
        store = desk.platform.engines.store
        reservation = await store.get(key)
        entries = tuple(Entry(f"MAIN-A-{seat}" if seat else reservation.seats[0].id, "n", "1", 0, 0) for seat in seats)
        wrong = msgspec.structs.replace(reservation, entries=entries)
        await store.transact((), lambda _: Decision(None, (put(key, wrong),)))
        assert any(f"{held.reservation_id}: entered" in broken for broken in desk.broken_invariants())
        await store.transact((), lambda _: Decision(None, (put(key, reservation),)))
        desk.broken = None

    found()


@pytest.mark.one_store
@on_platform
async def test_ten_thousand_tickets_are_what_the_published_keys_say(desk):
    """Every one is checked by `cryptography` with the published keys; one in ten also with each part of it changed."""
    keyring, now = desk.platform.keyring, desk.clock.now()
    key_set = (await desk.http("GET", "/.well-known/jwks.json")).json()
    made = set()
    for number in range(10_000):
        token = TicketToken(EVENT_ID, derived_id("rsv", str(number)), f"MAIN-A-{number}", now // SECOND * SECOND)
        ticket = sign_ticket(keyring.signing, token)
        made.add(ticket)
        assert is_signed(ticket, key_set)
        claims = json.loads(parts(ticket)[1])
        assert (claims["aud"], claims["sub"], claims["seat"]) == (EVENT_ID, token.reservation_id, token.seat_id)
        if number % 10 == 0:
            assert verify_ticket(ticket, keyring.verifying, EVENT_ID, now) == token
            head, body, signature = ticket.split(".")
            other = base64.urlsafe_b64encode(json.dumps({**claims, "seat": "MAIN-A-1x"}).encode()).decode().rstrip("=")
            assert not is_signed(f"{head}.{other}.{signature}", key_set)
            place = 10 + number // 10 % 70
            changed = "A" if signature[place] != "A" else "B"
            assert not is_signed(f"{head}.{body}.{signature[:place]}{changed}{signature[place + 1 :]}", key_set)
    assert len(made) == 10_000 and max(map(len, made)) < 400  # a QR code of a size that phones read
