"""Graphs: what they are, what is known of them, how they are compared."""

from __future__ import annotations

from .evidence import PairEvidence, by_chain
from .graph import Graph
from .knowledge import Knowledge
from .lagged import LaggedGraph
from .marks import ARROW, CIRCLE, TAIL
from .matrices import from_causal_learn, from_pcalg
from .order import find_cycle, is_acyclic, topological_order
