"""Paths of the HTTP server that are written into what others are sent."""

PAY = "/pay"  # and the id of a reservation or of a payment: where people pay
PAYMENT_WEBHOOKS = "/webhooks/payments"  # where the results of payments are taken
