"""PaymentService on the wire."""

import hashlib

from traffic_tacos import wire
from traffic_tacos.gen.payment.v1 import payment_pb2 as pb
from traffic_tacos.gen.tacos.simulation.v1 import simulation_pb2 as own
from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.money import Money
from traffic_tacos.kernel.statuses import PaymentStatus
from traffic_tacos.rooms.payment.model import RESPONSE_CODES, Payment
from traffic_tacos.rooms.payment.service import Cancel, CardDetails, Create, Payments, Process, Simulate, member
from traffic_tacos.rooms.payment.webhooks import Wrong


class PaymentRpc:
    """`pay_page` is the address of the payment page, without the intent; empty when there is none."""

    def __init__(self, payments: Payments, pay_page: str) -> None:
        self._payments = payments
        self._pay_page = pay_page

    async def CreatePaymentIntent(
        self, request: pb.CreatePaymentIntentRequest, call: Call
    ) -> pb.CreatePaymentIntentResponse:
        created = await self._payments.create(
            Create(
                request.reservation_id,
                wire.plain_money(request.amount),
                request.user_id,
                request.method,
                request.scenario,
                request.webhook_url,
                request.idempotency_key,
            ),
            call,
        )
        return pb.CreatePaymentIntentResponse(
            payment_intent_id=created.id,
            status=pb.PAYMENT_STATUS_PENDING,
            client_secret=created.client_secret,
            payment_url=f"{self._pay_page}/{created.id}" if self._pay_page else "",
            expires_at=wire.timestamp(created.expires_at),
        )

    async def ProcessPayment(self, request: pb.ProcessPaymentRequest, call: Call) -> pb.ProcessPaymentResponse:
        details = request.payment_details
        card = None
        if details.HasField("credit_card"):
            given = details.credit_card
            card = CardDetails(given.card_number, given.expiry_month, given.expiry_year)
        digest = hashlib.sha256(request.payment_details.SerializeToString(deterministic=True)).hexdigest()
        processing = await self._payments.process(
            Process(request.payment_intent_id, details.method, digest, request.idempotency_key), card, call
        )
        return pb.ProcessPaymentResponse(
            payment_id=processing.payment_id,
            status=pb.PAYMENT_STATUS_PROCESSING,
            processed_at=wire.timestamp(processing.updated_at),
        )

    async def GetPaymentStatus(self, request: pb.GetPaymentStatusRequest, call: Call) -> pb.GetPaymentStatusResponse:
        payment = await self._payments.show(request.payment_intent_id, request.user_id, call)
        return pb.GetPaymentStatusResponse(payment=_payment(payment))

    async def CancelPayment(self, request: pb.CancelPaymentRequest, call: Call) -> pb.CancelPaymentResponse:
        refund = wire.plain_money(request.refund_amount) if request.HasField("refund_amount") else None
        cancelled = await self._payments.cancel(
            Cancel(request.payment_intent_id, request.reason, refund, request.idempotency_key), call
        )
        refunded = Money(cancelled.refunded, cancelled.amount.currency) if cancelled.refunded else None
        return pb.CancelPaymentResponse(
            status=_status(cancelled.status),
            cancelled_at=wire.timestamp(cancelled.updated_at),
            refunded_amount=wire.money(refunded),
            refund_id=cancelled.refund_id,
        )

    async def ListPayments(self, request: pb.ListPaymentsRequest, call: Call) -> pb.ListPaymentsResponse:
        page = await self._payments.list(
            request.user_id, request.reservation_id, request.status, wire.asked_page(request.pagination)
        )
        return pb.ListPaymentsResponse(
            payments=[_payment(payment) for payment in page.records], page_info=wire.page_info(page)
        )

    async def SimulateWebhook(self, request: pb.SimulateWebhookRequest, call: Call) -> pb.SimulateWebhookResponse:
        sent = await self._payments.simulate_webhook(
            Simulate(
                request.payment_intent_id, request.target_status, request.delay_seconds, is_forced=request.force_trigger
            ),
            call,
        )
        return pb.SimulateWebhookResponse(
            webhook_sent=not request.delay_seconds,
            webhook_id=sent.webhook_id,
            scheduled_at=wire.timestamp(sent.scheduled_at),
        )


class SimulationRpc:
    """SimulationService: webhooks that are wrong."""

    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    async def SendWrongWebhook(self, request: own.SendWrongWebhookRequest, call: Call) -> own.SendWrongWebhookResponse:
        sent = await self._payments.simulate_webhook(
            Simulate(
                request.payment_intent_id,
                request.claimed_status,
                request.delay_seconds,
                wrong=member("wrong", Wrong, request.wrong),
            ),
            call,
        )
        return own.SendWrongWebhookResponse(webhook_id=sent.webhook_id, scheduled_at=wire.timestamp(sent.scheduled_at))


def _payment(payment: Payment) -> pb.Payment:
    return pb.Payment(
        payment_intent_id=payment.id,
        payment_id=payment.payment_id,
        reservation_id=payment.reservation_id,
        user_id=payment.user_id,
        status=_status(payment.status),
        amount=wire.money(payment.amount),
        method=payment.method.value,  # type: ignore[arg-type]  # same numbers
        created_at=wire.timestamp(payment.created_at),
        updated_at=wire.timestamp(payment.updated_at),
        processed_at=wire.timestamp(payment.processed_at),
        transaction_id=payment.transaction_id,
        result=_result(payment),
        metadata=pb.PaymentMetadata(scenario=payment.scenario.value),  # type: ignore[arg-type]  # same numbers
    )


def _result(payment: Payment) -> pb.PaymentResult | None:
    if payment.processed_at is None:
        return None
    success = payment.status in (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)
    return pb.PaymentResult(
        success=success,
        failure_reason=payment.failure_reason,
        gateway_response="approved" if success else "declined",
        response_code=RESPONSE_CODES.get(payment.reason, 0) if payment.reason else 0,
        processed_at=wire.timestamp(payment.processed_at),
    )


def _status(status: PaymentStatus) -> pb.PaymentStatus:
    return status.value  # type: ignore[return-value]  # same numbers, see kernel.statuses
