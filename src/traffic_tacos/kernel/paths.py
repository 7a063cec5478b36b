"""Paths of the HTTP door that are written into what others are told."""

PAY = "/pay"  # and the id of a reservation or of a payment: where people pay
PAYMENT_WEBHOOKS = "/webhooks/payments"  # where the results of payments are taken
