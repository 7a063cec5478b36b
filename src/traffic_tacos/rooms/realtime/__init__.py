"""Live updates. Promises that nothing is told before it is true, that nothing stays untold, and only to its owner."""
