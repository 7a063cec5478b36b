"""The table of webhook types agrees with the contract, and with the statuses that it names."""

from traffic_tacos.gen.gateway.v1 import webhook_pb2
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.kernel.webhook_types import OF_PAYMENT, OF_RESERVATION, WEBHOOK_TYPES
from traffic_tacos.rooms.webhook.model import EventType


def test_numbers_are_those_of_the_contract():
    by_name = {one.name.upper().replace(".", "_"): one for one in WEBHOOK_TYPES}
    for enum, prefix, number_of in (
        (webhook_pb2.WebhookEventType, "WEBHOOK_EVENT_TYPE_", lambda one: one.subscribed_as),
        (webhook_pb2.PaymentWebhookType, "PAYMENT_WEBHOOK_TYPE_", lambda one: one.received_as),
    ):
        for name, number in enum.items():
            short = name.removeprefix(prefix)
            if short not in ("UNSPECIFIED", "PENDING"):
                one = by_name.get(short) or by_name[f"PAYMENT_{short}"]
                assert number_of(one) == number, name
    assert {kind.name: kind.value for kind in EventType} == {
        name: one.subscribed_as for name, one in by_name.items() if one.subscribed_as
    }


def test_every_end_of_a_payment_has_a_type_and_no_name_stands_twice():
    assert set(OF_PAYMENT) == set(PaymentStatus) - {PaymentStatus.PENDING, PaymentStatus.PROCESSING}
    assert ReservationStatus.EXPIRED in OF_RESERVATION
    assert len({one.name for one in WEBHOOK_TYPES}) == len(WEBHOOK_TYPES)
