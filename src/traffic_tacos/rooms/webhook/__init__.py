"""Webhooks from payment providers. Promises that nothing unsigned is accepted, and nothing acknowledged is lost."""
