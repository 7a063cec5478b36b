"""What operators look at and use: health, metrics' history, logs, overrides, invariants, the reconciler, traces."""
