"""A fan's streams over a socket, from the place in line to the ticket; and through a kill in the middle."""

import queue
import threading
import time

import grpc

from tests.contract import CONTRACT
from tests.e2e.process import OWN_CONNECTION, Shopper

SOCKET = "gateway.v1.WebSocketService"
CREATED, CONFIRMED = 1, 2
COMPLETED = 3


class Ear:
    """Reads one stream in a thread, and connects again when it breaks, as an app does."""

    def __init__(self, platform, name, token, told, **fields):
        self._rpc = CONTRACT.rpc(SOCKET, name)
        self._platform, self._token, self._fields = platform, token, fields
        self._told = told
        self._hung_up = threading.Event()
        self.connections = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while not self._hung_up.is_set():
            with grpc.insecure_channel(self._platform.grpc, options=OWN_CONNECTION) as channel:
                call = channel.unary_stream(
                    self._rpc.path,
                    request_serializer=lambda message: message.SerializeToString(),
                    response_deserializer=CONTRACT.message(self._rpc.response).FromString,
                )
                request = CONTRACT.message(self._rpc.request)(**self._fields)
                metadata = (("authorization", f"Bearer {self._token}"),)
                try:
                    self.connections += 1
                    for message in call(request, metadata=metadata):
                        self._told.put(message)
                except grpc.RpcError:
                    time.sleep(0.1)

    def hang_up(self):
        self._hung_up.set()


def heard(told, wanted, seconds=20):
    """The next message that is wanted; those before it are passed over."""
    deadline = time.monotonic() + seconds
    while True:
        message = told.get(timeout=max(0.01, deadline - time.monotonic()))
        if wanted(message):
            return message


def test_streams_tell_ready_reserved_paid_confirmed_and_a_kill_in_between_loses_nothing(up):
    platform = up()
    token = platform.token("user", "ana")
    shopper = Shopper(platform.client(), token, "ana", "evt_hundred")
    shopper.join()
    place, reservations, payments = queue.Queue(), queue.Queue(), queue.Queue()
    waiting_token = shopper.acknowledged["waiting_token"]
    ears = [
        Ear(platform, "StreamQueueUpdates", token, place, waiting_token=waiting_token, session_id="ana"),
        Ear(platform, "StreamReservationUpdates", token, reservations, user_id="ana"),
        Ear(platform, "StreamPaymentUpdates", token, payments, user_id="ana"),
    ]
    assert heard(place, lambda message: message.queue_update.admission_ready)
    shopper.be_admitted()
    held = shopper.reserve()
    created = heard(reservations, lambda message: message.reservation_update.event_type == CREATED)
    assert created.reservation_update.reservation_id == held.reservation_id
    platform.kill()  # streams break in the middle of the sale
    platform.start()
    shopper.client = platform.client()
    shopper.pay()
    platform.kill()  # and once more while the bank is being asked
    platform.start()
    shopper.client = platform.client()
    paid = heard(payments, lambda message: message.payment_update.event_type == COMPLETED)
    assert paid.payment_update.payment_intent_id == shopper.acknowledged["paid"]
    confirmed = heard(reservations, lambda message: message.reservation_update.event_type == CONFIRMED)
    assert confirmed.reservation_update.reservation_id == held.reservation_id
    assert all(ear.connections >= 2 for ear in ears[1:])
    for ear in ears:
        ear.hang_up()
    platform.verify()
