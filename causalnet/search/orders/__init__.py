"""Search over causal orders for any local score: the state, the moves, and the whole search."""

from __future__ import annotations

from .best_order import Found, fit_given, search_orders
from .places import canonical_order, reorder
from .ties import NEAR, Near, leads
