"""Words that all rooms share. Pure: no I/O, no clock, no randomness of its own."""
