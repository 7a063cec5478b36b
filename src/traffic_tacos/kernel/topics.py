"""The names under which rooms leave each other work: the topics of jobs. Those of events are in `domain_events.py`."""

EXPIRE_RESERVATION = "reservation.expire"
SETTLE_PAYMENT_RESULT = "payment.result"
REFUND_PAYMENT = "payment.refund"
SIMULATE_OUTCOME = "payment.outcome"
EXPIRE_PAYMENT = "payment.expire"
SEND_WEBHOOK = "webhook.send"
