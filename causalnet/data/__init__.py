"""Validated, frozen inputs: tables, event logs, interactions and transitions; ``kinds`` says what all of them answer."""

from .counts import Counts
from .events import Events
from .interactions import NOTHING, Interactions
from .kinds import KINDS, Data, Demanding, data_kind
from .logs import read_events
from .moments import Moments
from .rollouts import collect
from .series import Series, as_series
from .streaming import load_table, outline, stream_table
from .tables import Table, as_data, as_table, read_table
from .transitions import Transitions, as_transitions, pool
