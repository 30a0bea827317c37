"""A networked system as one piece of inline SVG: the agents, what one of them keeps of its neighbours, and its causal masks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ..base.arrays import Bools
from ..base.asked import asks
from ..base.checks import whole
from ..errors import DataError
from ..graph.causal_masks import CausalMasks
from .curves import COLOURS, Chart, picture

OWN, OTHER, DOMAIN = COLOURS[0], COLOURS[1], COLOURS[2]
CELL, GAP, STEP = 16.0, 3.0, 26.0


@asks()
def draw_masks(masks: CausalMasks, agent: int = 0, title: str | None = None) -> Chart:
    """The two time slices of an agent: own components, a neighbour's, actions and the domain factor, and what each acts on.

    An arrow from a neighbour is there if that edge is in the masks for any of the neighbours.
    """
    agent = whole("agent", agent, 0, masks.n_agents - 1)
    first, last = masks.neighbours.indptr[agent], masks.neighbours.indptr[agent + 1]
    other = masks.other[first:last].any(axis=0)  # (c + 1, c + 1)
    own, names = masks.own[agent], [*masks.components, "action"]
    sources = [*names, *(f"{name} of a neighbour" for name in names), "domain factor"]
    targets = [*(f"next {name}" for name in masks.components), "reward"]
    table = np.concatenate([own, other, masks.domain[agent][:, None]], axis=1)  # (targets, sources)
    colours = [OWN] * len(names) + [OTHER] * len(names) + [DOMAIN]
    height = 44 + STEP * len(sources)
    right = [44 + STEP * (k + 0.5) * len(sources) / len(targets) for k in range(len(targets))]
    parts = []
    for k, j in np.argwhere(table):
        y, z = 44 + STEP * (j + 0.5), right[k]
        parts.append(
            f'<path d="M190 {y:.1f}C290 {y:.1f} 330 {z:.1f} 424 {z:.1f}" fill="none" stroke="{colours[j]}" stroke-width="1.6"/>'
            f'<path d="M424 {z:.1f}l-8 -3.5v7z" fill="{colours[j]}"/>'
        )
    for j, name in enumerate(sources):
        faint = "" if table[:, j].any() else ' opacity=".45"'
        parts.append(_text(184, 44 + STEP * (j + 0.5) + 4, name, "end", colours[j], faint))
    parts += [_text(430, right[k] + 4, name, "start") for k, name in enumerate(targets)]
    return picture(560, height, title or f"What acts on agent {agent}", parts)


@asks()
def draw_network(
    masks: CausalMasks, acr: sparse.csr_matrix, agent: int, positions: ArrayLike, title: str | None = None
) -> Chart:
    """All agents with their components as cells: filled where ``agent`` keeps them in its representation ``acr``.

    positions: (n, 2), row and column of each agent.
    """
    n, c = masks.n_agents, masks.n_components
    agent = whole("agent", agent, 0, n - 1)
    where = np.asarray(positions, dtype=float)
    if where.shape != (n, 2) or acr.shape != (n, n * c):
        raise DataError(
            f"positions has shape {where.shape} and the representation {acr.shape}; these masks need {(n, 2)} and {(n, n * c)}"
        )
    where = where - where.min(axis=0)
    width = c * (CELL + GAP)
    spot = np.column_stack([60 + where[:, 1] * (width + 44), 70 + where[:, 0] * 84])
    kept: Bools = np.zeros(n * c, bool)
    kept[acr.indices[acr.indptr[agent] : acr.indptr[agent + 1]]] = True
    parts = []
    for i, j in sorted({(min(pair), max(pair)) for pair in zip(*masks.neighbours.nonzero(), strict=True)}):
        (x, y), (u, v) = spot[i], spot[j]
        strong = ".75" if agent in (i, j) else ".2"
        parts.append(f'<path d="M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}" stroke="currentColor" opacity="{strong}"/>')
    for i in range(n):
        parts += _cells(i, spot[i], kept.reshape(n, c)[i], masks.components, i == agent)
    near = {agent, *masks.neighbours[agent].indices.tolist()}
    local = near.issuperset((np.flatnonzero(kept) // c).tolist())
    among = f"{len(near) * c} components of its neighbourhood" if local else f"{n * c} components of the network"
    text = title or f"Agent {agent} keeps {int(kept.sum())} of the {among}"
    return picture(float(spot[:, 0].max() + width / 2 + 30), float(spot[:, 1].max() + 50), text, parts)


def _cells(i: int, at: Any, kept: Bools, names: Sequence[str], chosen: bool) -> list[str]:
    """One agent: a box with a cell a component and its number below."""
    c = len(names)
    width = c * (CELL + GAP) + GAP
    left, top = at[0] - width / 2, at[1] - CELL / 2 - GAP
    line = f'stroke="{OWN}" stroke-width="2.5"' if chosen else 'stroke="currentColor"'
    parts = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{CELL + 2 * GAP:g}" rx="3" fill="canvas" {line}/>'
    ]
    for k, name in enumerate(names):
        fill = f'fill="{OWN if chosen else OTHER}"' if kept[k] else 'fill="none" opacity=".5"'
        x = left + GAP + k * (CELL + GAP)
        state = "kept" if kept[k] else "dropped"
        parts.append(
            f'<rect x="{x:.1f}" y="{top + GAP:.1f}" width="{CELL:g}" height="{CELL:g}" stroke="currentColor" {fill}>'
            f"<title>{escape(name)} of agent {i}: {state}</title></rect>"
        )
    return [*parts, _text(float(at[0]), top + CELL + 22, str(i), "middle")]


def _text(x: float, y: float, words: str, anchor: str, fill: str = "currentColor", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}"{more}>{escape(words)}</text>'
