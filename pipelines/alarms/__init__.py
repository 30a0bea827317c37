"""Causes of alarms from event logs, by size, clock and noise, beside controls."""
