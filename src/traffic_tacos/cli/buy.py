"""`tacos buy`: one purchase, step by step, as a person would watch it."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import grpc as grpcio
import typer
from rich.console import Console
from rich.markup import escape

from traffic_tacos.cli import options
from traffic_tacos.cli.event import sale_state
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.common.v1 import types_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, gateway_pb2_grpc, queue_pb2, queue_pb2_grpc
from traffic_tacos.gen.payment.v1 import payment_pb2, payment_pb2_grpc
from traffic_tacos.gen.reservation.v1 import reservation_pb2
from traffic_tacos.gen.tacos.catalog.v1 import catalog_pb2, catalog_pb2_grpc
from traffic_tacos.gen.tacos.web.v1 import web_pb2, web_pb2_grpc
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.transport.pay_words import Words
from traffic_tacos.transport.seat_names import is_standing, seat_name, several
from traffic_tacos.upstream import answered
from traffic_tacos.wire import plain_money, queue_message

SCENARIOS = ("approve", "fail", "delay", "random", "timeout")
ASKED_EVERY_SECONDS = 0.5
PAID_WITHIN_SECONDS = 90
SHOWN_AFTER_SECONDS, SHOWN_EVERY_SECONDS = 2, 5


def buy(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")],
    quantity: Annotated[int, typer.Option(help="How many seats, side by side.")] = 1,
    seats: Annotated[str, typer.Option(help="These seats instead, separated by commas.")] = "",
    scenario: Annotated[str, typer.Option(help=f"What the simulated bank does: {', '.join(SCENARIOS)}.")] = "approve",
    user: Annotated[str, typer.Option(help="Who buys; a new fan unless named.")] = "",
    grpc: options.Grpc = str(options.DEFAULTS.grpc),
    data: options.Data = options.DEFAULTS.data,
) -> None:
    """Buy tickets: join the queue, be admitted, hold seats, pay, own them. Exit code 1 when nothing was bought.

    Example: [bold]tacos buy evt_taco_club --quantity 2[/]
    """
    if scenario not in SCENARIOS:
        raise Refusal.of_field("scenario", f"must be one of {', '.join(SCENARIOS)}", scenario)
    fan = user or options.fresh_id("fan")
    wanted = [seat.strip() for seat in seats.split(",") if seat.strip()]
    token = options.issued(data, Caller(Role.FAN, fan))
    asyncio.run(_buy(event, wanted, len(wanted) or quantity, scenario, fan, token, grpc))


async def _buy(event: str, seats: list[str], quantity: int, scenario: str, fan: str, token: str, address: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    metadata = options.bearer(token)
    async with options.connected(address) as channel:
        asked = catalog_pb2.GetEventRequest(event_id=event)
        plan = (await answered(catalog_pb2_grpc.CatalogServiceStub(channel).GetEvent(asked))).plan
        check_sold(plan, seats, quantity, SystemClock().now())
        gateway = gateway_pb2_grpc.GatewayServiceStub(channel)
        admitted = await _admitted(queue_pb2_grpc.QueueServiceStub(channel), event, fan, metadata, console)
        held = await answered(
            gateway.CreateReservation(
                gateway_pb2.CreateReservationRequest(
                    event_id=event,
                    seat_ids=seats,
                    quantity=quantity,
                    user_id=fan,
                    reservation_token=admitted,
                    idempotency_key=options.fresh_id("key"),
                ),
                metadata=metadata,
            )
        )
        shown = web_pb2_grpc.SaleServiceStub(channel).GetSale(web_pb2.GetSaleRequest(event_id=event))
        names = shown_seats(held.reserved_seats, (await answered(shown)).sale)
        total = plain_money(held.total_amount).for_people()
        seconds = round(held.hold_expires_at.ToMilliseconds() / SECOND - SystemClock().now() / SECOND)
        console.print(f"3. [bold]{escape(names)}[/] held for {seconds} seconds: {total} ({held.reservation_id})")
        intent_id = await _pay(channel, held, scenario, fan, metadata, console)
        await _owned(gateway, held.reservation_id, intent_id, names, metadata, console)


def check_sold(plan: catalog_pb2.EventPlan, seats: list[str], quantity: int, now: Instant) -> None:
    """Refuse what cannot be bought of the event, before anybody waits for it."""
    if sale_state(plan, now) == "over":
        raise Refusal(Code.FAILED_PRECONDITION, f"event: the sale of {plan.event.id} is over")
    if not 1 <= quantity <= plan.max_per_order:
        field = "seats" if seats else "quantity"
        raise Refusal.of_field(field, f"must be 1 to {plan.max_per_order}, the most in one order", quantity)
    known = {seat.id for section in plan.sections for row in section.rows for seat in row.seats}
    for seat in seats:
        if seat not in known:
            some = f", such as {min(known)}" if known else ""
            raise Refusal.of_field("seats", f"must be seats of {plan.event.id}{some}", seat)
        if seats.count(seat) > 1:
            raise Refusal.of_field("seats", "must each be named once", seat)


async def _admitted(
    queue: "queue_pb2_grpc.QueueServiceAsyncStub",
    event: str,
    fan: str,
    metadata: tuple[tuple[str, str], ...],
    console: Console,
) -> str:
    """Join the queue, wait for the turn, and take it: the reservation token."""
    joined = await queue.JoinQueue(
        queue_pb2.JoinQueueRequest(event_id=event, user_id=fan, session_id=fan), metadata=metadata
    )
    if not joined.waiting_token:
        raise Refusal(Code(joined.error.code), joined.error.message)
    place = f"at place {joined.position_hint}" if joined.position_hint else "before the sale, when places are drawn"
    console.print(f"1. {fan} joined the queue of {event} {place}")
    with Waiting(console) as waiting:
        while True:
            asked = queue.GetQueueStatus(queue_pb2.GetQueueStatusRequest(waiting_token=joined.waiting_token))
            status = await answered(asked)
            why = queue_message(await asked.trailing_metadata() or ())
            if status.admission_ready:
                break
            if status.status != queue_pb2.QUEUE_STATUS_WAITING and status.status != queue_pb2.QUEUE_STATUS_READY:
                raise Refusal(Code.FAILED_PRECONDITION, why or "the place in the queue has ended; join again")
            waiting.show(shown_place(status, why))
            await asyncio.sleep(ASKED_EVERY_SECONDS)
    admission = await answered(
        queue.RequestAdmission(
            queue_pb2.RequestAdmissionRequest(waiting_token=joined.waiting_token, event_id=event, user_id=fan),
            metadata=metadata,
        )
    )
    console.print(f"2. admitted for {admission.ttl_seconds} seconds")
    return admission.reservation_token


def shown_place(status: queue_pb2.GetQueueStatusResponse, why: str = "") -> str:
    """How it stands with a place in the queue, for who holds it; `why` is what keeps the queue from moving."""
    if why:
        return f"waiting at place {status.position:,}: {why}" if status.position else why
    if not status.position:
        return f"waiting for the sale to open, in {_duration(status.eta_seconds)}"
    return f"waiting at place {status.position:,}, about {_duration(status.eta_seconds)}"


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Waiting:
    """Says what is waited for: at once on a terminal, in one place; elsewhere in a line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")
        self._clock = SystemClock()
        self._shown_at = self._clock.now() - (SHOWN_EVERY_SECONDS - SHOWN_AFTER_SECONDS) * SECOND

    def __enter__(self) -> "Waiting":
        self._status.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.__exit__(None, None, None)

    def show(self, what: str) -> None:
        self._status.update(f"{what} …")
        if not self._console.is_terminal and self._clock.now() >= self._shown_at + SHOWN_EVERY_SECONDS * SECOND:
            self._shown_at = self._clock.now()
            self._console.print(f"   {what}", markup=False)


