"""Locality certificates against enumeration of the global process, closed forms, and nonsense."""

from __future__ import annotations

import json
import time
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp

from causalnet import locality
from causalnet.envs.networked import Line, TabularNetwork, exact
from causalnet.errors import CausalnetError, DataError, NotApplicable
from causalnet.locality import LocalPolicy
from causalnet.locality.spectral import resolvent, supporting_vector
from pipelines.locality import experiment as pipeline
from pipelines.locality.ring import RHO_C, RHO_E, RHO_H, ROW_SUM, TEMPERATURES, ring
from pipelines.locality.runs import copy_chain, gap


def near(graph: nx.Graph) -> list[list[int]]:
    index = {v: i for i, v in enumerate(graph)}
    return [sorted({i, *(index[v] for v in graph[u])}) for i, u in enumerate(graph)]


def random_case(seed: int) -> tuple[TabularNetwork, LocalPolicy]:
    """A random network of 2 to 5 binary agents, any coupling, own-state or one-hop softmax policy."""
    rng = np.random.default_rng([seed, 5])
    n = int(rng.integers(2, 6))
    graph = nx.gnp_random_graph(n, 0.5, seed=seed) if seed % 3 else nx.cycle_graph(n)
    coupling = ["states", "actions"][seed % 2]
    if n == 5 and max(d for _, d in graph.degree) > 3:
        coupling = "states"
    concentration = float(rng.choice([1, 10, 100]))
    model = TabularNetwork.random(graph, rng, gamma=0.8, coupling=coupling, concentration=concentration)
    observes = near(graph) if seed % 4 > 1 else [[i] for i in range(n)]
    logits = [rng.normal(size=(2,) * len(o) + (2,)) for o in observes]
    return model, LocalPolicy.softmax(logits, float(rng.choice([0.3, 1.0, 3.0])), observes)


def moves(values: np.ndarray, n: int, axes: int = 1) -> np.ndarray:
    """delta_i of a function of n binary coordinates (times ``axes`` such groups): (axes * n,)."""
    table = values.reshape((2,) * (n * axes))
    return np.array([np.abs(np.diff(table, axis=i)).max() for i in range(n * axes)])


@pytest.mark.parametrize("block", range(8))
def test_every_bound_holds_on_random_networks(block: int) -> None:
    """200 networks: C <= H, delta(P f) <= H^T delta(f), and the moves and truncations of V, Q and the Poisson solution."""
    for seed in range(25 * block, 25 * block + 25):
        model, policy = random_case(seed)
        n, tiny = model.n_agents, 1e-9
        here = locality.analyse(model, policy)
        h, c = here.h.toarray(), locality.exact_interdependence(model, policy).toarray()
        assert (c <= h + tiny).all()
        truth = np.abs(np.linalg.eigvals(h)).max()
        assert here.radius.low <= truth + tiny and truth <= here.radius.high + tiny
        process = exact.joint(model, policy.tables, policy.observes)
        closed = np.einsum("sa,sat->st", process.policy, process.transition)
        f = np.random.default_rng(seed).normal(size=len(closed))
        assert (moves(closed @ f, n) <= h.T @ moves(f, n) + tiny).all()
        checks = [(here, exact.q_values(process))]
        if here.radius.high < 1:
            checks.append((locality.analyse(model, policy, gamma=1.0), exact.differential_q(process)[1]))
        for found, q in checks:
            v = np.einsum("sa,nsa->ns", process.policy, q)
            if not found.bounded:
                with pytest.raises(DataError, match="not below 1"):
                    locality.influence(found)
            else:
                each = locality.influence(found, range(n))
                assert all((moves(v[j], n) <= each[j] + tiny).all() for j in range(n))
                assert (moves(v.mean(0), n) <= locality.influence(found) + tiny).all()
            far = dict(nx.all_pairs_shortest_path_length(model.graph))
            for kappa in range(3):
                bound = locality.truncation_error(found, [kappa], targets=range(n))[:, 0]
                for j in range(n):
                    inside = [i for i in range(n) if far[j].get(i, 99) <= kappa]
                    gap = exact.truncated(q[j], exact.keys(process, inside), np.ones(q[j].shape))[1]
                    assert gap <= bound[j] + tiny, (seed, kappa, j)


