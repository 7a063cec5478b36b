"""What cannot be meant is refused with its field and what would be right, and nothing has changed."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tests.rpc.desk import GATEWAY, INVENTORY, PAYMENT, RESERVATION, WORKER, code, on_platform
from tests.simulation.world import EVENT, EVENT_ID
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, webhook_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2, worker_pb2

OTHER = EVENT.replace("id: evt_sim", "id: evt_other").replace("id: MAIN", "id: BALCONY")
HUGE = 2**31 - 1


def reserve_seats(**more):
    return INVENTORY + "ReserveSeat", inventory_pb2.ReserveSeatRequest(
        **{"reservation_id": "r1", "event_id": EVENT_ID, "user_id": "u", "idempotency_key": "k", "quantity": 1, **more}
    )


def check(**more):
    return INVENTORY + "CheckAvailability", inventory_pb2.CheckAvailabilityRequest(event_id=EVENT_ID, **more)


def money(amount, currency="KRW"):
    return types_pb2.Money(amount=amount, currency=currency)


CASES = {
    "a negative quantity": (lambda held: reserve_seats(quantity=-1), "quantity"),
    "a huge quantity": (lambda held: reserve_seats(quantity=HUGE), "quantity"),
    "no quantity": (lambda held: reserve_seats(quantity=0), "quantity"),
    "a negative quantity to look for": (lambda held: check(quantity=-5), "quantity"),
    "a huge quantity to look for": (lambda held: check(quantity=HUGE), "quantity"),
    "a seat twice": (lambda held: reserve_seats(seat_ids=["MAIN-A-1", "MAIN-A-1"], quantity=2), "seat_ids"),
    "a seat of another event": (lambda held: reserve_seats(seat_ids=["BALCONY-A-1"]), "seat_ids"),
    "more seats than anybody buys": (
        lambda held: reserve_seats(seat_ids=[f"S-{n}" for n in range(1000)], quantity=0),
        "seat_ids",
    ),
    "an unknown section": (lambda held: check(section="ROOF"), "section"),
    "a key that is too long": (lambda held: reserve_seats(idempotency_key="k" * 201), "idempotency_key"),
    "a key with control characters": (lambda held: reserve_seats(idempotency_key="k\x00"), "idempotency_key"),
    "an id with control characters": (lambda held: reserve_seats(reservation_id="r\n1"), "reservation_id"),
    "an id that is too long": (lambda held: reserve_seats(event_id="e" * 129), "event_id"),
    "a hold into the past": (
        lambda held: reserve_seats(hold_expires_at=Timestamp(seconds=1_700_000_000)),
        "hold_expires_at",
    ),
    "a time before 1970": (lambda held: reserve_seats(hold_expires_at=Timestamp(seconds=-1)), "hold_expires_at"),
    "a time after 9999": (lambda held: reserve_seats(hold_expires_at=Timestamp(seconds=2**40)), "hold_expires_at"),
    "an amount in another currency": (lambda held: intent(held, amount=money(100000, "EUR")), "amount"),
    "an amount that differs": (lambda held: intent(held, amount=money(99999)), "amount"),
    "a negative amount": (lambda held: intent(held, amount=money(-100000)), "amount"),
    "no amount": (lambda held: intent(held, amount=None), "amount"),
    "an unknown method": (lambda held: intent(held, method=99), "method"),
    "an unknown scenario": (lambda held: intent(held, scenario=99), "scenario"),
    "no method": (lambda held: intent(held, method=0), "method"),
    "a webhook into our own network": (lambda held: intent(held, webhook_url="http://10.0.0.1/"), "webhook_url"),
    "an unknown status to list": (
        lambda held: (
            RESERVATION + "ListReservations",
            reservation_pb2.ListReservationsRequest(user_id="ana", status=99),
        ),
        "status",
    ),
    "an unknown payment status to list": (
        lambda held: (PAYMENT + "ListPayments", payment_pb2.ListPaymentsRequest(user_id="ana", status=99)),
        "status",
    ),
    "a page of a negative size": (
        lambda held: (
            PAYMENT + "ListPayments",
            payment_pb2.ListPaymentsRequest(user_id="ana", pagination=types_pb2.Pagination(page_size=-1)),
        ),
        "pagination.page_size",
    ),
    "an unknown compensation": (
        lambda held: (
            WORKER + "ProcessCompensation",
            worker_pb2.ProcessCompensationRequest(reservation_id="r", compensation_type=99),
        ),
        "compensation_type",
    ),
    "an extension of years": (
        lambda held: (
            RESERVATION + "ExtendHold",
            reservation_pb2.ExtendHoldRequest(
                reservation_id=held.reservation_id, user_id="ana", extension_seconds=HUGE, idempotency_key="e"
            ),
        ),
        "extension_seconds",
    ),
    "an expiry before 1970": (
        lambda held: (
            "gateway.v1.WebhookService/ReceiveExpiryWebhook",
            webhook_pb2.ExpiryWebhookRequest(
                webhook_id="w", reservation_id="r", source="tester", expired_at=Timestamp(seconds=-5)
            ),
        ),
        "expired_at",
    ),
}


def intent(held, **more):
    fields = {
        "reservation_id": held.reservation_id,
        "amount": held.total_amount,
        "user_id": "ana",
        "method": 1,
        "scenario": 1,
        "webhook_url": "https://shop.example/hook",
        "idempotency_key": "i",
        **more,
    }
    return PAYMENT + "CreatePaymentIntent", payment_pb2.CreatePaymentIntentRequest(**fields)


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_meant_is_refused_and_loses_nothing(name):
    make, field = CASES[name]

    @on_platform
    async def on_desk(desk):
        await desk.platform.put_on_sale(OTHER)
        held = await desk.held("ana", 2)
        await desk.clock.sleep(1)
        before = (await desk.stats()).SerializeToString()
        path, request = make(held)
        refused = await desk.as_service(path, request)
        assert code(refused) in ("INVALID_ARGUMENT", "NOT_FOUND")
        assert refused.error.details[0].field == field
        assert refused.error.details[0].reason.startswith("must") or "required" in refused.error.details[0].reason
        assert len(refused.error.message) < 500
        after = await desk.stats()
        after.last_updated.CopyFrom(inventory_pb2.InventoryStats.FromString(before).last_updated)
        assert after.SerializeToString() == before
        await desk.pay("ana", held)  # and what was right goes on
        await desk.clock.sleep(10)
        assert (await desk.reservation(held.reservation_id)).order_id

    on_desk()


@on_platform
async def test_the_gateway_refuses_what_no_order_may_have(desk):
    for quantity in (-1, 0, 5, HUGE):
        refused = await desk.held(f"fan{quantity}", quantity)
        assert (code(refused), refused.error.details[0].field) == ("INVALID_ARGUMENT", "quantity")
    request = gateway_pb2.GetEventAvailabilityRequest(event_id=EVENT_ID, quantity=-1)
    assert code(await desk.ask(GATEWAY + "GetEventAvailability", request)) == "INVALID_ARGUMENT"
