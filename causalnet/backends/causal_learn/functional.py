"""causal-learn's functional models (the LiNGAM family, CAM-UV, ANM) and its time-series methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...data import Table
from ...discovery.contract import Backend
from ...discovery.guests import choose, family, guest, of_effects, share
from ...errors import DataError, NotApplicable
from ...graph import ARROW, CIRCLE, TAIL, Graph, Knowledge

ALGORITHMS: dict[str, Backend] = {}
offer = family("causal-learn", ALGORITHMS, ("causallearn",), "causal-learn")


@offer("direct-lingam", "continuous", "dag", assumes="sufficiency, acyclicity, linearity, non-Gaussian noise")
def direct_lingam(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    measure: str = "pwling",
    threshold: float = 0.0,
) -> Graph:
    """Find the causal order of a linear non-Gaussian model, exogenous variable first (DirectLiNGAM, Shimizu 2011).

    measure: "pwling" (likelihood ratio) or "kernel" (mutual information; slow). threshold: smallest |effect| kept.
    """
    kind = choose("measure", measure, ("pwling", "kernel"))
    with guest("causal-learn/direct-lingam", rng) as seed:
        from causallearn.search.FCMBased.lingam import DirectLiNGAM

        found = DirectLiNGAM(random_state=seed, measure=kind).fit(data.values.copy())
    return of_effects(data, found.adjacency_matrix_, threshold, order=[data.columns[i] for i in found.causal_order_])


@offer("ica-lingam", "continuous", "dag", assumes="sufficiency, acyclicity, linearity, non-Gaussian noise")
def ica_lingam(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    max_iter: int = 1000,
    threshold: float = 0.0,
) -> Graph:
    """Separate the independent noises of a linear non-Gaussian model by ICA and order them (LiNGAM, Shimizu 2006).

    max_iter: of FastICA. threshold: smallest |effect| kept.
    """
    with guest("causal-learn/ica-lingam", rng) as seed:
        from causallearn.search.FCMBased.lingam import ICALiNGAM

        found = ICALiNGAM(random_state=seed, max_iter=max_iter).fit(data.values.copy())
    return of_effects(data, found.adjacency_matrix_, threshold, order=[data.columns[i] for i in found.causal_order_])


@offer(
    "bottom-up-parce-lingam",
    "continuous",
    "pag",
    caveat="Holds an n x n kernel for each test: keep n below about 2,000.",
    assumes="acyclicity, linearity, non-Gaussian noise",
)
def bottom_up_parce_lingam(
    data: Table, *, knowledge: Knowledge | None = None, rng: np.random.Generator, alpha: float = 0.1
) -> Graph:
    """Linear non-Gaussian order from the sinks upwards, stopping at hidden confounding (ParceLiNGAM, Tashiro 2014).

    alpha: level of the independence tests. Pairs above the point where it stopped are reported as o-o.
    """
    share("alpha", alpha)
    with guest("causal-learn/bottom-up-parce-lingam", rng) as seed:
        from causallearn.search.FCMBased.lingam import BottomUpParceLiNGAM

        found = BottomUpParceLiNGAM(random_state=seed, alpha=alpha).fit(data.values.copy())
    return _with_open_pairs(data, found.adjacency_matrix_, CIRCLE)


@offer(
    "rcd",
    "continuous",
    "pag",
    caveat="Variables that pass for Gaussian count as confounded, joined by <->.",
    assumes="acyclicity, linearity, non-Gaussian noise",
)
def rcd(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    max_explanatory: int = 2,
    cor_alpha: float = 0.01,
    ind_alpha: float = 0.01,
    shapiro_alpha: float = 0.01,
) -> Graph:
    """Repeat causal discovery on residuals to tell direct causes from hidden confounders (RCD, Maeda & Shimizu 2020).

    max_explanatory: size of the sets regressed on; the alphas: of correlation, independence and normality tests.
    Confounded pairs are reported as <->.
    """
    with guest("causal-learn/rcd", rng):
        from causallearn.search.FCMBased.lingam import RCD

        model = RCD(
            max_explanatory_num=max_explanatory,
            cor_alpha=share("cor_alpha", cor_alpha),
            ind_alpha=share("ind_alpha", ind_alpha),
            shapiro_alpha=share("shapiro_alpha", shapiro_alpha),
        )
        found = model.fit(data.values.copy())
    return _with_open_pairs(data, found.adjacency_matrix_, ARROW)


def _with_open_pairs(data: Table, effects: Any, mark: int) -> Graph:
    """B[effect, cause] with NaN for the pairs that were left open, which get ``mark`` at both ends."""
    b = np.array(effects, dtype=np.float64).T  # B[effect, cause] -> ours [cause, effect]
    np.fill_diagonal(b, 0.0)
    undecided = np.isnan(b) | np.isnan(b.T)
    arrow = (np.nan_to_num(b) != 0) & ~undecided
    marks = np.zeros(b.shape, dtype=np.int8)
    marks[arrow] = ARROW
    marks[arrow.T] = TAIL
    marks[undecided] = mark
    return Graph.from_marks(data.columns, marks, weight=np.where(undecided, 0.0, b))


@offer(
    "cam-uv",
    "continuous",
    "pag",
    also_requires=("pygam",),
    also_install="pygam",
    caveat="Needs pygam, which causal-learn does not install by itself; holds n x n kernels and fits many splines: "
    "keep n below about 1,000.",
    assumes="acyclicity, additive effects, additive noise",
)
def cam_uv(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.01,
    max_explanatory: int = 2,
) -> Graph:
    """Additive (spline) models that leave pairs with an unobserved path open (CAM-UV, Maeda & Shimizu 2021).

    alpha: level of the independence tests. max_explanatory: most variables regressed on at once.
    Pairs with an unobserved causal or backdoor path are reported as o-o.
    """
    share("alpha", alpha)
    with guest("causal-learn/cam-uv", rng):
        from causallearn.search.FCMBased.lingam import CAMUV

        parents, confounded = CAMUV.execute(data.values.copy(), alpha, max_explanatory)
    marks = np.zeros((data.d, data.d), dtype=np.int8)
    for child, causes in enumerate(parents):  # parents[child] holds the causes
        for cause in causes:
            marks[cause, child], marks[child, cause] = ARROW, TAIL
    for i, j in (sorted(pair) for pair in confounded):
        marks[i, j] = marks[j, i] = CIRCLE
    return Graph.from_marks(data.columns, marks)


@offer(
    "anm",
    "continuous",
    "cpdag",
    caveat="For two variables: it decides a direction, never that there is no edge; n x n kernels, n below about 2,000.",
    assumes="sufficiency, acyclicity, additive noise, non-linearity or non-Gaussian noise",
)
def anm(data: Table, *, knowledge: Knowledge | None = None, rng: np.random.Generator, alpha: float = 0.05) -> Graph:
    """Cause or effect: in which direction does a Gaussian process leave independent noise? (ANM, Hoyer 2009)

    alpha: the edge is directed when one direction's noise is independent of the cause at this level and the other's
    is not; otherwise it stays undirected.
    """
    share("alpha", alpha)
    if data.d != 2:
        raise NotApplicable(
            f"causal-learn/anm compares two variables and this table has {data.d}; select two columns, "
            "or use gcastle/anm, which goes through all pairs"
        )
    values = data.values.copy()
    with guest("causal-learn/anm", rng):
        from causallearn.search.FCMBased.ANM.ANM import ANM

        forward, backward = ANM().cause_or_effect(values[:, [0]], values[:, [1]])
    p = np.array([[0.0, float(forward)], [float(backward), 0.0]])  # [cause, effect]
    adj = p > alpha
    if adj[0, 1] == adj[1, 0]:
        adj = ~np.eye(2, dtype=bool)
    return Graph(data.columns, adj, meta={"p_forward": float(forward), "p_backward": float(backward)})


def _strongest(effects: Any, start: int) -> Any:
    """(d, d) B[effect, cause]: of the lags from ``start``, (lags, d, d), the effect of the largest size."""
    stack = np.array(effects, dtype=np.float64)[start:]
    pick = np.abs(stack).argmax(axis=0)
    return np.take_along_axis(stack, pick[None], axis=0)[0]


def _enough_rows(name: str, data: Table, lags: int) -> None:
    if not (isinstance(lags, int) and lags >= 1):
        raise DataError(f"lags is a whole number of at least 1, got {lags!r}")
    if data.n < (lags + 2) * data.d + lags:
        raise DataError(f"{data.n} time steps are too few for {name} with {lags} lags of {data.d} variables")


@offer(
    "var-lingam",
    "continuous",
    "digraph",
    caveat="Effects of all lags are folded into one graph.",
    assumes="sufficiency, acyclicity, linearity, non-Gaussian noise, stationarity",
)
def var_lingam(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    lags: int = 1,
    criterion: str = "bic",
    prune: bool = True,
    threshold: float = 0.0,
) -> Graph:
    """Rows are time steps: a vector autoregression whose noises follow a LiNGAM (VAR-LiNGAM, Hyvarinen 2010).

    lags: most time steps back; criterion picks among them ("aic", "fpe", "hqic", "bic"). prune: drop effects by the
    adaptive lasso (the package's default keeps every lagged effect). threshold: smallest |effect| kept.
    """
    _enough_rows("causal-learn/var-lingam", data, lags)
    rule = choose("criterion", criterion, ("aic", "fpe", "hqic", "bic"))
    with guest("causal-learn/var-lingam", rng) as seed:
        from causallearn.search.FCMBased.lingam import VARLiNGAM

        found = VARLiNGAM(lags=lags, criterion=rule, prune=prune, random_state=seed).fit(data.values.copy())
    return of_effects(data, _strongest(found.adjacency_matrices_, 0), threshold)


@offer(
    "varma-lingam",
    "continuous",
    "digraph",
    caveat="Fits its VARMA by numerical likelihood: slow beyond a few variables, and often without convergence.",
    assumes="sufficiency, acyclicity, linearity, non-Gaussian noise, stationarity",
)
def varma_lingam(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    order: tuple[int, int] = (1, 1),
    criterion: str = "bic",
    prune: bool = True,
    max_iter: int = 100,
    threshold: float = 0.0,
) -> Graph:
    """Rows are time steps: VAR-LiNGAM with moving-average noise as well (VARMA-LiNGAM, Kawahara 2011).

    order: most lags (autoregressive, moving-average). prune: drop effects by the adaptive lasso (the package's
    default keeps every lagged effect). threshold: smallest |effect| kept.
    """
    _enough_rows("causal-learn/varma-lingam", data, int(max(order)))
    rule = choose("criterion", criterion, ("aic", "hqic", "bic"))
    with guest("causal-learn/varma-lingam", rng) as seed:
        from causallearn.search.FCMBased.lingam import VARMALiNGAM

        model = VARMALiNGAM(order=tuple(order), criterion=rule, prune=prune, max_iter=max_iter, random_state=seed)
        psis, _ = model.fit(data.values.copy()).adjacency_matrices_
    return of_effects(data, _strongest(psis, 0), threshold)


@offer(
    "granger",
    "continuous",
    "digraph",
    caveat="Lasso by cross-validation keeps many small effects: set threshold.",
    assumes="sufficiency, linearity, stationarity, no instantaneous effects",
)
def granger(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    lags: int = 2,
    folds: int = 5,
    threshold: float = 0.0,
) -> Graph:
    """Rows are time steps: each variable regressed by the lasso on the past of all (Lasso-Granger, Arnold 2007).

    lags: time steps back. folds: of the cross-validation that sets the penalty. threshold: smallest |effect| kept.
    """
    _enough_rows("causal-learn/granger", data, lags)
    with guest("causal-learn/granger", rng):
        from causallearn.search.Granger.Granger import Granger

        flat = Granger(maxlag=lags, cv=folds).granger_lasso(data.values.copy())
    effects = np.asarray(flat).reshape(data.d, lags, data.d).transpose(1, 0, 2)  # (lag, effect, cause)
    return of_effects(data, _strongest(effects, 0), threshold)
