"""Fans as they are: patient, gone, late, repeating themselves, changing their minds."""

import asyncio
from contextlib import suppress
from typing import Any

from tests.simulation.world import EVENT_ID, SALE_ENDS, SALE_ENDS_AT, Broken, Unreachable, World
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, websocket_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.kernel.instants import SECOND

UNSURE = frozenset({errors_pb2.ERROR_CODE_UNAVAILABLE, errors_pb2.ERROR_CODE_TIMEOUT})
TRIES_MAX = 30
OFFER_SECONDS = 12  # a little less than the event's offers last
STATUS_ASKED_MAX = 60
STREAM = "gateway.v1.WebSocketService/StreamQueueUpdates"
QUEUE = "gateway.v1.QueueService/"
GATEWAY = "gateway.v1.GatewayService/"
PAYMENT = "payment.v1.PaymentService/"
RESERVATION = "reservation.v1.ReservationService/"


class Fan:
    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.name = f"fan{number:03d}"
        self.outcome = "gone"
        self.places: list[int] = []
        self._keys = 0

    async def live(self) -> None:
        """One fan's evening, from the line to the ticket, or to wherever it ends."""
        chance = self.world.random
        await asyncio.sleep(chance.uniform(0, 20))
        for _ in range(2):
            self.outcome = await self._try_to_buy()
            self.world.say(f"{self.name} {self.outcome}")
            if self.outcome in ("bought", "vanished") or chance.random() < 0.5:
                return
            await asyncio.sleep(chance.uniform(1, 30))

    async def _try_to_buy(self) -> str:
        chance = self.world.random
        token = await self.join()
        if not token:
            return "not let into the line"
        if chance.random() < 0.1:
            await asyncio.sleep(chance.uniform(0, 10))
            return await self._leave(token)
        if chance.random() < 0.2:
            await asyncio.sleep(chance.uniform(20, 90))  # closed the laptop, and came back
        admission = await (self._watch(token) if chance.random() < 0.4 else self._wait(token))
        if not admission:
            return "not admitted"
        if chance.random() < 0.1:
            return "vanished"
        if self.world.changing is not None and chance.random() < 0.9:
            await self._until_the_event_changes(self.world.changing)
        held = await self._reserve(admission)
        if held.HasField("error"):
            return f"refused {errors_pb2.ErrorCode.Name(held.error.code)}"
        if chance.random() < 0.1:
            return "vanished"
        if chance.random() < 0.1:
            return await self._cancel(held.reservation_id)
        if chance.random() < 0.15:
            await asyncio.sleep(chance.choice([0, 30, chance.uniform(59, 60.5)]))
            await self._extend(held.reservation_id)
        if chance.random() < 0.3:
            await asyncio.sleep(chance.uniform(50, 64))  # at the edge of the hold, or past it
        outcome = await self._pay(held)
        if chance.random() < 0.15:
            await asyncio.sleep(chance.uniform(0, 8))  # while the bank answers
            await self._cancel(held.reservation_id)
        outcome = outcome or await self._owned(held.reservation_id)
        if outcome == "bought" and chance.random() < 0.2:
            await asyncio.sleep(chance.uniform(0, 20))
            if await self._cancel(held.reservation_id) == "cancelled":
                return "gave back"
        return outcome

    async def join(self) -> str:
        request = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id=self.name, session_id=f"s-{self.name}")
        answer = await self._surely(QUEUE + "JoinQueue", request)
        self.places = []
        if answer.waiting_token:
            self._see_place(answer.position_hint)
        return answer.waiting_token

    async def _wait(self, token: str) -> str:
        chance = self.world.random
        patience = chance.randint(2, STATUS_ASKED_MAX)
        for _ in range(patience):
            status = await self._surely(QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(waiting_token=token))
            self._see_place(status.position)
            self._see_turn(status.admission_ready)
            if status.status == queue_pb2.QUEUE_STATUS_EXPIRED:
                return ""
            if status.admission_ready or chance.random() < 0.1:
                admission = await self.admit(token)
                if admission:
                    return admission
            await asyncio.sleep(chance.uniform(0.2, 6))
        return ""

    async def _watch(self, token: str) -> str:
        """Wait by a stream, and connect again whenever it breaks."""
        chance = self.world.random
        give_up_at = self.world.clock.now() + chance.uniform(10, 300) * SECOND
        request = websocket_pb2.StreamQueueRequest(waiting_token=token, session_id=f"s-{self.name}")
        while self.world.clock.now() < give_up_at:
            messages = self.world.stream(STREAM, request, self.name)
            try:
                async with asyncio.timeout((give_up_at - self.world.clock.now()) / SECOND):
                    async for message in messages:
                        update = message.queue_update
                        self._see_place(update.position)
                        self._see_turn(update.admission_ready)
                        if update.event_type == websocket_pb2.QUEUE_EVENT_TYPE_TOKEN_EXPIRED:
                            return ""
                        if update.admission_ready and (admission := await self.admit(token)):
                            return admission
            except (Unreachable, TimeoutError):
                await asyncio.sleep(chance.uniform(0.1, 2))
            finally:
                await messages.aclose()
        return ""

    async def _until_the_event_changes(self, changing: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(OFFER_SECONDS):
                await changing.wait()
                await asyncio.sleep(self.world.random.uniform(0, 2))

    async def _leave(self, token: str) -> str:
        answer = await self._surely(QUEUE + "LeaveQueue", queue_pb2.LeaveQueueRequest(waiting_token=token))
        if not answer.success:
            return "could not leave"
        status = await self._surely(QUEUE + "GetQueueStatus", queue_pb2.GetQueueStatusRequest(waiting_token=token))
        if status.status != queue_pb2.QUEUE_STATUS_LEFT:
            raise Broken(f"{self.name} left, and is {queue_pb2.QueueStatus.Name(status.status)}")
        return "left"

    async def admit(self, token: str) -> str:
        request = queue_pb2.RequestAdmissionRequest(waiting_token=token, event_id=EVENT_ID, user_id=self.name)
        first = await self._surely(QUEUE + "RequestAdmission", request)
        if first.admission == queue_pb2.ADMISSION_STATUS_GRANTED and self.world.random.random() < 0.3:
            again = await self._surely(QUEUE + "RequestAdmission", request)
            if again.reservation_token not in ("", first.reservation_token):
                raise Broken("one ticket was given two admissions")
        return first.reservation_token

    async def _reserve(self, admission: str) -> Any:
        chance = self.world.random
        quantity = chance.randint(1, 3)
        seats = [f"MAIN-A-{n}" for n in chance.sample(range(1, 6), quantity)] if chance.random() < 0.3 else []
        request = gateway_pb2.CreateReservationRequest(
            event_id=EVENT_ID,
            seat_ids=seats,
            quantity=quantity,
            user_id=self.name,
            reservation_token=admission,
            idempotency_key=self._key(),
        )
        return await self._once(GATEWAY + "CreateReservation", request)

    async def _pay(self, held: Any) -> str:
        chance = self.world.random
        intent = await self._once(
            GATEWAY + "CreatePaymentIntent",
            gateway_pb2.CreatePaymentIntentRequest(
                reservation_id=held.reservation_id,
                amount=held.total_amount,
                user_id=self.name,
                method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
                scenario=chance.choice([1, 1, 1, 2, 3, 4, 5]),
                idempotency_key=self._key(),
            ),
        )
        if intent.HasField("error"):
            return f"cannot pay {errors_pb2.ErrorCode.Name(intent.error.code)}"
        if chance.random() < 0.15:
            await asyncio.sleep(chance.uniform(0, 62))
        await self._once(
            PAYMENT + "ProcessPayment",
            payment_pb2.ProcessPaymentRequest(payment_intent_id=intent.payment_intent_id, idempotency_key=self._key()),
        )
        if chance.random() < 0.2:
            await asyncio.sleep(chance.uniform(0, 6))
            await self._once(
                GATEWAY + "ConfirmReservation",
                gateway_pb2.ConfirmReservationRequest(
                    reservation_id=held.reservation_id,
                    payment_intent_id=intent.payment_intent_id,
                    user_id=self.name,
                    idempotency_key=self._key(),
                ),
            )
        return ""

    async def _owned(self, reservation_id: str) -> str:
        request = gateway_pb2.GetReservationRequest(reservation_id=reservation_id)
        for _ in range(40):
            answer = await self._surely(GATEWAY + "GetReservation", request)
            status = answer.reservation.status
            if status == reservation_pb2.RESERVATION_STATUS_CONFIRMED:
                return "bought"
            if status != reservation_pb2.RESERVATION_STATUS_PENDING:
                return reservation_pb2.ReservationStatus.Name(status)
            await asyncio.sleep(self.world.random.uniform(0.5, 4))
        return "still pending"

    async def _cancel(self, reservation_id: str) -> str:
        request = gateway_pb2.CancelReservationRequest(
            reservation_id=reservation_id, user_id=self.name, reason="sim", idempotency_key=self._key()
        )
        answer = await self._once(GATEWAY + "CancelReservation", request)
        return "could not cancel" if answer.HasField("error") else "cancelled"

    async def _extend(self, reservation_id: str) -> None:
        request = reservation_pb2.ExtendHoldRequest(
            reservation_id=reservation_id,
            user_id=self.name,
            extension_seconds=self.world.random.choice([1, 30, 60]),
            idempotency_key=self._key(),
        )
        await self._once(RESERVATION + "ExtendHold", request)

    async def _once(self, path: str, request: Any) -> Any:
        """A call with an idempotency key: sometimes many times at once, sometimes repeated; one answer all the same.

        Once somebody was told of the effect, nobody is told anything else. Of several processes one may say that a hold
        has ended, by its clock, while another has not committed yet: there it holds for who asks from then on.
        """
        chance = self.world.random
        told: list[Any] = []

        async def ask() -> None:
            await asyncio.sleep(chance.choice([0, 0, chance.uniform(0, 0.5)]))
            was_known = bool(told) and _is_effect(told[0])
            answer = await self._surely(path, request)
            is_known = bool(told) and _is_effect(told[0])
            if (
                (was_known if self.world.has_several_clocks else is_known)
                and not _is_effect(answer)
                and answer.error.code not in UNSURE
            ):
                raise Broken(f"{path}: one key, its effect was told, and then {answer.error.message}")
            told.insert(0 if _is_effect(answer) else len(told), answer)

        await asyncio.gather(*(ask() for _ in range(chance.choice([1, 1, 1, 1, 2, 3, 12]))))
        if chance.random() < 0.2:
            await ask()
        effects = {answer.SerializeToString(deterministic=True) for answer in told if _is_effect(answer)}
        if len(effects) > 1:
            raise Broken(f"{path}: one key, {len(effects)} answers")
        return told[0]

    async def _surely(self, path: str, request: Any) -> Any:
        """Ask until there is an answer that says something."""
        tries = 0
        while True:
            try:
                answer = await self.world.call(path, request, self.name)
            except Unreachable:
                await asyncio.sleep(self.world.random.uniform(0.1, 1))
                continue
            code = answer.error.code
            if code == errors_pb2.ERROR_CODE_INTERNAL:
                raise Broken(f"{path} came upon a bug: {answer.error.trace_id}")
            tries += 1
            if code not in UNSURE or tries == TRIES_MAX:
                return answer
            await asyncio.sleep(self.world.random.uniform(0.1, 2))

    def _see_place(self, place: int) -> None:
        if place and self.places and place > self.places[-1]:
            raise Broken(f"I10: the place of {self.name} rose from {self.places[-1]} to {place}")
        if place:
            self.places.append(place)

    def _see_turn(self, is_ready: bool) -> None:
        """A moment is allowed for: the answer was given before the end, and is read after it."""
        if is_ready and SALE_ENDS in self.world.event and self.world.clock.now() > SALE_ENDS_AT + SECOND:
            raise Broken(f"{self.name} was given a turn after the end of the sale")

    def _key(self) -> str:
        self._keys += 1
        return f"{self.name}-{self._keys}"


def _is_effect(answer: Any) -> bool:
    """Whether the answer tells of an effect, and so must be the same for every repeat."""
    return not answer.HasField("error")
