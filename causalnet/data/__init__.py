"""Validated, frozen inputs: tables and event logs."""

from .events import Events, read_events
from .tables import Table, as_table, read_table

__all__ = ["Events", "Table", "as_table", "read_events", "read_table"]
