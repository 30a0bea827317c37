"""Locality: bounds against measured errors by kappa, kappa against cost, and what smoothness costs in return.

Certificate and advice on kappa for 100,000 agents take 1.2 to 20 s of CPU, by the network. The ring was fitted to the figures of
an example known by them alone. The bounds are sound and worst-case: often orders of magnitude above the measured error.
"""