@pytest.mark.parametrize(
    ("case", "want"),
    [
        ("a", [2.333, 1.633, 1.143, 0.8]),
        ("b", [2.333, 2.333, 1.633, 1.143]),
        ("c", [3.333, 2.333, 1.633, 1.143]),
        ("d", [3.333, 2.333, 2.333, 1.633]),
    ],
)
def test_copy_chains_attain_the_corrected_bound(case: str, want: list[float]) -> None:
    model, policy = copy_chain(case)
    here = locality.analyse(model, policy)
    gaps = [gap(model, policy, kappa, range(1)) for kappa in range(4)]
    np.testing.assert_allclose(locality.decay_bound(here, range(4)), gaps, atol=1e-9)
    np.testing.assert_allclose(gaps, want, atol=5e-4)
    assert locality.smallest_kappa(here, want[2]) <= 3 and locality.truncation_error(here, [4])[0] == 0


def test_the_ring_has_its_figures_and_only_the_spectrum_certifies_it_at_temperature_one() -> None:
    """As the policy smooths, rho(H) falls to rho(E^s); ||H||_inf agrees within .015 and rho(C) within .04 of the figures."""
    found = [locality.certificate(*ring(tau)) for tau in TEMPERATURES]
    rho = np.array([c.rho.high for c in found])
    np.testing.assert_array_equal(rho.round(3), RHO_H)
    assert [c.certified for c in found] == [False, True, True, True, True]
    assert min(found[1].norms.values()) >= 1 > found[2].norms["max row sum"]
    np.testing.assert_allclose([c.norms["max row sum"] for c in found], ROW_SUM, atol=0.015)
    np.testing.assert_allclose([c.state_rho.high for c in found], RHO_E, atol=0.01)
    for tau, wanted, bound in zip(TEMPERATURES, RHO_C, rho, strict=True):
        c = np.abs(np.linalg.eigvals(locality.exact_interdependence(*ring(tau)).toarray())).max()
        assert c <= bound and abs(c - wanted) < 0.04
    model, policy = ring(0.5)
    refused = locality.certificate(model, policy, gamma=1.0)
    advised = refused.certified_at
    assert "NOT CERTIFIED" in str(refused) and f"Raise the temperature of these logits to {advised:g}" in str(refused)
    assert advised is not None and 0.5 < advised < 1
    assert locality.certificate(model, policy.at(advised)).certified
    assert not locality.certificate(model, policy.at(0.95 * advised)).certified


def test_both_criteria_get_advice() -> None:
    """0.9 rho(H) < 1 < rho(H): the discounted one stands, and the temperature for the other is named and is right."""
    model, policy = ring(0.5)
    found = locality.certificate(model, policy, gamma=0.9)
    assert found.certified is False and found.discounted is True and found.discounted_at is None
    at = found.certified_at
    assert at is not None and f"Raise the temperature of these logits to {at:g}: there rho(H) < 1." in str(found)
    assert locality.certificate(model, policy.at(at), gamma=0.9).certified
    sharp = locality.certificate(model, policy.at(0.02), gamma=0.99)
    assert sharp.discounted is False and None is not sharp.discounted_at < (sharp.certified_at or 0)
    assert "there 0.99 rho(H) < 1." in str(sharp) and "there rho(H) < 1." in str(sharp)
    least = float(str(sharp).split("certified for discounts below ")[1].split("\n")[0].rstrip("."))
    assert locality.certificate(model, policy.at(0.02), gamma=least).discounted
    assert not locality.certificate(model, policy.at(0.02), gamma=least + 2e-4).discounted


def test_text_says_when_a_critic_needs_the_whole_network() -> None:
    model, policy = ring(0.5)
    whole = str(locality.certificate(model, policy, errors=[0.01]))
    some = str(locality.certificate(model, policy.at(20.0), errors=[5.0]))
    assert "kappa = 2, the whole network" in whole and "2: 0\n" in whole and "the whole network" not in some
    assert "2: 0\n" in str(locality.certificate(model, policy, errors=0.01))  # one error may stand alone
    assert "short of the whole network" in str(locality.certificate(model, policy, gamma=1.0))


