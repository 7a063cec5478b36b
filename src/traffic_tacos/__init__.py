"""Traffic Tacos: sells tickets when far more people come than there are seats."""
