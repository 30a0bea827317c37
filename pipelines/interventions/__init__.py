"""Graphs from rows of several experiments: simulated ones beside the peers, and Sachs as its experts read it."""
