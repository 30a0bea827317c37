"""What a graph is good for: masks of actions and compact states. The names load on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "CausalMask": "mask",
    "RootCauseMask": "root_causes",
    "learn_masks": "mask_search",
    "masks_by": "two_slice",
    "value_acr": "acr",
    "policy_acr": "acr",
    "domain_acr": "acr",
    "DomainFactor": "domain",
    "bernoulli_factor": "domain",
    "maximum_likelihood": "domain",
}
__all__ = [*_HOME]

if TYPE_CHECKING:
    from ..graph.causal_masks import CausalMasks
    from .acr import domain_acr, policy_acr, value_acr
    from .domain import DomainFactor, bernoulli_factor, maximum_likelihood
    from .mask import CausalMask
    from .mask_search import learn_masks
    from .root_causes import RootCauseMask
    from .two_slice import masks_by


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'causalnet.representation' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
