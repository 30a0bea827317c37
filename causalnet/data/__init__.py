"""Validated, frozen inputs: tables, event logs, interactions and transitions; ``kinds`` says what all of them answer."""

from .events import Events, read_events
from .interactions import Interactions
from .kinds import KINDS, Data, data_kind
from .rollouts import collect
from .tables import Table, as_data, as_table, read_table
from .transitions import Transitions, as_transitions, pool

__all__ = [
    "KINDS",
    "Data",
    "Events",
    "Interactions",
    "Table",
    "Transitions",
    "as_data",
    "as_table",
    "as_transitions",
    "collect",
    "data_kind",
    "pool",
    "read_events",
    "read_table",
]
