"""Fifty calls at once under one idempotency key, over sockets: one effect, and one answer to all of them."""

import random

from tests.e2e.process import asker, connected
from tests.keyed import GATEWAY, INVENTORY, PAYMENT, RESERVATION, STAGES, Stage, keyed_calls, many_at_once
from traffic_tacos.calls import keys
from traffic_tacos.calls.policy import SCOPES
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import DAY
from traffic_tacos.kernel.tokens import UserToken, sign_user

EVENT = "evt_hundred"
ROUNDS = 5


def test_every_call_with_a_key_is_tried():
    assert set(STAGES) == set(keyed_calls())


async def test_fifty_at_once_under_one_key_have_one_effect_and_one_answer(up):
    platform = up()
    signing = keys.opened(platform.data, random.Random(1)).signing
    now = SystemClock().now()

    def token(user: str) -> str:
        caller = Caller(Role.FAN, user) if user else Caller(Role.SERVICE, "tester")
        return sign_user(signing, UserToken(caller, SCOPES[caller.role], now + DAY), now)

    async with connected(platform) as one, connected(platform) as two:
        asks = [asker(one), asker(two)]
        count = 0

        async def ask(service, name, fields, user):
            nonlocal count
            count += 1
            return await asks[count % 2](service, name, fields, token(user))

        for round_ in range(ROUNDS):
            for number, (service, name) in enumerate(keyed_calls()):
                stage = Stage(ask, f"fan-{round_}-{number}", EVENT)
                await many_at_once(ask, stage, service, name)
                effects = await effects_on(ask, stage.fan)
                assert effects == EFFECTS[service, name], (service, name)
    platform.verify()


async def effects_on(ask, fan):
    """The fan's reservations, payments, and the parts of four that went back."""
    reservations = (await ask(RESERVATION, "ListReservations", {"user_id": fan}, "")).reservations
    payments = (await ask(PAYMENT, "ListPayments", {"user_id": fan}, "")).payments
    return len(reservations), len(payments)


RESERVED, OWED = (1, 0), (1, 1)
EFFECTS = {
    (GATEWAY, "CreateReservation"): RESERVED,
    (GATEWAY, "ConfirmReservation"): OWED,
    (GATEWAY, "CancelReservation"): RESERVED,
    (GATEWAY, "CreatePaymentIntent"): OWED,
    (PAYMENT, "CreatePaymentIntent"): OWED,
    (PAYMENT, "ProcessPayment"): OWED,
    (PAYMENT, "CancelPayment"): OWED,
    (RESERVATION, "CreateReservation"): RESERVED,
    (RESERVATION, "ConfirmReservation"): OWED,
    (RESERVATION, "CancelReservation"): RESERVED,
    (RESERVATION, "ExtendHold"): RESERVED,
    (INVENTORY, "ReserveSeat"): (0, 0),
    (INVENTORY, "CommitReservation"): (0, 0),
    (INVENTORY, "ReleaseHold"): (0, 0),
}
