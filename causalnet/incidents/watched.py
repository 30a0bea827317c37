"""The rates of a watched stream as a model that incidents are read with."""

from __future__ import annotations

import networkx as nx
import numpy as np

from ..search.hawkes_stream import fitted, reach_of
from ..search.stream_state import State
from .event_model import EventModel


def stream_model(state: State) -> EventModel:
    """The model of all that the stream has shown: its edges, each with the one delay that it is watched with.

    An event has theta / decay times what its device reaches, by the mean over the events of its type's devices, effects
    along an edge; a type's background is the part of its rate that no event raises, half an event at least.
    """
    state, found = fitted(state)
    assert state.decay is not None
    v, hops = len(state.types), tuple(state.settings.hops)
    edges = np.argwhere(found.adj)
    by_type = state.sums.events / np.maximum(state.sums.events.sum(axis=0), 1e-12)  # (M, V), columns sum to 1
    felt = np.stack([np.asarray(w.sum(axis=1)).ravel() @ by_type for w in reach_of(state)], axis=1)  # (V, K)
    theta = found.theta[:, 1:].reshape(v, v, len(hops))  # [effect, cause, hop], 1/s
    alpha = theta[edges[:, 1], edges[:, 0]] / state.decay * felt[edges[:, 0]]
    seen = state.sums.events.sum(axis=1)
    share = np.where(seen > 0, seen, 0.0)
    share = share / share.mean() if share.any() else np.ones(len(seen))
    least = 0.5 / max(state.watched * len(state.devices), 1.0)
    return EventModel(
        state.types,
        edges,
        alpha,
        np.full(len(edges), 1.0 / state.decay),
        np.maximum(found.theta[:, 0], least),
        state.devices,
        share,
        nx.Graph(state.links),
        hops,
    )