def test_text_shows_the_bound_of_the_kappa_advised_and_says_when_rewards_are_constant() -> None:
    model = TabularNetwork.random(nx.path_graph(12), 0, gamma=0.99, concentration=50)
    policy = LocalPolicy([np.full((2, 2), 0.5)] * 12)
    here = locality.analyse(model, policy)
    for kappa in (5, 7):
        error = float(locality.truncation_error(here, [kappa])[0]) * 1.0001
        found = locality.certificate(model, policy, errors=error)
        assert found.kappa[0][1] == kappa and dict(found.curve)[kappa] <= error and f", {kappa}: " in str(found)
    constant = str(locality.certificate(model, policy, reward=[np.zeros((2, 2))] * 12))
    assert "Rewards are constant: a critic misses nothing" in constant and "bound by kappa" not in constant
    alone = TabularNetwork.random(nx.empty_graph(1), 0)
    assert "Locality of 1 agent," in str(locality.certificate(alone, [np.eye(2)]))


def test_hops_are_whole_numbers() -> None:
    here = locality.analyse(*ring(2.0))
    for bad in ([-1], [0.5], 2, [True], np.array([[1]]), [[1], [2, 3]]):
        for bound in (locality.truncation_error, locality.decay_bound):
            with pytest.raises(DataError, match=r"whole number from 0|kappas is a list of hops"):
                bound(here, bad)  # type: ignore[arg-type]
    assert (
        locality.truncation_error(here, range(2)).shape == locality.truncation_error(here, np.arange(2)).shape == (2,)
    )
    assert locality.truncation_error(here, []).shape == (0,)


def test_unknown_kinds_agents_and_errors_are_refused() -> None:
    here = locality.analyse(*ring(2.0))
    with pytest.raises(CausalnetError, match="of is one of action-value, value, not 'q'"):
        locality.truncation_error(here, [1], of="q")
    for call in (
        lambda: locality.truncation_error(here, [1], targets=[9]),
        lambda: locality.smallest_kappa(here, 0.1, targets=[9]),
        lambda: locality.influence(here, [9]),
    ):
        with pytest.raises(DataError, match="a target is 9, and must be a whole number from 0 to"):
            call()
    with pytest.raises(DataError, match="error is 'a'"):
        locality.smallest_kappa(here, "a")  # type: ignore[arg-type]


def test_environments_are_sent_to_their_tables() -> None:
    with pytest.raises(DataError, match=r"TabularNetwork, not Line; call env.to_tabular\(gamma\)"):
        locality.certificate(Line(5), ring(1.0)[1])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="TabularNetwork, not int"):
        locality.certificate(3, ring(1.0)[1])  # type: ignore[arg-type]


