"""Local scores f(v | parents), one file each, compiled behind one contract; small is good."""

from __future__ import annotations

from .contract import QUESTIONS, SCRATCH, Slots, implement
from .gaussian import gaussian_score, local_score

__all__ = ["QUESTIONS", "SCRATCH", "Slots", "gaussian_score", "implement", "local_score"]
