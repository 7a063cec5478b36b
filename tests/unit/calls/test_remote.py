"""What may be sent again to another process, and whose rooms are where."""

import random

from google.protobuf.descriptor_pool import Default

from tests.clocks import HandClock
from traffic_tacos.app.config import ROOMS
from traffic_tacos.calls import keys
from traffic_tacos.calls.policy import POLICY, ROOM_OF
from traffic_tacos.calls.remote import TOKEN_LIFETIME, ServiceTokens, is_safe_to_repeat, load_services
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import verify_user


def test_every_service_is_some_room_s():
    assert set(ROOM_OF) == {path.partition("/")[0] for path in POLICY}
    assert set(ROOM_OF.values()) <= set(ROOMS)


def test_what_is_sent_again_reads_has_a_key_or_converges():
    load_services()
    repeated = {
        f"{service}/{method.name}"
        for service in ROOM_OF
        for method in Default().FindServiceByName(service).methods
        if is_safe_to_repeat(method)
    }
    assert "gateway.v1.GatewayService/GetReservation" in repeated
    assert "reservation.v1.ReservationService/CreateReservation" in repeated
    assert "tacos.lifecycle.v1.LifecycleService/SettleReservation" in repeated
    assert "common.v1.AdminService/EmergencyAction" not in repeated
    assert "gateway.v1.QueueService/JoinQueue" not in repeated


def test_a_room_s_token_is_a_service_s_and_is_signed_anew_in_time():
    clock, ring = HandClock(), keys.Keyring(keys.made(random.Random(1)))
    tokens = ServiceTokens(ring, clock)
    first = tokens.of("gateway")
    assert verify_user(first, ring.verifying, clock.now()).caller == Caller(Role.SERVICE, "gateway")
    assert tokens.of("gateway") == first
    clock.advance(TOKEN_LIFETIME / SECOND / 2)
    second = tokens.of("gateway")
    assert second != first
    ring.take(keys.made(random.Random(2)))
    assert verify_user(tokens.of("gateway"), ring.verifying, clock.now())
