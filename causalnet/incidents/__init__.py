"""Root causes of what is going on now: from alarms by stochastic declustering, from metrics by the widest anomalous path."""

from __future__ import annotations

from .analysis import root_causes
from .event_model import EventModel
from .ranking import RootCause, RootCauses
