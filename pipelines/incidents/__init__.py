"""From a log to the root cause to a repair, on simulated networks."""
