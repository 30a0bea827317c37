"""How a policy depends on the domain: logits theta . f(omega), with f a function of the domain factor or of its index.

``polynomial``: f = (1, u, u^2), u the factor scaled to [-1/2, 1/2] over the sources: unseen factors between the sources
are an interpolation (arXiv 2510.21427 leaves open how a table is read at a factor it never saw). A gradient at f' moves the
logits at f by f . f': at this scale the 1 that all domains share outweighs what sets them apart (5/16 at most), and is learnt
first. ``interpolation``: one table a source, linear between neighbouring sources and constant beyond them. ``one-hot``: one
table a source, and one more for whoever is none of them (SAC-MTL). ``none``: the same policy everywhere (SAC-FT, SAC-LFS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Array
from ...base.checks import known, numbers
from ...errors import DataError, NotApplicable

KINDS = ("polynomial", "interpolation", "one-hot", "none")
CODES = ("unseen", "mixture")
SCALE = 0.5  # |u| at the outermost sources; kept in checkpoints, whose theta belongs to it


@dataclass(frozen=True, eq=False)
class Conditioning:
    """kind: see the module. factors: (M, k), or (M, n, k) for a factor an agent. degree: highest power of u."""

    kind: str
    factors: Array
    degree: int

    @classmethod
    def of(cls, kind: str | Conditioning, factors: Any, domains: int, agents: int) -> Conditioning:
        """Check the sources' factors, (M,), (M, k) or (M, n, k), and choose the degree that M sources determine.

        One made for other sources, as in fine-tuning, is taken as it is.
        """
        if isinstance(kind, Conditioning):
            return kind
        known(kind, KINDS, f"conditioning is one of {', '.join(KINDS)}, not {kind!r}")
        if factors is None:
            raise DataError("factors is None; give that of each source, such as its arrival probability")
        given = numbers("factors", factors)
        if given.ndim == 1:
            given = given[:, None]
        right = given.ndim in (2, 3) and len(given) == domains and (given.ndim == 2 or given.shape[1] == agents)
        if not right or given.shape[-1] == 0:
            raise DataError(
                f"factors has shape {np.shape(factors)}; {domains} source domains of {agents} agents need ({domains},), "
                f"({domains}, k), or ({domains}, {agents}, k) for a factor an agent"
            )
        if kind == "interpolation" and (given.ndim == 3 or given.shape[1] > 1):
            raise NotApplicable("interpolation needs one shared number a domain; use conditioning='polynomial'")
        if kind == "interpolation" and len(np.unique(given)) < len(given):
            raise DataError("two source domains have the same factor, and interpolation lies between different ones")
        if kind == "polynomial" and len(given) > 1 and (given == given[0]).all():
            raise DataError("all source domains have the same factor; give each its own, or write conditioning='none'")
        return cls(kind, given, min(2, len(np.unique(given.reshape(len(given), -1), axis=0)) - 1))

    @property
    def width(self) -> int:
        """F, the length of f."""
        k = self.factors.shape[-1]
        many = {"polynomial": 1 + k * self.degree, "interpolation": len(self.factors), "none": 1}
        return many.get(self.kind, len(self.factors) + 1)

    def sources(self) -> Array:
        """f of the source domains: (M, 1, F), or (M, n, F) where every agent has its own factor."""
        if self.kind == "one-hot":
            return np.eye(self.width)[:-1, None]
        return np.stack([self.target(factor) for factor in self.factors])

    def target(self, factor: Any, code: str = "unseen") -> Array:
        """f of any domain, (1, F) or (n, F). code: for one-hot, the table of nobody ("unseen") or the sources' mean
        ("mixture"); the factor plays no part there."""
        known(code, CODES, f"code is one of {', '.join(CODES)}, not {code!r}")
        if self.kind == "none":
            return np.ones((1, 1))
        if self.kind == "one-hot":
            many = self.width - 1
            row = np.eye(self.width)[-1] if code == "unseen" else np.append(np.ones(many), 0) / many
            return row[None]
        omega = self.factor(factor)
        if self.kind == "interpolation":
            order = np.argsort(self.factors[:, 0])
            spots = self.factors[order, 0]
            return np.array([[np.interp(omega[0, 0], spots, row[order]) for row in np.eye(len(order))]])
        flat = self.factors.reshape(-1, self.factors.shape[-1])
        low, high = flat.min(axis=0), flat.max(axis=0)
        u = SCALE * (omega - (low + high) / 2) / np.where(high > low, (high - low) / 2, 1.0)
        powers = [u**d for d in range(1, self.degree + 1)]
        return np.concatenate([np.ones((len(u), 1)), *powers], axis=1)

    def factor(self, factor: Any) -> Array:
        """A domain's factor as (1, k), or (n, k) for one an agent; a wrong shape is refused."""
        omega, shape = numbers("the domain factor", factor), self.factors.shape[1:]
        if omega.ndim == 0 or (len(shape) == 2 and omega.shape == shape[:1]):
            omega = omega.reshape((1, 1) if omega.ndim == 0 else (-1, 1))
        if len(shape) == 2 and omega.shape in {(shape[-1],), (1, shape[-1])}:
            raise DataError(
                f"the domain factor is one factor for all agents, and this policy was trained with one for each of "
                f"{shape[0]}: estimate with shared=False, or give shape {shape}"
            )
        if omega.shape not in ({(shape[-1],), (1, shape[-1])} if len(shape) == 1 else {shape}):
            ways = f"({shape[-1]},)" + " or a number" * (shape[-1] == 1) if len(shape) == 1 else f"{shape}, one each"
            raise DataError(f"the domain factor has shape {np.shape(factor)}; this policy was trained with {ways}")
        return omega.reshape(-1, shape[-1])
