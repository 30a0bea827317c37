"""What a graph says would happen: the effect of doing something, with the set to adjust for, an interval, or why there is none."""

from __future__ import annotations

from .total import Effect, Possible, effect
