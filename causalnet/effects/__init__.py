"""What a graph says would happen: the effect of doing something, with the set to adjust for, an interval, or why there is
none; and models with numbers, fitted to a graph, that sample, answer do() and are planned in."""

from __future__ import annotations

from .fitted import FittedModel, fit_model
from .planning import fit_network
from .total import Effect, Possible, effect
