"""The PAG of a maximal ancestral graph: what every graph that is Markov equivalent to it has in common."""

from __future__ import annotations

import math

import numpy as np

from ...graph.marks import ARROW, TAIL, Marks
from ...graph.order import ancestry
from .ends import open_ends
from .rules import close, draw_colliders
from .separators import separators_of


def pag_of(mag: Marks) -> Marks:
    """(d, d) int8: the PAG of a maximal ancestral graph without selection, marks (d, d) of tails and arrows.

    Two that are not joined are m-separated by An({x, y}) without them (Richardson and Spirtes 2002), so nothing is searched.
    """
    joined = mag > 0
    above = ancestry((mag == ARROW) & (mag.T == TAIL))
    sets = {}
    for i, j in np.argwhere(np.triu(~joined, 1)).tolist():
        sets[i, j] = [k for k in np.flatnonzero(above[:, i] | above[:, j]).tolist() if k not in (i, j)]
    separators = separators_of(len(mag), sets)
    ends = open_ends(joined, ~joined & ~np.eye(len(mag), dtype=bool))
    draw_colliders(ends, separators, math.inf)
    close(ends, separators, math.inf)
    marks: Marks = ends.marks
    return marks