# ---- the spectrum and the resolvent --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_radius_is_bracketed_for_any_pattern(seed: int) -> None:
    """Reducible, periodic, nilpotent and dense matrices: low <= rho <= high, and both close."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    dense = rng.random((n, n)) * (rng.random((n, n)) < rng.choice([0.05, 0.1, 0.5, 1.0]))
    if seed % 5 == 0:
        dense = np.triu(dense, seed % 2)
    truth = np.abs(np.linalg.eigvals(dense)).max()
    found = locality.spectral_radius(sp.csr_array(dense), 1e-9)
    assert found.low <= truth * (1 + 1e-9) + 1e-9 and truth <= found.high * (1 + 1e-9) + 1e-6
    if np.linalg.matrix_power(dense > 0, n).any():
        assert found.high - found.low <= 1e-6 * found.high
    else:
        assert found.high == 0


def test_bounds_near_the_edge_are_tight_and_quick() -> None:
    """rho = .9999 on 20,000 agents, where summing the powers of H would take a quarter of a million products."""
    rng = np.random.default_rng(0)
    matrix = sp.csr_array(
        sp.diags_array([rng.random(20_000), rng.random(19_999), rng.random(19_999)], offsets=[0, 1, -1])
    )
    matrix = sp.csr_array(matrix * (0.9999 / locality.spectral_radius(matrix).high))
    source, start = rng.random(20_000), time.process_time()
    x, b = supporting_vector(matrix, 1.0, 0.9999)
    assert (matrix @ x <= b * x).all() and x.max() > 100
    found = resolvent(matrix, source, 1.0, (x, b))
    assert time.process_time() - start < 3
    truth = sp.linalg.spsolve(sp.csc_array(sp.eye_array(20_000) - matrix), source)
    assert (found >= truth * (1 - 1e-9)).all() and (found - truth).max() <= 1e-7 * truth.max()


@pytest.mark.parametrize("n", [40, 400])
def test_where_iterative_solvers_go_astray_the_bound_holds(n: int) -> None:
    """Acyclic matrices with entries above 1: far from normal, so that residuals explode before they vanish."""
    dense = np.triu(np.random.default_rng(n).random((n, n)) < 2 / n, 1) * 2.0
    matrix, source = sp.csr_array(dense), np.eye(n)[:, :3]
    found = resolvent(matrix, source, 1.0, supporting_vector(matrix, 1.0, 0.0))
    truth = np.linalg.solve(np.eye(n) - dense, source)
    assert (found >= truth - 1e-6).all() and (found - truth).max() <= 1e-6 * truth.max()


def test_a_long_uneven_chain_is_bracketed() -> None:
    """Where the fastest spot is far from the slowest, a neighbourhood gives the lower bound that Collatz does not."""
    rng = np.random.default_rng(0)
    bands = [0.5 * rng.random(5000), 0.5 * rng.random(4999), 0.5 * rng.random(4999)]
    matrix = sp.csr_array(sp.diags_array(bands, offsets=[0, 1, -1]))
    found = locality.spectral_radius(matrix)
    top = sp.linalg.eigs(matrix, k=1, which="LR", return_eigenvectors=False, maxiter=100_000, tol=1e-10)[0].real
    assert found.low <= top * (1 + 1e-8) and top <= found.high * (1 + 1e-8) and found.high - found.low < 1e-4


def test_no_influence_exceeds_the_range_of_values() -> None:
    """Where gamma rho(H) is nearly 1 the resolvent promises nothing: the range of values bounds what an agent moves."""
    model, policy = ring(0.5)
    gamma = 0.999 / locality.analyse(model, policy).radius.high
    here = locality.analyse(model, policy, gamma)
    widest = here.environment.reward_range / (1 - gamma)
    moved = locality.influence(here)
    assert here.bounded and moved.max() == widest and (locality.influence(here, range(5)) <= widest).all()
    text = str(locality.certificate(model, policy, gamma))
    assert f"({widest:.3g})" in text and f"; {widest:.3g} is the range of values" in text


def test_norm_tests_bound_the_radius_from_above() -> None:
    for seed in range(10):
        model, policy = random_case(seed)
        here = locality.analyse(model, policy)
        h, norms = here.h.toarray(), locality.norm_tests(here, policy)
        for name, kind in (("max row sum", np.inf), ("max column sum", 1), ("spectral norm", 2)):
            want = np.linalg.norm(h, kind)
            assert want * (1 - 1e-12) <= norms[name] <= want * (1 + 1e-4)


def test_a_temperature_that_passes_is_kept() -> None:
    model, policy = ring(2.0)
    assert locality.certified_temperature(locality.analyse(model, policy), policy, 1.0) == 2.0


def test_large_networks_use_a_bound_that_is_wider_and_sound() -> None:
    """Beyond 300 agents all agents share one bound by time; each single target's own bound lies below it."""
    rng = np.random.default_rng(1)
    model = TabularNetwork.random(nx.cycle_graph(400), rng, concentration=60)
    here = locality.analyse(model, LocalPolicy.softmax(list(rng.normal(size=(400, 2, 2))), 2.0))
    kappas, some = [0, 1, 3, 6, 10], [0, 17, 200, 399]
    for of in ("value", "action-value"):
        shared, single = (locality.truncation_error(here, kappas, targets=t, of=of) for t in (None, some))
        assert (single <= shared + 1e-12).all() and (np.diff(shared) < 0).all()
        for error in (0.5, 0.01):
            kappa = locality.smallest_kappa(here, error, of=of)
            at = locality.truncation_error(here, [kappa, kappa - 1], of=of) if kappa else [0, 1]
            assert at[0] <= error < at[1]
            assert locality.smallest_kappa(here, error, targets=some, of=of) <= kappa


