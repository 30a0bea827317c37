"""Validated, frozen inputs: tables, event logs and interactions."""

from .events import Events, read_events
from .interactions import Interactions
from .tables import Table, as_table, read_table

__all__ = ["Events", "Interactions", "Table", "as_table", "read_events", "read_table"]