async def _pay(
    channel: grpcio.aio.Channel,
    held: gateway_pb2.CreateReservationResponse,
    scenario: str,
    fan: str,
    metadata: tuple[tuple[str, str], ...],
    console: Console,
) -> str:
    """Set the payment going; the intent's id."""
    intent = await answered(
        gateway_pb2_grpc.GatewayServiceStub(channel).CreatePaymentIntent(
            gateway_pb2.CreatePaymentIntentRequest(
                reservation_id=held.reservation_id,
                amount=held.total_amount,
                user_id=fan,
                method=payment_pb2.PAYMENT_METHOD_CREDIT_CARD,
                scenario=f"PAYMENT_SCENARIO_{scenario.upper()}",
                idempotency_key=options.fresh_id("key"),
            ),
            metadata=metadata,
        )
    )
    await answered(
        payment_pb2_grpc.PaymentServiceStub(channel).ProcessPayment(
            payment_pb2.ProcessPaymentRequest(
                payment_intent_id=intent.payment_intent_id, idempotency_key=options.fresh_id("key")
            ),
            metadata=metadata,
        )
    )
    console.print(f"4. payment {intent.payment_intent_id} is with the bank")
    return intent.payment_intent_id


async def _owned(
    gateway: "gateway_pb2_grpc.GatewayServiceAsyncStub",
    reservation_id: str,
    intent_id: str,
    names: str,
    metadata: tuple[tuple[str, str], ...],
    console: Console,
) -> None:
    """Wait until the reservation is an order, or the payment has come to nothing."""
    request = gateway_pb2.GetReservationRequest(reservation_id=reservation_id)
    clock = SystemClock()
    give_up_at = clock.now() + PAID_WITHIN_SECONDS * SECOND
    with Waiting(console) as waiting:
        while True:
            reservation = (await answered(gateway.GetReservation(request, metadata=metadata))).reservation
            if reservation.status != reservation_pb2.RESERVATION_STATUS_PENDING:
                break
            if clock.now() > give_up_at:
                raise TimeoutError(f"the bank has not answered within {PAID_WITHIN_SECONDS} seconds: {intent_id}")
            waiting.show("waiting for the bank")
            await asyncio.sleep(ASKED_EVERY_SECONDS)
    if reservation.status != reservation_pb2.RESERVATION_STATUS_CONFIRMED:
        name = reservation_pb2.ReservationStatus.Name(reservation.status).removeprefix("RESERVATION_STATUS_").lower()
        asked = gateway_pb2.GetPaymentStatusRequest(payment_intent_id=intent_id)
        payment = (await answered(gateway.GetPaymentStatus(asked, metadata=metadata))).payment
        raise Refusal(Code.PAYMENT_NOT_APPROVED, f"{shown_failure(payment)}; the reservation is {name}")
    console.print(f"5. [green]{escape(names)} are yours[/], order [bold]{reservation.order_id}[/]")


def shown_seats(seats: Iterable[types_pb2.Seat], sale: web_pb2.Sale) -> str:
    """Seats by their ids, which `--seats` takes; places to stand as people call them, all of a section together."""
    t = Words("en")
    named = Counter(seat_name(t, seat, sale) if is_standing(seat, sale) else seat.id for seat in seats)
    return ", ".join(several(name, count) for name, count in named.items())


def shown_failure(payment: payment_pb2.Payment) -> str:
    """Why a payment bought nothing."""
    if payment.status == payment_pb2.PAYMENT_STATUS_FAILED:
        why = payment.result.failure_reason
        return f"the payment was declined: {why}" if why else "the payment was declined"
    state = payment_pb2.PaymentStatus.Name(payment.status).removeprefix("PAYMENT_STATUS_").lower()
    if payment.status in (payment_pb2.PAYMENT_STATUS_PENDING, payment_pb2.PAYMENT_STATUS_PROCESSING):
        return "the bank has not answered in time"
    return f"nothing was bought, and the payment is {state}"
