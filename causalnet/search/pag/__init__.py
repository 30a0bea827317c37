"""Partial ancestral graphs: which pairs possible-d-sep takes apart, and the marks that Zhang's ten rules prove."""

from __future__ import annotations

from .adjacency import Second, further_sets, separate_further, separating_sets
from .d_separators import possible_d_sep
from .ends import KNOWN, Ends
from .known import draw_known
from .markov_class import pag_of
from .rules import SepSets, close, colliders, draw_colliders
