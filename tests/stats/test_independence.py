"""Independence tests against scipy, against least squares, and against causal-learn where it is installed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from causalnet.errors import DataError
from causalnet.search.contingency import Contingency
from causalnet.search.skeleton import Search, Skeleton, find_skeleton
from causalnet.stats.independence import chi2_p, chi_square, fisher_z, g_square, normal_p


def everything(d: int) -> Search:
    return Search(~np.eye(d, dtype=bool), np.zeros((d, d), bool))


def alone(found: Skeleton, i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
    return found.alone.of(np.array([i]), np.array([j]))[:2]


def coded(rng: np.random.Generator, n: int, d: int, states: int) -> np.ndarray:
    """(n, d) codes where each column depends on the one before."""
    drift = np.cumsum(rng.standard_normal((n, d)), axis=1)
    return np.column_stack(
        [np.digitize(drift[:, j], np.sort(rng.normal(0, 1.5, rng.integers(1, states)))) for j in range(d)]
    )


@pytest.mark.parametrize("seed", range(10))
def test_fisher_z_is_the_correlation_of_residuals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((120, 6)) @ rng.standard_normal((6, 6))
    rho = np.corrcoef(x.T)
    for k in range(5):
        i, j, *given = rng.permutation(6)[: k + 2].tolist()
        design = np.column_stack([np.ones(120), x[:, given]])
        left, right = (x[:, c] - design @ np.linalg.lstsq(design, x[:, c], rcond=None)[0] for c in (i, j))
        r = np.corrcoef(left, right)[0, 1]
        expected = math.sqrt(120 - k - 3) * abs(math.atanh(r))
        statistic, p = fisher_z(rho, 120, i, j, given)
        assert statistic == pytest.approx(expected, rel=1e-9)
        assert p == pytest.approx(2 * stats.norm.sf(expected), rel=1e-8)


def test_fisher_z_where_there_is_nothing_to_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 200))
    rho = np.corrcoef([a, b, a + b, a + 1e-9 * b])
    assert fisher_z(rho, 200, 0, 1, (2, 3)) == (math.inf, 0.0)  # a is determined by the set
    c = rng.standard_normal(200)
    twice = np.corrcoef([a, a + c, b + a, 2.0 * a + 1e-9 * c])
    once = fisher_z(twice, 200, 1, 2, (0,))[1]
    assert fisher_z(twice, 201, 1, 2, (0, 3))[1] == pytest.approx(once)  # column 3 says what column 0 said
    with pytest.raises(DataError, match="rows"):
        fisher_z(rho, 4, 0, 1, (2,))
    with pytest.raises(DataError, match="distinct"):
        fisher_z(rho, 200, 0, 1, (1,))
    with pytest.raises(DataError, match="0 to 3"):
        fisher_z(rho, 200, 0, 4)


@pytest.mark.parametrize("df", [1, 2, 3, 7, 30, 200, 5000])
def test_tails_match_scipy(df: int) -> None:
    for x in np.concatenate([np.linspace(0, 4 * df, 60), [df - 1.0, df + 2.0, df + 2.001]]):
        assert chi2_p(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-9, abs=1e-300)
    assert chi2_p(3.0, 0) == 1.0
    assert chi2_p(5000.0, 1) == 0.0
    for z in (0.0, 0.3, 2.0, 9.0, 30.0):
        assert normal_p(z) == pytest.approx(2 * stats.norm.sf(z), rel=1e-12)


@pytest.mark.parametrize(("test", "kind"), [(chi_square, "pearson"), (g_square, "log-likelihood")])
@pytest.mark.parametrize("seed", range(6))
def test_tables_match_scipy_stratum_by_stratum(test, kind: str, seed: int) -> None:
    codes = coded(np.random.default_rng(seed), 300, 5, 5)
    for given in [(), (2,), (2, 3), (4, 2, 3)]:
        label = np.unique(codes[:, given], axis=0, return_inverse=True)[1].ravel() if given else np.zeros(300, int)
        statistic, df = 0.0, 0
        for stratum in np.unique(label):
            table = stats.contingency.crosstab(*codes[label == stratum][:, :2].T).count
            if min(table.shape) > 1:
                result = stats.chi2_contingency(table, correction=False, lambda_=kind)
                statistic, df = statistic + result.statistic, df + result.dof
        found, p = test(codes, 0, 1, given)
        assert found == pytest.approx(statistic, rel=1e-9, abs=1e-9)
        assert p == pytest.approx(stats.chi2.sf(statistic, df) if df else 1.0, abs=1e-10)


@pytest.mark.parametrize("method", ["chisq", "gsq", "fisherz"])
def test_p_values_match_causal_learn(method: str) -> None:
    cit = pytest.importorskip("causallearn.utils.cit", reason="causal-learn is not installed")
    rng = np.random.default_rng(7)
    for _ in range(8):
        n = int(rng.integers(60, 800))
        codes = coded(rng, n, 6, int(rng.integers(2, 12)))
        values = rng.standard_normal((n, 6)) @ rng.standard_normal((6, 6))
        peer = cit.CIT(values if method == "fisherz" else codes, method)
        rho = np.corrcoef(values.T)
        for _ in range(25):
            i, j, *given = rng.permutation(6)[: rng.integers(2, 6)].tolist()
            if method == "fisherz":
                p = fisher_z(rho, n, i, j, given)[1]
            else:
                p = (chi_square if method == "chisq" else g_square)(codes, i, j, given)[1]
            assert p == pytest.approx(peer(i, j, given), abs=1e-10)


@pytest.mark.parametrize("g_test", [False, True])
@pytest.mark.parametrize("states", [2, 4, 20, 150])
def test_search_by_bits_and_by_rows_gives_the_plain_statistics(states: int, g_test: bool) -> None:
    """Every number that the compiled search keeps is that of the plain test, also with more than 64 states."""
    rng = np.random.default_rng(states)
    codes = coded(rng, 403, 7, states + 1).astype(np.int32)
    found = find_skeleton(Contingency(codes, g_test), 0.05, everything(7))
    assert found.depth >= 1
    for i in range(7):
        for j in range(i):
            k = found.weakest.place(j, i)
            kept, given = found.weakest, found.weakest.given(k) if k >= 0 else []
            told, df = (kept.statistic[k], kept.df[k]) if k >= 0 else (part.item() for part in alone(found, j, i))
            statistic, p = (g_square if g_test else chi_square)(codes, i, j, given)
            assert told == pytest.approx(statistic, rel=1e-9, abs=1e-9)
            assert chi2_p(told, int(df)) == pytest.approx(p, abs=1e-10)
            assert found.adj[i, j] == (p <= 0.05)


def test_codes_are_checked_and_states_may_be_absent() -> None:
    with pytest.raises(DataError, match="integers"):
        chi_square(np.ones((5, 2)), 0, 1)
    with pytest.raises(DataError, match="integers"):
        chi_square(np.full((5, 2), -1), 0, 1)
    codes = coded(np.random.default_rng(0), 200, 3, 4)
    codes.setflags(write=False)
    for test in (chi_square, g_square):
        assert test(codes, 0, 1, (2,)) == pytest.approx(test(codes * 7 + 3, 0, 1, (2,)))
    constant = np.column_stack([codes[:, 0], np.zeros(200, int)])
    assert chi_square(constant, 0, 1) == (0.0, 1.0)  # no degrees of freedom