def test_text_gives_verdict_kappa_and_influence() -> None:
    text = str(locality.certificate(*ring(5.0), gamma=1.0))
    assert (
        "CERTIFIED" in text and "kappa = " in text and "average reward" in text and "moves the mean value most" in text
    )
    greedy = LocalPolicy([np.eye(2)] * 5)
    found = locality.certificate(ring(1.0)[0], greedy, gamma=1.0)
    assert found.certified is False and found.mixture is not None and "uniform play" in str(found)
    mixed = locality.certificate(ring(1.0)[0], greedy.mixed(found.mixture), gamma=1.0)
    assert mixed.certified and not locality.certificate(ring(1.0)[0], greedy.mixed(found.mixture - 0.02), 1.0).certified
    strong = TabularNetwork.random(nx.cycle_graph(5), 0, concentration=0.1)
    hopeless = locality.certificate(strong, greedy, gamma=1.0)
    assert hopeless.certified is False and hopeless.mixture is None and "No smoother policy brings" in str(hopeless)


def test_degenerate_networks_have_a_verdict() -> None:
    """No neighbours, no discounting, no reward, a policy that sees nothing: every answer is the obvious one."""
    for graph, gamma in [(nx.empty_graph(1), None), (nx.empty_graph(400), 0.999), (nx.path_graph(4), 0.0)]:
        n = graph.number_of_nodes()
        found = locality.certificate(TabularNetwork.random(graph, 0), [np.eye(2)] * n, gamma)
        assert found.kappa[0][1] == 0 and dict(found.curve)[1] == 0
    model = TabularNetwork.random(nx.path_graph(4), 0, concentration=50)
    blind = LocalPolicy([np.array([0.5, 0.5])] * 4, [[]] * 4)
    assert locality.certificate(model, blind).rho == locality.spectral_radius(locality.environment(model).state)
    free = locality.certificate(model, blind, reward=[np.zeros((2, 2))] * 4)
    assert free.kappa == () and max(e for _, e in free.curve) == 0 and "CERTIFIED" in str(free)
    far = LocalPolicy([np.eye(2)] * 4, [[3], [1], [2], [0]])
    assert locality.analyse(model, far).reach.closed == 3
    apart = TabularNetwork.random(nx.Graph([(0, 1), (2, 3)]), 0)
    for gamma in (0.9, 1.0):
        with pytest.raises(DataError, match="agent 0 depends on agent 3, or observes it, and no path"):
            locality.analyse(apart, far, gamma)
        with pytest.raises(DataError, match="agent 0 depends on agent 1, or observes it, and no path"):
            locality.analyse((locality.environment(model), sp.csr_array((4, 4), dtype=bool)), blind, gamma)


def test_the_pipeline_runs_in_its_quick_form_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.main(["--quick", "--out", str(tmp_path)])
    first = (tmp_path / "results.csv").read_text()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert all(set(item) == {"mean", "low", "high", "n", "published", "goal"} for item in summary.values())
    assert "NOT reached" not in capsys.readouterr().out and "<svg" in (tmp_path / "report.html").read_text()
    pipeline.main(["--quick", "--out", str(tmp_path)])
    assert (tmp_path / "results.csv").read_text() == first


# ---- nonsense ------------------------------------------------------------------------------------------------------


GREEDY = LocalPolicy([np.eye(2)] * 3)


