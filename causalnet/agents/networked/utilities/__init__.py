"""Utilities of what agents visit: the functions themselves, their forms, and probes of a user's own."""
