"""Every algorithm of gcastle that works (Zhang et al. 2021), behind our orientation and names.

gcastle's ``causal_matrix[i, j]`` is i -> j, as ours; its names are lost after any arithmetic, and are restored here.
Installing it leaves torch to the user, and importing it configures the root logger, which is put back here.

Left out, with the reason:
- PC variants "original" and "stable": they condition on the neighbours of one end only, leave false edges, and the
  stable one depends on the order of the columns; "parallel" is right, and is what gcastle/pc runs.
- GES with method "r2": the sign of its score is inverted (always the empty graph); GES with BDeu: it reads the states
  from rows instead of columns.
- CORL's quadratic regression: its own validator refuses it.
- PNL: its decision is inverted, it joins a pair when the residual does depend on the supposed cause.
Prior knowledge (PC, DirectLiNGAM, TTPM) is not offered: it is altered inside and not kept by every step.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ...base.arrays import AnyArray
from ...base.checks import whole
from ...data import Events, Table
from ...discovery.guests import level, param, words
from ...graph import Graph
from . import neural, reinforcement
from .machine import ALGORITHMS, Machine, offer


@offer("pc", "continuous discrete", "cpdag")
class PC(Machine):
    """Remove an edge when a test finds a separating set, then orient colliders and close by Meek's rules (PC).

    ci_test: "auto" (Fisher-z or chi-square), "fisher-z", "chi2", "g2".
    """

    caveat = (
        "Runs variant 'parallel' only: gcastle's 'original' and 'stable' PC leave false edges and follow the order "
        "of the columns; a conflict of colliders can still follow it."
    )
    assumes = "sufficiency, faithfulness, acyclicity, linearity (fisher-z), Gaussian noise (fisher-z)"
    algorithm = "PC"
    fixed: ClassVar = {"variant": "parallel"}
    alpha = param("alpha", 0.05, level)
    ci_test = param("ci_test", "auto", words("auto", "chi2", "g2", **{"fisher-z": "fisherz"}))

    def adapt(self, data: Table) -> None:
        """Choose the test by the kind of data."""
        if self.theirs["ci_test"] == "auto":
            self.theirs["ci_test"] = "chi2" if data.kind == "discrete" else "fisherz"

    def taught(self) -> dict[str, Any]:
        """One process."""
        return {"p_cores": 1}

    def values(self, data: Table) -> AnyArray:
        """Whole numbers where the test counts."""
        return data.values.copy() if self.theirs["ci_test"] == "fisherz" else data.values.astype(int)


@offer("ges", "continuous", "cpdag")
class GES(Machine):
    """Greedily add, then delete, edges of an equivalence class while BIC improves (GES, Chickering 2002)."""

    caveat = (
        "BIC from the scatter matrix only: gcastle's 'r2' BIC always returns the empty graph and its BDeu reads rows "
        "as columns."
    )
    assumes = "sufficiency, faithfulness, acyclicity, linearity, Gaussian noise"
    algorithm = "GES"
    fixed: ClassVar = {"criterion": "bic", "method": "scatter"}


@offer("direct-lingam", "continuous", "dag")
class DirectLiNGAM(Machine):
    """Find the causal order of a linear non-Gaussian model, exogenous variable first (DirectLiNGAM, Shimizu 2011).

    measure: "pwling" (likelihood ratio) or "kernel" (mutual information; slow). threshold: smallest |effect| kept.
    """

    assumes = "sufficiency, acyclicity, linearity, non-Gaussian noise"
    algorithm, weighted = "DirectLiNGAM", True
    measure = param("measure", "pwling", words("pwling", "kernel"))
    threshold = param("thresh", 0.3)


@offer("ica-lingam", "continuous", "dag")
class ICALiNGAM(Machine):
    """Separate the independent noises of a linear non-Gaussian model by ICA and order them (LiNGAM, Shimizu 2006).

    max_iter: of FastICA. threshold: smallest |effect| kept.
    """

    assumes = "sufficiency, acyclicity, linearity, non-Gaussian noise"
    algorithm, seed_as, weighted = "ICALiNGAM", "random_state", True
    max_iter = param("max_iter", 1000)
    threshold = param("thresh", 0.3)


class _GaussianProcess:
    """The regressor handed to gcastle's ANM: noise and length scale fitted, (n, 1) in and out."""

    def estimate(self, x: Any, y: Any) -> Any:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

        model = GaussianProcessRegressor(ConstantKernel() * RBF() + WhiteKernel(0.1))
        return model.fit(np.asarray(x), np.asarray(y)).predict(np.asarray(x)).reshape(-1, 1)


