"""A hold that becomes an order in time. Promises that nobody is charged without a ticket or a refund."""
