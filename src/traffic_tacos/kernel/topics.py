"""The names under which rooms leave each other work and news: job topics and event topics."""

# Jobs.
EXPIRE_RESERVATION = "reservation.expire"
SETTLE_PAYMENT_RESULT = "payment.result"
REFUND_PAYMENT = "payment.refund"
SIMULATE_OUTCOME = "payment.outcome"
EXPIRE_PAYMENT = "payment.expire"
SEND_WEBHOOK = "webhook.send"

# Events.
EVENT_CHANGED = "catalog.event_changed"
RESERVATION_CHANGED = "reservation.changed"
PAYMENT_CHANGED = "payment.changed"
SETTING_CHANGED = "platform.setting_changed"
