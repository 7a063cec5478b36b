"""A steady platform on a virtual clock, for tests of single calls: `@on_platform` runs the test in it."""

import functools
import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from tests.contract import CONTRACT
from tests.simulation.loop import VirtualLoop, run
from tests.simulation.world import EVENT, EVENT_ID, STEADY, World
from traffic_tacos.calls.policy import SCOPES
from traffic_tacos.gen.common.v1 import errors_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import DAY
from traffic_tacos.kernel.tokens import UserToken, sign_user
from traffic_tacos.transport.http import application
from traffic_tacos.web.routes import answers

QUEUE = "gateway.v1.QueueService/"
GATEWAY = "gateway.v1.GatewayService/"
PAYMENT = "payment.v1.PaymentService/"
INVENTORY = "reservation.v1.Inventory/"
RESERVATION = "reservation.v1.ReservationService/"
WORKER = "reservation.v1.WorkerService/"

TURN_ASKED_MAX = 5000  # then nobody is going to let them in


class Desk(World):
    """The world with the words that tests use."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(0, loop, STEADY, lossy=0.0)
        self.loop = loop
        self._count = 0

    def key(self) -> str:
        self._count += 1
        return f"key-{self._count}"

    def token(self, role: Role, name: str, lifetime: int = DAY) -> str:
        now = self.clock.now()
        return sign_user(self.keys.signing, UserToken(Caller(role, name), SCOPES[role], now + lifetime), now)

    async def ask(self, path: str, request: Any, token: str = "") -> Any:
        """One call with this token, as the server would take it."""
        calls = self.platform.calls
        method = calls.methods["/" + path]
        headers = (("authorization", f"Bearer {token}"),) if token else ()
        try:
            call = calls.call(method, request, headers, self.peer)
        except Exception as refusal:
            return calls.refused(method, refusal)
        return await calls.answer(method, request, call)

    async def stream(self, path: str, request: Any, token: str = "") -> AsyncIterator[Any]:
        """The messages of a stream as the server would send them."""
        calls = self.platform.calls
        headers = (("authorization", f"Bearer {token}"),) if token else ()
        method = calls.methods["/" + path]
        async for message in calls.stream(method, request, calls.call(method, request, headers, self.peer)):
            yield type(message).FromString(message.SerializeToString())

    async def http(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | AsyncIterator[bytes] = b""
    ) -> httpx.Response:
        """One request to the HTTP door, inside the virtual loop."""
        transport = httpx.ASGITransport(application(self.platform, answers(self.platform)), client=(self.address, 123))
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            return await client.request(method, path, headers=headers, content=body)

    async def as_service(self, path: str, request: Any) -> Any:
        return await self.ask(path, request, self.token(Role.SERVICE, "tester"))

    async def as_fan(self, path: str, request: Any, fan: str) -> Any:
        return await self.ask(path, request, self.token(Role.FAN, fan))

    async def asked(self, service: str, name: str, fields: dict[str, Any], user: str) -> Any:
        """A call by name, as the fan `user`, or without one as a service; read by a client of the contract table."""
        rpc, path = CONTRACT.rpc(service, name), f"{service}/{name}"
        given = CONTRACT.message(rpc.request)(**fields).SerializeToString()
        request = self.platform.calls.methods["/" + path].request.FromString(given)
        answer = await (self.as_fan(path, request, user) if user else self.as_service(path, request))
        return CONTRACT.message(rpc.response).FromString(answer.SerializeToString())

    async def admitted(self, fan: str, event_id: str = EVENT_ID) -> str:
        """A reservation token for the fan."""
        joined = await self.as_fan(
            QUEUE + "JoinQueue", queue_pb2.JoinQueueRequest(event_id=event_id, user_id=fan, session_id=fan), fan
        )
        request = queue_pb2.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=event_id, user_id=fan)
        for _ in range(TURN_ASKED_MAX):
            admission = await self.as_fan(QUEUE + "RequestAdmission", request, fan)
            if admission.reservation_token:
                return admission.reservation_token
            await self.clock.sleep(0.2)
        raise AssertionError(f"{fan} was never let in: {admission}")

    async def held(self, fan: str, quantity: int = 2, seats: tuple[str, ...] = (), event_id: str = EVENT_ID) -> Any:
        request = gateway_pb2.CreateReservationRequest(
            event_id=event_id,
            seat_ids=seats,
            quantity=quantity,
            user_id=fan,
            reservation_token=await self.admitted(fan, event_id),
            idempotency_key=self.key(),
        )
        return await self.as_fan(GATEWAY + "CreateReservation", request, fan)

    async def intent(self, fan: str, held: Any, scenario: int = payment_pb2.PAYMENT_SCENARIO_APPROVE) -> Any:
        request = gateway_pb2.CreatePaymentIntentRequest(
            reservation_id=held.reservation_id,
            amount=held.total_amount,
            user_id=fan,
            method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
            scenario=scenario,
            idempotency_key=self.key(),
        )
        return await self.as_fan(GATEWAY + "CreatePaymentIntent", request, fan)

    async def pay(self, fan: str, held: Any, scenario: int = payment_pb2.PAYMENT_SCENARIO_APPROVE) -> str:
        """Set a payment going; the intent's id."""
        intent = await self.intent(fan, held, scenario)
        assert not intent.HasField("error"), intent.error
        request = payment_pb2.ProcessPaymentRequest(
            payment_intent_id=intent.payment_intent_id, idempotency_key=self.key()
        )
        answer = await self.as_fan(PAYMENT + "ProcessPayment", request, fan)
        assert answer.status == payment_pb2.PAYMENT_STATUS_PROCESSING
        return intent.payment_intent_id

    async def cancel(self, fan: str, held: Any, key: str = "") -> Any:
        """Cancel the reservation, or give it back."""
        return await self.as_fan(GATEWAY + "CancelReservation", self.cancellation(fan, held, key), fan)

    def cancellation(self, fan: str, held: Any, key: str = "") -> Any:
        return gateway_pb2.CancelReservationRequest(
            reservation_id=held.reservation_id, user_id=fan, reason="no", idempotency_key=key or self.key()
        )

    async def reservation(self, reservation_id: str) -> Any:
        request = reservation_pb2.GetReservationRequest(reservation_id=reservation_id)
        return (await self.as_service(RESERVATION + "GetReservation", request)).reservation

    async def payment(self, intent_id: str) -> Any:
        request = payment_pb2.GetPaymentStatusRequest(payment_intent_id=intent_id)
        return (await self.as_service(PAYMENT + "GetPaymentStatus", request)).payment

    async def stats(self) -> Any:
        request = inventory_pb2.GetInventoryStatusRequest(event_id=EVENT_ID)
        return (await self.as_service(INVENTORY + "GetInventoryStatus", request)).stats

    async def loop_once(self) -> None:
        """Let a little virtual time pass."""
        await self.clock.sleep(0.01)

    def broken_invariants(self) -> list[str]:
        return [violation for result in self.verify() for violation in result.violations]


def on_platform(
    test: Callable[..., Awaitable[None]] | None = None, *, without: frozenset[str] = frozenset(), event: str = EVENT
) -> Any:
    """Run an async test of a desk; what it stored must keep every promise at its end."""
    if test is None:
        return functools.partial(on_platform, without=without, event=event)

    def sync(**arguments: Any) -> None:
        loop = VirtualLoop(random.Random(1))

        async def main() -> None:
            desk = Desk(loop)
            desk.event = event
            desk.without = without
            await desk.open()
            await test(desk, **arguments)
            if desk.broken is not None:
                raise desk.broken
            broken = desk.broken_invariants()
            assert broken == [], broken
            await desk.close()

        run(main(), loop)

    sync.__name__, sync.__doc__ = test.__name__, test.__doc__
    sync.pytestmark = getattr(test, "pytestmark", [])
    parameters = list(inspect.signature(test).parameters.values())[1:]
    sync.__signature__ = inspect.Signature(parameters)
    return sync


def code(answer: Any) -> str:
    """The refusal's code without its prefix; empty when there is none."""
    if not answer.HasField("error"):
        return ""
    assert answer.error.trace_id
    return errors_pb2.ErrorCode.Name(answer.error.code).removeprefix("ERROR_CODE_")
