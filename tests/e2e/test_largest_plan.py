"""The largest event that may be described passes every way in, and is sold."""

import json
from pathlib import Path

import grpc
import httpx
import pytest

from tests.e2e.process import UpProcess
from traffic_tacos.gen.reservation.v1 import inventory_pb2, inventory_pb2_grpc
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2 as pb
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2_grpc
from traffic_tacos.kernel.limits import CLIENT_MESSAGE_BYTES, MESSAGE_OPTIONS, PLAN_BYTES_MAX, SEATS_MAX

SECONDS = 60


def priced(event_id: str) -> str:
    return json.dumps(
        {"id": event_id, "name": "Large", "currency": "EUR", "prices": {"Block A": 4000, "Block B": 2500}}
    )


def drawn(seats: int) -> dict:
    """A plan of so many seats with all that editors write of each: rows of 40, zones of 25 rows."""
    zones: list[dict] = []
    for number in range(seats):
        at, of_row = number % 40, number // 40
        if number % 1000 == 0:
            rows: list[dict] = []
            zones.append({"name": f"Zone {len(zones) + 1}", "position": {"x": 2000 * len(zones), "y": 0}, "rows": rows})
        if at == 0:
            rows.append(
                {"row_number": str(of_row % 25 + 1), "position": {"x": 0, "y": 35 * (of_row % 25)}, "seats": []}
            )
        rows[-1]["seats"].append(
            {
                "seat_guid": f"6fd6f4ff-bd16-4b3e-a2f6-{number:012d}",
                "uuid": f"0c5ecb4f-7e4c-45a4-9f1f-{number:012d}",
                "seat_number": str(at + 1),
                "position": {"x": 30 * at, "y": 0},
                "category": "Block A" if of_row % 2 else "Block B",
                "radius": 10,
            }
        )
    return {"name": "Large", "categories": [{"name": "Block A"}, {"name": "Block B"}], "zones": zones}


def create(process: UpProcess, document: str, plan: str, options=()) -> pb.CreateEventResponse:
    with grpc.insecure_channel(process.grpc, options=options) as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        request = pb.CreateEventRequest(document=document, seating_plan=plan)
        return stub.CreateEvent(request, metadata=bearer(process, "admin"), timeout=SECONDS)


def bearer(process: UpProcess, role: str) -> tuple[tuple[str, str], ...]:
    token = process.token(role, "tester")
    return (("authorization", f"Bearer {token}"),)


@pytest.mark.long
def test_the_largest_plan_passes_over_the_command_line_grpc_and_http_and_is_sold(up, tmp_path: Path):
    process: UpProcess = up()
    plan = json.dumps(drawn(SEATS_MAX), indent=2)
    assert CLIENT_MESSAGE_BYTES * 8 < len(plan) <= PLAN_BYTES_MAX
    (tmp_path / "large.json").write_text(plan)
    (tmp_path / "large.yaml").write_text(priced("evt_cli"))
    file = str(tmp_path / "large.json")
    created = process.tacos("event", "create", file, "--grpc", process.grpc, "--data", str(process.data))
    assert created.returncode == 0, created.stderr
    assert f"{SEATS_MAX} seats" in created.stdout
    by_stock = create(process, priced("evt_grpc"), plan)
    assert (by_stock.plan.event.total_seats, len(by_stock.plan.sections)) == (SEATS_MAX, 0)
    answer = httpx.post(
        f"http://{process.http}/tacos.catalog.v1.CatalogService/CreateEvent",
        json={"document": priced("evt_http"), "seatingPlan": plan},
        headers=dict(bearer(process, "admin")),
        timeout=SECONDS,
    )
    assert answer.json()["plan"]["event"]["totalSeats"] == SEATS_MAX
    with grpc.insecure_channel(process.grpc, options=MESSAGE_OPTIONS) as channel:
        shown = catalog_pb2_grpc.CatalogServiceStub(channel).GetEvent(
            pb.GetEventRequest(event_id="evt_cli"), timeout=SECONDS
        )
        assert sum(len(row.seats) for section in shown.plan.sections for row in section.rows) == SEATS_MAX
        inventory = inventory_pb2_grpc.InventoryStub(channel)
        service = bearer(process, "service")
        for event_id in ("evt_cli", "evt_grpc", "evt_http"):
            request = inventory_pb2.ReserveSeatRequest(
                event_id=event_id, quantity=4, reservation_id="rsv_large", user_id="ana", idempotency_key=event_id
            )
            held = inventory.ReserveSeat(request, metadata=service, timeout=SECONDS)
            assert len(held.reserved_seats) == 4, held.error
    assert process.stop() == 0
    process.start()  # and it is all there
    assert process.tacos("event", "show", "evt_cli", "--grpc", process.grpc).returncode == 0
    assert process.tacos("verify", "--data", str(process.data)).returncode == 0


def test_a_plan_of_an_arena_passes_with_a_stock_client(up):
    process: UpProcess = up()
    plan = json.dumps(drawn(12_452), indent=4)
    assert len(plan) > CLIENT_MESSAGE_BYTES
    answer = create(process, priced("evt_arena"), plan)
    assert (answer.plan.event.total_seats, len(answer.plan.sections)) == (12_452, 13)


def test_one_seat_or_one_byte_too_many_is_told_as_such(up):
    process: UpProcess = up()
    seats = create(process, priced("evt_x"), json.dumps(drawn(SEATS_MAX + 1)))
    assert "at most 100,000 seats" in seats.error.message or f"at most {SEATS_MAX} seats" in seats.error.message
    size = create(process, priced("evt_x"), " " * PLAN_BYTES_MAX + "{}")
    assert size.error.details[0].field == "seating_plan"
    assert f"must have at most {PLAN_BYTES_MAX}" in size.error.message.replace(",", "")
