"""News from payment providers. Promises that nothing unsigned is believed, and nothing acknowledged is lost."""