def small() -> TabularNetwork:
    return TabularNetwork.random(nx.path_graph(3), 0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: locality.certificate(small(), [np.eye(2)] * 4), "policy has 4 agents and the network 3"),
        (lambda: locality.certificate(small(), [np.full((3, 2), 0.5)] * 3), "made for another network"),
        (lambda: locality.certificate(small(), [np.full((2, 2), 0.6)] * 3), r"policy table 0\[0\] sums to 1.2"),
        (lambda: locality.certificate(small(), [np.full((2, 2), np.nan)] * 3), "policy table 0 holds a number that is nan"),
        (lambda: LocalPolicy.softmax([np.zeros((2, 2))], 0.0), "temperature is 0.0, and must be a finite number above 0"),
        (lambda: LocalPolicy([np.full((2, 2, 2), 0.5)]), "say in observes"),
        (lambda: LocalPolicy([np.full((2, 2), 0.5)], [[0, 1]]), "2 axes, and observes"),
        (lambda: LocalPolicy([np.eye(2)]).at(2.0), "probability 0"),
        (lambda: locality.certified_temperature(locality.analyse(small(), GREEDY), GREEDY), "probability 0"),
        (lambda: LocalPolicy([np.eye(2)]).mixed(2.0), "share is 2.0"),
        (lambda: locality.certificate(small(), [np.eye(2)] * 3, gamma=1.5), "gamma is 1.5"),
        (lambda: locality.certificate(small(), [np.eye(2)] * 3, reward=[np.zeros((2, 2))]), "1 tables"),
        (lambda: locality.certificate(small(), [np.eye(2)] * 3, reward=[np.full((2, 2), np.nan)] * 3), "finite"),
        (lambda: locality.certificate(small(), [np.eye(2)] * 3, errors=[-1.0]), "error is -1.0"),
        (lambda: locality.spectral_radius(sp.csr_array(np.ones((2, 3)))), "square"),
        (lambda: locality.spectral_radius(sp.csr_array(np.array([[-1.0]]))), "negative"),
        (lambda: locality.spectral_radius(sp.csr_array(np.array([[np.nan]]))), "not finite"),
        (lambda: locality.decay_bound(locality.analyse(small(), LocalPolicy([np.eye(2)] * 3), 1.0), [1]), "below 1"),
        (lambda: TabularNetwork(nx.path_graph(1), [np.full((2, 1, 2), 0.6)], [np.zeros((2, 1))]), "sums to 1.2"),
        (lambda: locality.certificate(small(), GREEDY, gamma="x"), "gamma is 'x'"),
        (lambda: locality.certificate(small(), GREEDY, errors="x"), "error is 'x'"),
        (lambda: locality.certificate(small(), GREEDY, gamma=1.0, errors=[0.0]), "error is 0.0"),
        (lambda: locality.certificate(small(), GREEDY, top=1.5), "top is 1.5"),
        (lambda: locality.certificate(small(), GREEDY, top=-1), "top is -1"),
        (lambda: locality.certificate(small(), None), "tables is a list of policy tables, not None"),
        (lambda: locality.certificate(small(), "x"), "policy table 0 is 'x', and must be numbers"),
        (lambda: locality.analyse(small(), None), "tables is a list of policy tables, not None"),
        (lambda: LocalPolicy([]), "tables is empty"),
        (lambda: LocalPolicy([np.eye(2)], 3), "observes is a list of rows, not 3"),
        (lambda: LocalPolicy([np.eye(2)], [[0.5]]), r"agent in observes\[0\] is 0.5"),
        (lambda: LocalPolicy.softmax(None), "logits is a list of tables, not None"),
        (lambda: LocalPolicy.softmax([np.eye(2)], "x"), "temperature is 'x'"),
        (lambda: LocalPolicy([np.eye(2)]).mixed("x"), "share is 'x'"),
        (lambda: locality.smallest_kappa(None, 0.1), "locality is None, and must be what analyse"),
        (lambda: locality.smallest_kappa(locality.analyse(small(), GREEDY), 0.1, targets=[]), "targets is empty"),
        (lambda: locality.influence(locality.analyse(small(), GREEDY), 3), "targets is a list of agents, not 3"),
        (lambda: locality.spectral_radius(None), "needs a matrix of numbers, not None"),
        (lambda: locality.spectral_radius([1.0, 2.0]), r"shape \(2,\); a spectral radius needs a square one"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_a_sentence(make, words: str) -> None:
    with pytest.raises(CausalnetError, match=words):
        make()


def test_the_exact_matrix_says_when_it_is_too_large() -> None:
    model = TabularNetwork.random(nx.path_graph(26), 0)
    wide = LocalPolicy([np.full((2, 2), 0.5)] * 25 + [np.full((2,) * 14, 0.5)], [[i] for i in range(25)] + [range(13)])
    assert locality.exact_interdependence(model, wide).shape == (26, 26)
    three = TabularNetwork.random(nx.path_graph(16), 0, n_states=3, coupling="actions")
    spread = [tuple(range(8)) if i % 2 else tuple(range(8, 16)) for i in range(16)]
    with pytest.raises(NotApplicable, match="use H, its bound"):
        locality.exact_interdependence(three, LocalPolicy([np.full((3,) * 8 + (2,), 0.5)] * 16, spread))
