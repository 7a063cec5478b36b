"""Every call that has an idempotency key, and what has to stand before each can be asked rightly.

Used over real sockets and on the virtual clock alike: `ask(service, name, fields, user)` makes one call, as the fan
`user` or, without one, as a service.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.contract import CONTRACT

QUEUE, GATEWAY, PAYMENT = "gateway.v1.QueueService", "gateway.v1.GatewayService", "payment.v1.PaymentService"
INVENTORY, RESERVATION = "reservation.v1.Inventory", "reservation.v1.ReservationService"
AT_ONCE, TRIES_MAX = 50, 1000
COMPLETED = 3

Fields = dict[str, Any]
Ask = Callable[[str, str, Fields, str], Awaitable[Any]]


def keyed_calls() -> list[tuple[str, str]]:
    """Service and name of every RPC of the contract whose request has an idempotency key."""
    return [
        (rpc.service, rpc.name)
        for rpc in CONTRACT.rpcs
        if "idempotency_key" in CONTRACT.message(rpc.request).DESCRIPTOR.fields_by_name
    ]


class Stage:
    """A fan who is as far as a call asks for."""

    def __init__(self, ask: Ask, fan: str, event_id: str) -> None:
        self._ask = ask
        self.fan = fan
        self._event = event_id

    async def fields(self, service: str, name: str) -> tuple[Fields, str]:
        """What to ask the call rightly with, without the key; and as whom."""
        make, is_fans = STAGES[service, name]
        return await make(self), self.fan if is_fans else ""

    async def admitted(self) -> Fields:
        fields = {"event_id": self._event, "user_id": self.fan, "session_id": self.fan}
        joined = await self._right(QUEUE, "JoinQueue", fields, self.fan)
        asked = {"waiting_token": joined.waiting_token, "event_id": self._event, "user_id": self.fan}
        for _ in range(TRIES_MAX):
            if token := (await self._ask(QUEUE, "RequestAdmission", asked, self.fan)).reservation_token:
                break
            await asyncio.sleep(0.05)
        assert token, "not admitted"
        return {"event_id": self._event, "quantity": 1, "user_id": self.fan, "reservation_token": token}

    async def held(self) -> Fields:
        held = await self._right(GATEWAY, "CreateReservation", await self.admitted() | self._key("held"), self.fan)
        return {"reservation_id": held.reservation_id, "user_id": self.fan}

    async def extending(self) -> Fields:
        return await self.held() | {"extension_seconds": 30}

    async def owing(self) -> Fields:
        held = await self.held()
        found = await self._right(GATEWAY, "GetReservation", {"reservation_id": held["reservation_id"]}, self.fan)
        return held | {"amount": found.reservation.total_amount, "method": 1, "scenario": 1}

    async def owing_elsewhere(self) -> Fields:
        return await self.owing() | {"webhook_url": "http://127.0.0.1:9/"}

    async def intent(self) -> Fields:
        owing = await self.owing()
        intent = await self._right(GATEWAY, "CreatePaymentIntent", owing | self._key("intent"), self.fan)
        self.reservation_id = owing["reservation_id"]
        return {"payment_intent_id": intent.payment_intent_id}

    async def paid(self) -> Fields:
        """Paid just now; whether it is confirmed already, nobody knows."""
        intent = await self.intent()
        await self._right(PAYMENT, "ProcessPayment", intent | self._key("pay"), self.fan)
        for _ in range(TRIES_MAX):
            if (await self._right(GATEWAY, "GetPaymentStatus", intent, self.fan)).payment.status == COMPLETED:
                break
            await asyncio.sleep(0.02)
        return {**intent, "reservation_id": self.reservation_id, "user_id": self.fan}

    async def captured(self) -> Fields:
        """A part of the price, which must go back once."""
        paid = await self.paid()
        found = await self._right(
            GATEWAY, "GetPaymentStatus", {"payment_intent_id": paid["payment_intent_id"]}, self.fan
        )
        amount = found.payment.amount
        amount.amount //= 4
        return {"payment_intent_id": paid["payment_intent_id"], "refund_amount": amount}

    async def seats(self) -> Fields:
        return {"reservation_id": f"rsv_{self.fan}", "event_id": self._event, "quantity": 1, "user_id": self.fan}

    async def seats_held(self) -> Fields:
        seats = await self.seats()
        await self._right(INVENTORY, "ReserveSeat", seats | self._key("seats"), "")
        return seats

    async def seats_to_release(self) -> Fields:
        seats = await self.seats_held()
        del seats["user_id"]
        return seats

    def _key(self, name: str) -> Fields:
        return {"idempotency_key": f"{self.fan}-{name}"}

    async def _right(self, service: str, name: str, fields: Fields, user: str) -> Any:
        answer = await self._ask(service, name, fields, user)
        assert not answer.HasField("error"), (name, answer.error)
        return answer


# By call: what makes its fields, and whether a fan asks or a service.
STAGES: dict[tuple[str, str], tuple[Callable[[Stage], Awaitable[Fields]], bool]] = {
    (GATEWAY, "CreateReservation"): (Stage.admitted, True),
    (GATEWAY, "ConfirmReservation"): (Stage.paid, True),
    (GATEWAY, "CancelReservation"): (Stage.held, True),
    (GATEWAY, "CreatePaymentIntent"): (Stage.owing, True),
    (PAYMENT, "CreatePaymentIntent"): (Stage.owing_elsewhere, False),
    (PAYMENT, "ProcessPayment"): (Stage.intent, True),
    (PAYMENT, "CancelPayment"): (Stage.captured, False),
    (RESERVATION, "CreateReservation"): (Stage.admitted, False),
    (RESERVATION, "ConfirmReservation"): (Stage.paid, False),
    (RESERVATION, "CancelReservation"): (Stage.held, False),
    (RESERVATION, "ExtendHold"): (Stage.extending, True),
    (INVENTORY, "ReserveSeat"): (Stage.seats, False),
    (INVENTORY, "CommitReservation"): (Stage.seats_held, False),
    (INVENTORY, "ReleaseHold"): (Stage.seats_to_release, False),
}


async def many_at_once(ask: Ask, stage: Stage, service: str, name: str) -> Any:
    """The one answer to fifty calls at once under one key, which all of them must hear, and a fifty-first as well."""
    fields, user = await stage.fields(service, name)
    fields["idempotency_key"] = f"{stage.fan}-fifty"
    answers = await asyncio.gather(*(ask(service, name, fields, user) for _ in range(AT_ONCE)))
    answers.append(await ask(service, name, fields, user))
    different = {answer.SerializeToString(deterministic=True): answer for answer in answers}
    assert len(different) == 1, (service, name, list(different.values()))
    assert not answers[0].HasField("error"), (service, name, answers[0].error)
    return answers[0]
