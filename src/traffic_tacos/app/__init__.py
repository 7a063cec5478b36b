"""The one place that builds things: configuration, wiring, servers, policy."""
