"""Values that all services share. Pure: no I/O, no clock, no randomness of its own."""
