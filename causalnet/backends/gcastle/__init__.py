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

from typing import Any

import numpy as np
import pandas as pd

from ...data import Events, Table
from ...discovery.contract import Backend
from ...discovery.guests import choose, family, guest, of_causes, share
from ...errors import DataError
from ...graph import Graph, Knowledge
from . import neural, reinforcement

ALGORITHMS: dict[str, Backend] = {}
offer = family("gcastle", ALGORITHMS, ("castle", "torch"), "gcastle torch==2.13.0")


@offer(
    "pc",
    "continuous discrete",
    "cpdag",
    caveat="Runs variant 'parallel' only: gcastle's 'original' and 'stable' PC leave false edges and follow the order "
    "of the columns; a conflict of colliders can still follow it.",
    assumes="sufficiency, faithfulness, acyclicity, linearity (fisher-z), Gaussian noise (fisher-z)",
)
def pc(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.05,
    ci_test: str = "auto",
) -> Graph:
    """Remove an edge when a test finds a separating set, then orient colliders and close by Meek's rules (PC).

    ci_test: "auto" (Fisher-z or chi-square), "fisher-z", "chi2", "g2".
    """
    default = "chi2" if data.kind == "discrete" else "fisher-z"
    test = choose(
        "ci_test", default if ci_test == "auto" else ci_test, {"fisher-z": "fisherz", "chi2": "chi2", "g2": "g2"}
    )
    share("alpha", alpha)
    values = data.values.copy() if test == "fisherz" else data.values.astype(int)
    with guest("gcastle/pc", rng, tensors=True):
        from castle.algorithms import PC

        model = PC(variant="parallel", alpha=alpha, ci_test=test)
        model.learn(values, p_cores=1)
    return of_causes(data, model.causal_matrix)


@offer(
    "ges",
    "continuous",
    "cpdag",
    caveat="BIC from the scatter matrix only: gcastle's 'r2' BIC always returns the empty graph and its BDeu reads rows "
    "as columns.",
    assumes="sufficiency, faithfulness, acyclicity, linearity, Gaussian noise",
)
def ges(data: Table, *, knowledge: Knowledge | None = None, rng: np.random.Generator) -> Graph:
    """Greedily add, then delete, edges of an equivalence class while BIC improves (GES, Chickering 2002)."""
    with guest("gcastle/ges", rng, tensors=True):
        from castle.algorithms import GES

        model = GES(criterion="bic", method="scatter")
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix)


@offer("direct-lingam", "continuous", "dag", assumes="sufficiency, acyclicity, linearity, non-Gaussian noise")
def direct_lingam(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    measure: str = "pwling",
    threshold: float = 0.3,
) -> Graph:
    """Find the causal order of a linear non-Gaussian model, exogenous variable first (DirectLiNGAM, Shimizu 2011).

    measure: "pwling" (likelihood ratio) or "kernel" (mutual information; slow). threshold: smallest |effect| kept.
    """
    kind = choose("measure", measure, ("pwling", "kernel"))
    with guest("gcastle/direct-lingam", rng, tensors=True):
        from castle.algorithms import DirectLiNGAM

        model = DirectLiNGAM(measure=kind, thresh=threshold)
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix, model.weight_causal_matrix)


@offer("ica-lingam", "continuous", "dag", assumes="sufficiency, acyclicity, linearity, non-Gaussian noise")
def ica_lingam(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    max_iter: int = 1000,
    threshold: float = 0.3,
) -> Graph:
    """Separate the independent noises of a linear non-Gaussian model by ICA and order them (LiNGAM, Shimizu 2006).

    max_iter: of FastICA. threshold: smallest |effect| kept.
    """
    with guest("gcastle/ica-lingam", rng, tensors=True) as seed:
        from castle.algorithms import ICALiNGAM

        model = ICALiNGAM(random_state=seed, max_iter=max_iter, thresh=threshold)
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix, model.weight_causal_matrix)


class _GaussianProcess:
    """The regressor handed to gcastle's ANM: noise and length scale fitted, (n, 1) in and out."""

    def estimate(self, x: Any, y: Any) -> Any:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

        model = GaussianProcessRegressor(ConstantKernel() * RBF() + WhiteKernel(0.1))
        return model.fit(np.asarray(x), np.asarray(y)).predict(np.asarray(x)).reshape(-1, 1)


