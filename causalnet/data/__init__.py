"""Validated, frozen inputs: tables, event logs, interactions and transitions; ``kinds`` says what all of them answer."""

from .events import Events, read_events
from .interactions import Interactions
from .kinds import KINDS, Data, Demanding, data_kind
from .rollouts import collect
from .tables import Table, as_data, as_table, read_table
from .transitions import Transitions, as_transitions, pool
