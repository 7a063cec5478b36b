"""Nothing but building: what is configured, which services there are, and what they stand on."""