@offer(
    "anm",
    "continuous",
    "digraph",
    caveat="Runs with our regressor (gcastle's own runs through every point, and its shape no longer fits); pairs, one "
    "by one: indirect and confounded pairs are joined too; keep n below about 500.",
    assumes="sufficiency, acyclicity, additive noise, non-linearity or non-Gaussian noise",
)
def anm(data: Table, *, knowledge: Knowledge | None = None, rng: np.random.Generator, alpha: float = 0.05) -> Graph:
    """In which direction does a Gaussian process leave independent noise, pair by pair? (ANM, Hoyer 2009)

    alpha: level of the independence tests (HSIC). A pair that fits both ways is left undirected.
    """
    share("alpha", alpha)
    with guest("gcastle/anm", rng, tensors=True):
        from castle.algorithms import ANMNonlinear

        model = ANMNonlinear(alpha=alpha)
        model.learn(data.values.copy(), regressor=_GaussianProcess())
    return of_causes(data, model.causal_matrix)


@offer(
    "notears",
    "continuous",
    "dag",
    caveat="Directions follow the variances of the variables; standardising hurts.",
    assumes="sufficiency, acyclicity, linearity, equal noise variances",
)
def notears(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    l1: float = 0.1,
    loss: str = "l2",
    max_iter: int = 100,
    h_tol: float = 1e-8,
    rho_max: float = 1e16,
    threshold: float = 0.3,
) -> Graph:
    """Least squares under a smooth acyclicity constraint (NOTEARS, Zheng et al. 2018).

    l1: penalty. loss: "l2", "logistic", "poisson". threshold: smallest |weight| kept.
    """
    kind = choose("loss", loss, ("l2", "logistic", "poisson"))
    with guest("gcastle/notears", rng, tensors=True):
        from castle.algorithms import Notears

        model = Notears(
            lambda1=l1, loss_type=kind, max_iter=max_iter, h_tol=h_tol, rho_max=rho_max, w_threshold=threshold
        )
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix, model.weight_causal_matrix)


@offer(
    "notears-low-rank",
    "continuous",
    "digraph",
    caveat="Overflows as its penalty grows to 1e20; with a rank below the graph's own its edges are wrong, and cycles "
    "can remain.",
    assumes="sufficiency, acyclicity, linearity, equal noise variances, low rank",
)
def notears_low_rank(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    rank: int | None = None,
    max_iter: int = 15,
    h_tol: float = 1e-6,
    rho_max: float = 1e20,
    threshold: float = 0.3,
) -> Graph:
    """NOTEARS with a weight matrix of bounded rank (Fang et al. 2020).

    rank: of the weight matrix; None: the number of variables (the package has no default).
    """
    width = data.d if rank is None else rank
    if not 1 <= width <= data.d:
        raise DataError(f"rank is a whole number between 1 and the {data.d} variables, got {rank!r}")
    with guest("gcastle/notears-low-rank", rng, tensors=True):
        from castle.algorithms import NotearsLowRank

        model = NotearsLowRank(max_iter=max_iter, h_tol=h_tol, rho_max=rho_max, w_threshold=threshold)
        model.learn(data.values.copy(), rank=width)
    return of_causes(data, model.causal_matrix, model.weight_causal_matrix)


@offer(
    "ttpm",
    "events",
    "dag",
    caveat="Adds at most max_iter edges (20 unless set), ignores simultaneous events, and refits every change of "
    "every pair: slow with many types. The native thp is the same model.",
    assumes="sufficiency, acyclicity, stationarity, additive effects, no inhibition, no instantaneous effects",
)
def ttpm(
    data: Events,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    decay: float = 0.1,
    max_hop: int = 0,
    penalty: str = "bic",
    penalty_scale: float = 1.0,
    max_iter: int = 20,
) -> Graph:
    """Topological Hawkes process: which event types excite which, over device neighbourhoods (Cai et al. 2022).

    decay: of the exponential kernel, 1/s. max_hop: farthest device distance that counts. max_iter: hill-climbing
    steps, hence the most edges. penalty: "bic" or "aic", times penalty_scale for the edges.
    """
    kind = choose("penalty", penalty, {"bic": "BIC", "aic": "AIC"})
    frame = pd.DataFrame(
        {"event": data.type_index.copy(), "timestamp": data.time.copy(), "node": data.device_index.copy()}
    )
    with guest("gcastle/ttpm", rng, tensors=True):
        from castle.algorithms import TTPM

        model = TTPM(
            data.adjacency.astype(float),
            delta=decay,
            epsilon=penalty_scale,
            max_hop=max_hop,
            penalty=kind,
            max_iter=max_iter,
        )
        model.learn(frame)
        small = np.asarray(model.causal_matrix)
    present = np.unique(data.type_index)  # its rows are the types that occur, in this order
    matrix: Any = np.zeros((data.d, data.d))
    matrix[np.ix_(present, present)] = small
    matrix = (matrix != 0) & ~np.eye(data.d, dtype=bool)  # it sets the diagonal: every type excites itself
    return Graph(data.types, matrix, meta={"edge_limit_reached": bool(matrix.sum() >= max_iter)})


ALGORITHMS.update(neural.ALGORITHMS)
ALGORITHMS.update(reinforcement.ALGORITHMS)
