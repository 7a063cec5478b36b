"""Simulated payments with real rules. Promises one charge for one intent, and refunds that never exceed it."""
