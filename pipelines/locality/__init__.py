"""Locality: bounds against measured errors by kappa, kappa against cost, and what smoothness costs in return."""
