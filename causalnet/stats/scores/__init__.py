"""Local scores f(v | parents), one file each, compiled behind one contract; small is good."""

from __future__ import annotations

from .association import closeness, dependent, mutual_information
from .blocks import BlockLocal, block_score, grouped_blocks, whiten
from .conditional import scale_numbers
from .contract import QUESTIONS, SCRATCH, Slots, implement
from .counted import Conditional, Counted
from .discrete import discrete_score
from .equal_variance import equal_variance_score
from .gaussian import gaussian_score, local_score
from .opaque import Hidden, hide
