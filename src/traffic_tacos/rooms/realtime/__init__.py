"""Live updates. Promises that nothing is sent before it is true, nothing is left out, and only its owner gets it."""
