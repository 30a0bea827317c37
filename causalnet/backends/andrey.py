"""The searches of andrey-core on one complete table, behind our orientation and names.

Its marks stand in ``structure.to_numpy()``: at [i, j] the mark at i of its edge with j, 1 a tail and 2 an arrowhead, so
that a tail at i is our i -> j, and two tails are an undirected edge. Apache-2.0; called, not copied. Alpha by its own
account, its arguments may change: its version is bounded where it is installed from.

Left out, with the reason:
- FCI, GFCI, CD-NOD, GIN, RCD, CALM, ANM, PNL, exact search: reimplementations of what causal-learn offers here.
- the methods for time series, regimes and several data sets: they need more than one table.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.arrays import AnyArray
from ..base.checks import choose, number
from ..data import Table
from ..discovery.contract import Backend
from ..discovery.guests import Method, family, level, of_causes, param
from ..graph import Graph

ALGORITHMS: dict[str, Backend] = {}
offer = family("andrey", ALGORITHMS, ("andrey",), "andrey-core")

_BIC, _BDEU = "local_score_BIC_from_cov", "local_score_BDeu"
_SCORES = {
    "continuous": {"auto": _BIC, "bic": _BIC},
    "discrete": {"auto": _BDEU, "bdeu": _BDEU, "bic": "local_score_BIC_categorical"},
    "mixed": {
        "auto": "local_score_cond_gauss",
        "conditional": "local_score_cond_gauss",
        "degenerate": "local_score_degen_gauss",
    },
}
_TESTS = {
    "continuous": {"auto": "fisherz", "fisher-z": "fisherz", "student": "student_t", "kci": "kci", "rcot": "rcot"},
    "discrete": {"auto": "chisq", "chi2": "chisq", "g2": "gsq"},
    "mixed": {"auto": "degen_gauss", "degenerate": "degen_gauss", "conditional": "cond_gauss"},
}
_MIXED = "continuous discrete mixed"
_ASSUMES = "sufficiency, faithfulness, acyclicity, linearity (continuous), Gaussian noise (continuous)"


def _score(name: str, value: str, data: Table) -> Any:
    """Reads a score that fits the kind of data."""
    return choose(name, value, _SCORES[data.kind])


def _test(name: str, value: str, data: Table) -> Any:
    """Reads a test that fits the kind of data."""
    return choose(name, value, _TESTS[data.kind])


def _penalty(name: str, value: Any, data: Table) -> float:
    """Reads the price of a parameter."""
    return number(name, value, 0.0)


class Andrey(Method):
    """One call of the package. seeded: it takes a seed."""

    assumes = _ASSUMES
    algorithm = ""
    seeded = False

    def run(self, data: Table, seed: int) -> Graph:
        """One thread, numpy, ties by content; the kinds of columns as they were read, never guessed anew."""
        import andrey

        how = dict(self.theirs)
        if self.seeded:
            how["seed"] = seed
        if data.kind == "mixed":
            how["categorical"] = np.flatnonzero(data.discrete).tolist()
        allowed, required = self.knowledge.compile(data.columns)
        if self.knowledge:
            forbidden = ~allowed & ~np.eye(data.d, dtype=bool)
            pairs = {"required": required, "forbidden": forbidden}
            how["knowledge"] = andrey.Knowledge(**{k: np.argwhere(v).tolist() for k, v in pairs.items()})
        with andrey.config(backend="numpy", num_workers=1, tie_break="rank"):
            found = getattr(andrey, self.algorithm)(_values(data), **how)
        meta = {"score": float(found.metadata["score"])} if "score" in found.metadata else {}
        return of_causes(data, np.asarray(found.structure.to_numpy()) == 1, **meta)


def _values(data: Table) -> AnyArray:
    """A fresh (n, d) array; whole numbers where all columns are categories."""
    return data.values.astype(np.int64 if data.kind == "discrete" else np.float64)


class Scored(Andrey):
    """A search with a score: "auto" is BIC, BDeu for categories, the conditional Gaussian BIC for mixed tables."""

    score = param("score_func", "auto", _score)
    penalty = param("lambda_value", 1.0, _penalty)


@offer("pc", _MIXED, "cpdag", knowledge="forbidden required")
class PC(Andrey):
    """Remove an edge when a test finds a separating set, then orient colliders, the largest p-value first (PC).

    ci_test: "auto"; continuous: "fisher-z", "student", "kci", "rcot"; discrete: "chi2", "g2"; mixed: "degenerate",
    "conditional".
    """

    algorithm = "pc"
    alpha = param("alpha", 0.05, level)
    ci_test = param("indep_test", "auto", _test)
    max_cond = param("max_depth", None)


@offer("boss", _MIXED, "cpdag", knowledge="forbidden required")
class BOSS(Scored):
    """Move each variable of an order to the place of the best score, until none moves (BOSS, Andrews et al. 2023).

    score: "auto"; continuous: "bic"; discrete: "bdeu", "bic"; mixed: "conditional", "degenerate". penalty: of a
    parameter in BIC, in units of ln n.
    """

    algorithm, seeded = "boss", True


@offer("grasp", _MIXED, "cpdag", knowledge="forbidden required")
class GRaSP(Scored):
    """Improve an order by chains of tucks (GRaSP, Lam et al. 2022).

    score, penalty: as in andrey/boss. depth: the longest chain of tucks that leave the score as it is.
    """

    algorithm, seeded = "grasp", True
    depth = param("depth", 3)


@offer("ges", _MIXED, "cpdag", knowledge="forbidden required")
class GES(Scored):
    """Greedily add, then delete, edges of an equivalence class while the score improves (GES, Chickering 2002).

    score, penalty: as in andrey/boss.
    """

    algorithm = "ges"
    max_parents = param("max_parents", None)


@offer("xges", "continuous", "cpdag", knowledge="forbidden required")
class XGES(Andrey):
    """Delete, turn or add the edge that helps most, then delete each edge and search again (XGES, Nazaret and Blei 2024).

    penalty: of a parent, in units of ln n. extended: run the second phase.
    """

    algorithm = "xges"
    assumes = "sufficiency, faithfulness, acyclicity, linearity, Gaussian noise"
    penalty = param("lambda_value", 1.0, _penalty)
    extended = param("extended_search", True)


@offer("hill-climb", _MIXED, "cpdag", knowledge="forbidden required")
class HillClimb(Scored):
    """Add, remove or reverse the one edge that improves the score most, until none does.

    score, penalty: as in andrey/boss.
    """

    algorithm = "hc"


@offer("direct-lingam", "continuous", "dag", knowledge="forbidden required")
class DirectLiNGAM(Andrey):
    """The causal order whose next variable is always the least dependent on its residuals (DirectLiNGAM, 2011)."""

    algorithm = "direct_lingam"
    assumes = "sufficiency, acyclicity, linearity, non-Gaussian noise"