@offer("anm", "continuous", "digraph")
class ANM(Machine):
    """In which direction does a Gaussian process leave independent noise, pair by pair? (ANM, Hoyer 2009)

    alpha: level of the independence tests (HSIC). A pair that fits both ways is left undirected.
    """

    caveat = (
        "Runs with our regressor (gcastle's own runs through every point, and its shape no longer fits); pairs, one "
        "by one: indirect and confounded pairs are joined too; keep n below about 500."
    )
    assumes = "sufficiency, acyclicity, additive noise, non-linearity or non-Gaussian noise"
    algorithm = "ANMNonlinear"
    alpha = param("alpha", 0.05, level)

    def taught(self) -> dict[str, Any]:
        """Our regressor in place of its own."""
        return {"regressor": _GaussianProcess()}


@offer("notears", "continuous", "dag")
class Notears(Machine):
    """Least squares under a smooth acyclicity constraint (NOTEARS, Zheng et al. 2018).

    l1: penalty. loss: "l2", "logistic", "poisson". threshold: smallest |weight| kept.
    """

    caveat = "Directions follow the variances of the variables; standardising hurts."
    assumes = "sufficiency, acyclicity, linearity, equal noise variances"
    algorithm, weighted = "Notears", True
    l1 = param("lambda1", 0.1)
    loss = param("loss_type", "l2", words("l2", "logistic", "poisson"))
    max_iter = param("max_iter", 100)
    h_tol = param("h_tol", 1e-8)
    rho_max = param("rho_max", 1e16)
    threshold = param("w_threshold", 0.3)


def _rank(name: str, value: int | None, data: Table) -> int:
    """Reads the rank of a (d, d) matrix; None: d."""
    return data.d if value is None else whole(name, value, 1, data.d)


@offer("notears-low-rank", "continuous", "digraph")
class NotearsLowRank(Machine):
    """NOTEARS with a weight matrix of bounded rank (Fang et al. 2020).

    rank: of the weight matrix; None: the number of variables (the package has no default).
    """

    caveat = (
        "Overflows as its penalty grows to 1e20; with a rank below the graph's own its edges are wrong, and cycles "
        "can remain."
    )
    assumes = "sufficiency, acyclicity, linearity, equal noise variances, low rank"
    algorithm, weighted = "NotearsLowRank", True
    rank = param("", None, _rank)
    max_iter = param("max_iter", 15)
    h_tol = param("h_tol", 1e-6)
    rho_max = param("rho_max", 1e20)
    threshold = param("w_threshold", 0.3)

    def taught(self) -> dict[str, Any]:
        """Its rank is an argument of learn."""
        return {"rank": self.rank}


@offer("ttpm", "events", "dag")
class TTPM(Machine):
    """Topological Hawkes process: which event types excite which, over device neighbourhoods (Cai et al. 2022).

    decay: of the exponential kernel, 1/s. max_hop: farthest device distance that counts. max_iter: hill-climbing
    steps, hence the most edges. penalty: "bic" or "aic", times penalty_scale for the edges.
    """

    caveat = (
        "Adds at most max_iter edges (20 unless set), ignores simultaneous events, and refits every change of "
        "every pair: slow with many types. The native thp is the same model."
    )
    assumes = "sufficiency, acyclicity, stationarity, additive effects, no inhibition, no instantaneous effects"
    decay = param("delta", 0.1)
    max_hop = param("max_hop", 0)
    penalty = param("penalty", "bic", words(bic="BIC", aic="AIC"))
    penalty_scale = param("epsilon", 1.0)
    max_iter = param("max_iter", 20)

    def run(self, data: Events, seed: int) -> Graph:  # type: ignore[override]
        """The graph over all types; those that never occur have no row in its answer."""
        from castle.algorithms import TTPM as Model

        model = Model(data.adjacency.astype(float), **self.theirs)
        log = {"event": data.type_index, "timestamp": data.time, "node": data.device_index}
        model.learn(pd.DataFrame(log, copy=True))
        present = np.unique(data.type_index)  # its rows are the types that occur, in this order
        matrix: Any = np.zeros((data.d, data.d))
        matrix[np.ix_(present, present)] = np.asarray(model.causal_matrix)
        matrix = (matrix != 0) & ~np.eye(data.d, dtype=bool)  # it sets the diagonal: every type excites itself
        return Graph(data.types, matrix, meta={"edge_limit_reached": bool(matrix.sum() >= self.max_iter)})
