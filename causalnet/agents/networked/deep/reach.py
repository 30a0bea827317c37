"""Whom an agent reads, and whose rewards it answers for: rings of a neighbourhood as sparse operators.

Arrays have the agents first, x (n, B, d), so that an operator of n x n is one sparse product with (n, B d): nothing is ever
padded to the widest neighbourhood, and memory is linear in agents and edges (of the balls).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy import sparse

from ....base.arrays import Ints
from ....errors import NotApplicable
from .settings import Hops

MOST_SLOTS = 256
MOST_PAIRS = 2 * 10**8  # pairs of agents within reach: 2.4 GB


def balls(influence: sparse.csr_matrix, kappa: int) -> list[sparse.csr_matrix]:
    """N_i^0 .. N_i^kappa as rows of bool CSR matrices: who influences i within so many steps, i among them."""
    n = influence.shape[0]
    found = [sparse.identity(n, dtype=bool, format="csr")]
    step = sparse.csr_matrix(influence + found[0], dtype=np.int32)
    for hop in range(kappa):
        wider = sparse.csr_matrix(step @ found[-1].astype(np.int32)).astype(bool)
        wider.sort_indices()
        if wider.nnz > MOST_PAIRS:
            raise NotApplicable(
                f"{hop + 1} hops reach {wider.nnz:,} pairs of agents, more than memory should hold; use fewer hops, or "
                'kappa="all", which needs no pairs'
            )
        found.append(wider)
        if wider.nnz == found[-2].nnz:
            found += [wider] * (kappa - hop - 1)
            break
    return found


def sparse_tensor(matrix: sparse.csr_matrix, device: torch.device) -> torch.Tensor:
    """A float32 CSR matrix as a tensor."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse ", category=UserWarning)
        return torch.sparse_csr_tensor(
            torch.tensor(matrix.indptr, dtype=torch.int64),
            torch.tensor(matrix.indices, dtype=torch.int64),
            torch.tensor(matrix.data, dtype=torch.float32),
            size=matrix.shape,
            device=device,
        )


def averaging(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row divided by its sum; empty rows stay."""
    sums = np.asarray(matrix.sum(axis=1), np.float64).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(sums, 1)) @ matrix.astype(np.float64))


def apply(operator: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """operator (m, n) @ x (n, B, ...) -> (m, B, ...)."""
    flat = x.reshape(len(x), -1)
    return (operator @ flat).reshape(len(operator), *x.shape[1:])


@dataclass(frozen=True, eq=False)
class Reach:
    """What a network reads of x (n, B, d): see ``policy_reads`` in the settings. width: of the result, from d.

    means: operators of the rings' means. everybody: append the mean of all agents. places (n, m): the agents in the slots
    of each, n where there is none. told (n, c): how large each ring is, as numbers about 1.
    """

    n: int
    means: tuple[torch.Tensor, ...]
    everybody: bool
    places: torch.Tensor | None
    told: torch.Tensor

    @classmethod
    def of(cls, influence: sparse.csr_matrix, kappa: Hops, reads: str, device: torch.device) -> Reach:
        """The operators of a neighbourhood; "attention" reads through its own (:mod:`.attention`)."""
        n = influence.shape[0]
        if kappa == 0 or reads == "attention":
            return cls(n, (), False, None, torch.zeros((n, 0), device=device))
        if reads == "slots":
            places = torch.from_numpy(_slots(influence, kappa)).to(device)
            return cls(n, (), False, places, torch.zeros((n, 0), device=device))
        if kappa == "all":
            return cls(n, (), True, None, torch.zeros((n, 0), device=device))
        within = balls(influence, kappa)
        rings = [sparse.csr_matrix(wide > narrow) for narrow, wide in pairwise(within)]
        rings = rings if reads == "rings" else [sparse.csr_matrix(within[-1] > within[0])]
        sizes = np.stack([np.diff(ring.indptr) for ring in rings], axis=1)
        told = torch.tensor(np.log1p(sizes) / 2, dtype=torch.float32, device=device)
        return cls(n, tuple(sparse_tensor(averaging(ring), device) for ring in rings), False, None, told)

    def width(self, d: int) -> int:
        """Numbers that an agent reads, where each observation has d."""
        slots = 0 if self.places is None else self.places.shape[1] * (d + 1)
        return d * (1 + len(self.means) + self.everybody) + self.told.shape[1] + slots

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """x (n, B, d) -> what each agent reads (n, B, width)."""
        n, b, d = x.shape
        parts = [x, *(apply(mean, x) for mean in self.means)]
        if self.everybody:
            parts.append(x.mean(dim=0, keepdim=True).expand(n, b, d))
        if self.told.shape[1]:
            parts.append(self.told[:, None].expand(n, b, -1))
        if self.places is not None:
            there = torch.cat((x, x.new_ones((n, b, 1))), dim=2)
            wide = torch.cat((there, there.new_zeros((1, b, d + 1))))
            slots = wide[self.places]  # (n, m, B, d + 1)
            parts.append(slots.permute(0, 2, 1, 3).reshape(n, b, -1))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def answers_for(influence: sparse.csr_matrix, kappa: Hops, device: torch.device) -> torch.Tensor | None:
    """(n, n): row i has the agents j with i in N_j^kappa, whose rewards i's actions can reach; None for "all".

    Where influence runs both ways it is N_i^kappa itself, the sum of eq. 7 of arXiv 1912.02906.
    """
    if kappa == "all":
        return None
    reached = sparse.csr_matrix(balls(influence, kappa)[-1].T)
    reached.sort_indices()
    return sparse_tensor(reached.astype(np.float32), device)


def _slots(influence: sparse.csr_matrix, kappa: Hops) -> Ints:
    """(n, m) the other agents of each neighbourhood by number, padded with n."""
    n = influence.shape[0]
    if kappa == "all":
        rows = [np.delete(np.arange(n), i) for i in range(n)] if n <= MOST_SLOTS + 1 else [np.arange(n)]
    else:
        within = balls(influence, kappa)
        others = sparse.csr_matrix(within[-1] > within[0])
        others.sort_indices()
        rows = np.split(others.indices, others.indptr[1:-1])
    widest = max(len(row) for row in rows)
    if widest > MOST_SLOTS:
        raise NotApplicable(
            f"a neighbourhood has {widest:,} agents, and slots give each of them a place of its own, {MOST_SLOTS} at most; "
            "use 'rings', 'mean' or 'attention'"
        )
    table = np.full((n, widest), n, np.int64)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table
