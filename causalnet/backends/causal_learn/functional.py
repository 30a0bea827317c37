"""causal-learn's functional models (the LiNGAM family, CAM-UV, ANM) and its time-series methods."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ...base.checks import whole
from ...data import Table
from ...discovery.guests import Method, level, of_effects, param, words
from ...errors import DataError, NotApplicable
from ...graph import ARROW, CIRCLE, TAIL, Graph, LaggedGraph
from .marks import offer


class Lingam(Method):
    """A class of ``causallearn.search.FCMBased.lingam``: made with its arguments, fitted to the (n, d) values."""

    algorithm = ""  # the class
    seeded = True  # it takes random_state

    def fitted(self, data: Table, seed: int) -> Any:
        """The fitted model, which holds B[effect, cause] in ``adjacency_matrix_``."""
        from causallearn.search.FCMBased import lingam

        model = getattr(lingam, self.algorithm)(**self.theirs, **({"random_state": seed} if self.seeded else {}))
        return model.fit(data.values.copy())


class Ordered(Lingam):
    """A LiNGAM that finds the whole causal order."""

    threshold: float

    def run(self, data: Table, seed: int) -> Graph:
        found = self.fitted(data, seed)
        order = [data.columns[i] for i in found.causal_order_]
        return of_effects(data, found.adjacency_matrix_, self.threshold, order=order)


@offer("direct-lingam", "continuous", "dag")
class DirectLiNGAM(Ordered):
    """Find the causal order of a linear non-Gaussian model, exogenous variable first (DirectLiNGAM, Shimizu 2011).

    measure: "pwling" (likelihood ratio) or "kernel" (mutual information; slow). threshold: smallest |effect| kept.
    """

    assumes = "sufficiency, acyclicity, linearity, non-Gaussian noise"
    algorithm = "DirectLiNGAM"
    measure = param("measure", "pwling", words("pwling", "kernel"))
    threshold = param("", 0.0)


@offer("ica-lingam", "continuous", "dag")
class ICALiNGAM(Ordered):
    """Separate the independent noises of a linear non-Gaussian model by ICA and order them (LiNGAM, Shimizu 2006).

    max_iter: of FastICA. threshold: smallest |effect| kept.
    """

    assumes = "sufficiency, acyclicity, linearity, non-Gaussian noise"
    algorithm = "ICALiNGAM"
    max_iter = param("max_iter", 1000)
    threshold = param("", 0.0)


class Confounded(Lingam):
    """A LiNGAM that leaves pairs open where a cause may be hidden: NaN in B, ``mark`` at both ends in the graph."""

    mark: ClassVar[int]

    def run(self, data: Table, seed: int) -> Graph:
        """Marks and weights from B[effect, cause]."""
        b = np.array(self.fitted(data, seed).adjacency_matrix_, dtype=np.float64).T  # -> ours [cause, effect]
        np.fill_diagonal(b, 0.0)
        undecided = np.isnan(b) | np.isnan(b.T)
        arrow = (np.nan_to_num(b) != 0) & ~undecided
        marks = np.zeros(b.shape, dtype=np.int8)
        marks[arrow] = ARROW
        marks[arrow.T] = TAIL
        marks[undecided] = self.mark
        return Graph.from_marks(data.columns, marks, weight=np.where(undecided, 0.0, b))


@offer("bottom-up-parce-lingam", "continuous", "pag")
class BottomUpParceLiNGAM(Confounded):
    """Linear non-Gaussian order from the sinks upwards, stopping at hidden confounding (ParceLiNGAM, Tashiro 2014).

    alpha: level of the independence tests. Pairs above the point where it stopped are reported as o-o.
    """

    caveat = "Holds an n x n kernel for each test: keep n below about 2,000."
    assumes = "acyclicity, linearity, non-Gaussian noise"
    algorithm, mark = "BottomUpParceLiNGAM", CIRCLE
    alpha = param("alpha", 0.1, level)


@offer("rcd", "continuous", "pag")
class RCD(Confounded):
    """Repeat causal discovery on residuals to tell direct causes from hidden confounders (RCD, Maeda & Shimizu 2020).

    max_explanatory: size of the sets regressed on; the alphas: of correlation, independence and normality tests.
    Confounded pairs are reported as <->.
    """

    caveat = "Variables that pass for Gaussian count as confounded, joined by <->."
    assumes = "acyclicity, linearity, non-Gaussian noise"
    algorithm, seeded, mark = "RCD", False, ARROW
    max_explanatory = param("max_explanatory_num", 2)
    cor_alpha = param("cor_alpha", 0.01, level)
    ind_alpha = param("ind_alpha", 0.01, level)
    shapiro_alpha = param("shapiro_alpha", 0.01, level)


@offer("cam-uv", "continuous", "pag", also=("pygam",))
class CAMUV(Method):
    """Additive (spline) models that leave pairs with an unobserved path open (CAM-UV, Maeda & Shimizu 2021).

    alpha: level of the independence tests. max_explanatory: most variables regressed on at once.
    Pairs with an unobserved causal or backdoor path are reported as o-o.
    """

    caveat = (
        "Needs pygam, which causal-learn does not install by itself; holds n x n kernels and fits many splines: "
        "keep n below about 1,000."
    )
    assumes = "acyclicity, additive effects, additive noise"
    alpha = param("", 0.01, level)
    max_explanatory = param("", 2)

    def run(self, data: Table, seed: int) -> Graph:
        from causallearn.search.FCMBased.lingam import CAMUV as Model

        parents, confounded = Model.execute(data.values.copy(), self.alpha, self.max_explanatory)
        marks = np.zeros((data.d, data.d), dtype=np.int8)
        for child, causes in enumerate(parents):  # parents[child] holds the causes
            for cause in causes:
                marks[cause, child], marks[child, cause] = ARROW, TAIL
        for i, j in (sorted(pair) for pair in confounded):
            marks[i, j] = marks[j, i] = CIRCLE
        return Graph.from_marks(data.columns, marks)


@offer("anm", "continuous", "cpdag")
class ANM(Method):
    """Cause or effect: in which direction does a Gaussian process leave independent noise? (ANM, Hoyer 2009)

    alpha: the edge is directed when one direction's noise is independent of the cause at this level and the other's
    is not; otherwise it stays undirected.
    """

    caveat = (
        "For two variables: it decides a direction, never that there is no edge; n x n kernels, n below about 2,000."
    )
    assumes = "sufficiency, acyclicity, additive noise, non-linearity or non-Gaussian noise"
    alpha = param("", 0.05, level)

    def run(self, data: Table, seed: int) -> Graph:
        if data.d != 2:
            raise NotApplicable(
                f"causal-learn/anm compares two variables and this table has {data.d}; select two columns, "
                "or use gcastle/anm, which goes through all pairs"
            )
        from causallearn.search.FCMBased.ANM.ANM import ANM as Model

        forward, backward = (float(p) for p in Model().cause_or_effect(data.values[:, [0]], data.values[:, [1]]))
        adj = np.array([[0.0, forward], [backward, 0.0]]) > self.alpha  # [cause, effect]
        if adj[0, 1] == adj[1, 0]:
            adj = ~np.eye(2, dtype=bool)
        return Graph(data.columns, adj, meta={"p_forward": forward, "p_backward": backward})


def _strongest(effects: Any) -> Any:
    """(d, d) B[effect, cause]: of all lags, (lags, d, d), the effect of the largest size."""
    stack = np.array(effects, dtype=np.float64)
    pick = np.abs(stack).argmax(axis=0)
    return np.take_along_axis(stack, pick[None], axis=0)[0]


def _enough_rows(name: str, data: Table, lags: int) -> None:
    """Refuse a series too short for ``lags`` time steps back."""
    if data.n < (whole("lags", lags, 1) + 2) * data.d + lags:
        raise DataError(f"{data.n} time steps are too few for {name} with {lags} lags of {data.d} variables")


@offer("var-lingam", "continuous series", "digraph")
class VARLiNGAM(Lingam):
    """Rows are time steps: a vector autoregression whose noises follow a LiNGAM (VAR-LiNGAM, Hyvarinen 2010).

    lags: most time steps back; criterion picks among them ("aic", "fpe", "hqic", "bic"). prune: drop effects by the
    adaptive lasso (the package's default keeps every lagged effect). threshold: smallest |effect| kept.
    """

    assumes = "sufficiency, acyclicity, linearity, non-Gaussian noise, stationarity"
    algorithm = "VARLiNGAM"
    lags = param("lags", 1)
    criterion = param("criterion", "bic", words("aic", "fpe", "hqic", "bic"))
    prune = param("prune", True)
    threshold = param("", 0.0)

    def run(self, data: Table, seed: int) -> Graph:
        _enough_rows(self.name, data, self.lags)
        effects = np.array(self.fitted(data, seed).adjacency_matrices_, np.float64).transpose(
            0, 2, 1
        )  # [lag, cause, effect]
        effects[0][np.eye(data.d, dtype=bool)] = 0.0
        return LaggedGraph.from_links(data.columns, np.abs(effects) > self.threshold, effects)


@offer("varma-lingam", "continuous series", "digraph")
class VARMALiNGAM(Lingam):
    """Rows are time steps: VAR-LiNGAM with moving-average noise as well (VARMA-LiNGAM, Kawahara 2011).

    order: most lags (autoregressive, moving-average). prune: drop effects by the adaptive lasso (the package's
    default keeps every lagged effect). threshold: smallest |effect| kept.
    """

    caveat = "Fits its VARMA by numerical likelihood: slow beyond a few variables, and often without convergence."
    assumes = "sufficiency, acyclicity, linearity, non-Gaussian noise, stationarity"
    algorithm = "VARMALiNGAM"
    order = param("order", (1, 1), lambda name, value, data: tuple(value))
    criterion = param("criterion", "bic", words("aic", "hqic", "bic"))
    prune = param("prune", True)
    max_iter = param("max_iter", 100)
    threshold = param("", 0.0)

    def run(self, data: Table, seed: int) -> Graph:
        _enough_rows(self.name, data, int(max(self.order)))
        psis, _ = self.fitted(data, seed).adjacency_matrices_
        return of_effects(data, _strongest(psis), self.threshold)


@offer("granger", "continuous series", "digraph")
class Granger(Method):
    """Rows are time steps: each variable regressed by the lasso on the past of all (Lasso-Granger, Arnold 2007).

    lags: time steps back. folds: of the cross-validation that sets the penalty. threshold: smallest |effect| kept.
    """

    caveat = "Lasso by cross-validation keeps many small effects: set threshold."
    assumes = "sufficiency, linearity, stationarity, no instantaneous effects"
    lags = param("maxlag", 2)
    folds = param("cv", 5)
    threshold = param("", 0.0)

    def run(self, data: Table, seed: int) -> Graph:
        _enough_rows(self.name, data, self.lags)
        from causallearn.search.Granger.Granger import Granger as Model

        flat = Model(**self.theirs).granger_lasso(data.values.copy())
        effects = np.asarray(flat).reshape(data.d, self.lags, data.d).transpose(1, 0, 2)  # (lag, effect, cause)
        return of_effects(data, _strongest(effects), self.threshold)
