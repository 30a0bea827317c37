"""What a graph is good for: masks of actions and compact states. The names load on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "mask": "CausalMask",
        "vector_mask": "VectorCausalMask",
        "root_causes": "RootCauseMask",
        "gate": "Gate",
        "dependence": "learn_posterior",
        ".graph.posterior": "GraphPosterior as_posterior from_probabilities near_ties",
        "mask_search": "learn_masks",
        "two_slice": "component_graph masks_by",
        ".graph.causal_masks": "CausalMasks own_frame",
        "acr": "domain_acr policy_acr value_acr",
        "domain": "DomainFactor bernoulli_factor maximum_likelihood",
    },
)

if TYPE_CHECKING:
    from ..graph.causal_masks import CausalMasks, own_frame
    from ..graph.posterior import GraphPosterior, as_posterior, from_probabilities, near_ties
    from .acr import domain_acr, policy_acr, value_acr
    from .dependence import learn_posterior
    from .domain import DomainFactor, bernoulli_factor, maximum_likelihood
    from .gate import Gate
    from .mask import CausalMask
    from .mask_search import learn_masks
    from .root_causes import RootCauseMask
    from .two_slice import component_graph, masks_by
    from .vector_mask import VectorCausalMask
