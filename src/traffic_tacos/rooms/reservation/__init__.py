"""A hold of 60 seconds that becomes an order. Promises that nobody is charged without a ticket or a refund."""
