"""Partial ancestral graphs: which pairs possible-d-sep takes apart, and the marks that Zhang's ten rules prove."""

from __future__ import annotations

from .adjacency import Second, Spared, separate_further
from .d_separators import possible_d_sep
from .ends import KNOWN, Ends, new_round, open_ends, settle, want
from .markov_class import pag_of
from .rules import close, draw_colliders
from .separators import Separators, none_yet, separators_of, taken_apart
