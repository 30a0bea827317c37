"""Validated, frozen inputs: tables, event logs, interactions and transitions."""

from .events import Events, read_events
from .interactions import Interactions
from .rollouts import collect
from .tables import Table, as_table, read_table
from .transitions import Transitions, as_transitions, pool

__all__ = [
    "Events",
    "Interactions",
    "Table",
    "Transitions",
    "as_table",
    "as_transitions",
    "collect",
    "pool",
    "read_events",
    "read_table",
]
