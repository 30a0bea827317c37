"""Odds of weak edges: the count against the likelihood, the mean over laws by brute force, the best F1, noise and knowledge."""

from __future__ import annotations

import math

import numpy as np
import pytest

import causalnet as cn
from causalnet.datasets.incidents import AlarmSystem
from causalnet.search import hawkes_odds as odds
from causalnet.search import hawkes_unaided
from causalnet.search.hawkes_search import Found, Limits, Scorer, members

Caught = tuple[Scorer, Found, Limits]


def limits(v: int, **more: object) -> Limits:
    return Limits(~np.eye(v, dtype=bool), np.zeros((v, v), dtype=bool), True)._replace(**more)


def cascades(seed: int, n: int = 400, **more: object) -> tuple[cn.Events, cn.Graph]:
    rng = np.random.default_rng(seed)
    system = AlarmSystem.draw(rng, 14, 30, **{"parents": 2.0, "strength": (0.05, 0.4)} | more)
    return system.log(n, rng), system.graph


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> Caught:
    """What the search gives to the odds on a log of few events."""
    seen: list[Caught] = []

    def catch(*given: object) -> tuple[Found, None]:
        seen.append(given)
        return given[1], None

    monkeypatch.setattr(hawkes_unaided, "by_odds", catch)
    cn.discover(cascades(0)[0], "thp")
    return seen[-1]


def test_counts_follow_the_likelihood(caught: Caught) -> None:
    scorer, found, _ = caught
    v, k, maxima = 14, scorer.exposure.slots, 0
    counts = odds._counts(scorer, found.parents, None)
    assert counts is not None and k == 2
    for i, j in ((int(np.argmax(found.adj.sum(axis=0))), j) for j in range(v)):
        mask = found.parents[i] & ~(1 << j)
        if i == j or scorer.exposure.size[i] == 0:
            continue
        who = np.array([*members(mask), v])
        rows = (who[:, None] * k + np.arange(k)).ravel()
        fit = scorer.fit(i, mask)
        rate = fit.mu + fit.alpha @ scorer.exposure.dense(i, rows)
        phi, integral = scorer.exposure.dense(i, j * k + np.arange(k)), scorer.exposure.integral[j * k : j * k + k]

        for hop in np.eye(k):
            step = hop * 1e-4 / max(integral @ hop, 1.0)
            exact = float(np.log1p(step @ phi / rate).sum() - step @ integral)
            assert float(odds._ratio(counts, step)[j, i]) == pytest.approx(exact, abs=1e-6)
        gained = scorer.fit(i, mask | 1 << j).value - fit.value
        best = np.maximum(
            counts.seen[j, i] - counts.integral[j, i] / np.maximum(counts.per_strength[j, i], 1e-300), 0.0
        )
        if gained > 1.0 and best.all():
            maxima += 1
            at = counts.seen[j, i] / counts.integral[j, i] - 1.0 / counts.per_strength[j, i]
            assert float(odds._ratio(counts, at)[j, i]) == pytest.approx(gained, rel=1e-6)
    assert maxima > 0


def test_probabilities_are_means_over_laws() -> None:
    rng, v, strengths = np.random.default_rng(0), 4, np.linspace(0.0, -6.0, 7)
    ratios = 6.0 * rng.normal(size=(v, v, 7)) + 4.0
    may = limits(v)
    may.allowed[0, 1] = False
    found = odds.probabilities(ratios, strengths, may)
    assert found is not None and found[0, 1] == 0.0 and not found.diagonal().any()
    total, expected = 0.0, np.zeros((v, v))
    for centre in np.linspace(0.0, -6.0, odds.CENTRES):
        for width in odds.WIDTHS:
            law = np.exp(-0.5 * ((strengths - centre) / width) ** 2)
            ratio = np.where(may.allowed, np.exp(ratios) @ (law / law.sum()), 0.0)
            for share in odds.SHARES:
                pairs = [(j, i) for i in range(v) for j in range(i)]
                whole = {p: 1 - share + share / 2 * (ratio[p] + ratio[p[::-1]]) for p in pairs}
                possible = {p: 1 - share / 2 * (2 - may.allowed[p] - may.allowed[p[::-1]]) for p in pairs}
                likely = math.prod(whole[p] / possible[p] for p in pairs)  # given what knowledge forbids
                total += likely
                for (j, i), each in whole.items():
                    expected[j, i] += likely * share / 2 * ratio[j, i] / each
                    expected[i, j] += likely * share / 2 * ratio[i, j] / each
    np.testing.assert_allclose(found, expected / total, atol=1e-6)
    assert (found + found.T <= 1.0 + 1e-9).all()


def test_pairs_that_cannot_be_joined_say_nothing_of_others() -> None:
    rng, strengths = np.random.default_rng(3), np.linspace(0.0, -6.0, 7)
    few = 4.0 * rng.normal(size=(8, 8, 7)) + 1.0
    alone = odds.probabilities(few, strengths, limits(8))
    assert alone is not None
    many = np.full((30, 30, 7), -3.0)
    many[:8, :8] = few
    may = limits(30)
    may.allowed[8:] = may.allowed[:, 8:] = False
    beside = odds.probabilities(many, strengths, may)
    assert beside is not None
    np.testing.assert_allclose(beside[:8, :8], alone, atol=1e-12)


def test_evidence_of_ten_nats_is_asked_for() -> None:
    """Pairs that gain at one strength by so much each: the evidence grows with how many do."""
    strengths, found = np.linspace(0.0, -6.0, 7), []
    for n in range(0, 60, 4):
        ratios = np.full((12, 12, 7), -1.0)
        ratios.reshape(-1, 7)[np.flatnonzero(np.triu(np.ones((12, 12)), 1))[:n]] = 1.5
        found.append(odds.probabilities(ratios, strengths, limits(12)) is not None)
    assert not found[0] and found[-1] and found == sorted(found)
    assert 3 <= sum(not f for f in found) <= 10, "neither at once, nor where nearly all gain"


def test_one_storm_does_not_set_the_strengths_of_all(caught: Caught) -> None:
    scorer, found, _ = caught
    known = odds._strengths(scorer, found)
    assert known is not None
    i = int(np.argmax(found.adj.any(axis=0)))
    fit = scorer.fit(i, found.parents[i])
    scorer.memo[i, found.parents[i]] = fit._replace(alpha=np.where(fit.alpha > 0, 1e4 * fit.alpha, 0.0))
    stormy = odds._strengths(scorer, found)
    assert stormy is not None and stormy[0].max() < 20 * known[0].max()


def test_limits_end_the_odds(caught: Caught) -> None:
    scorer, found, limits_ = caught
    late, joined = odds.by_odds(scorer, found, limits_._replace(deadline=0.0))
    assert joined is None and not late.complete and (late.adj == found.adj).all()
    same, joined = odds.by_odds(scorer, found, limits_._replace(max_changes=10**6))
    assert joined is None and same is found
    assert odds.by_odds(scorer, found, limits_)[1] is not None
    ratios = np.full((9, 9, 7), 3.0)
    assert odds.probabilities(ratios, np.linspace(0.0, -6.0, 7), limits(9, deadline=0.0)) is None


def test_noise_says_nothing() -> None:
    weak = -np.exp(np.linspace(0.0, -6.0, 7))  # a pair that never gains
    assert odds.probabilities(np.broadcast_to(weak, (9, 9, 7)), np.linspace(0.0, -6.0, 7), limits(9)) is None


def test_edges_are_those_of_the_best_f1_where_all_of_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odds, "HELD", 1.0)
    rng, v = np.random.default_rng(1), 5
    for _ in range(50):
        joined = np.triu(rng.random((v, v)) ** rng.integers(1, 6), 1)
        adj = odds.best_f1(joined, np.zeros((v, v), dtype=bool), limits(v))
        flat = np.sort(joined[np.triu_indices(v, 1)])[::-1]
        f1 = [2 * flat[: n + 1].sum() / (n + 1 + flat.sum()) for n in range(len(flat))]
        assert 2 * joined[adj].sum() / (adj.sum() + joined.sum()) == pytest.approx(max(f1))


def test_further_edges_keep_to_the_limits() -> None:
    joined, none = np.full((4, 4), 0.9) - np.eye(4), np.zeros((4, 4), dtype=bool)
    chain = none.copy()
    chain[3, 2] = chain[2, 1] = True
    adj = odds.best_f1(joined, chain, limits(4))
    assert adj[3, 1] and (chain <= adj).all() and not (adj & adj.T).any() and cn.Graph(tuple("abcd"), adj).is_dag
    few = odds.best_f1(joined, none, limits(4, max_parents=1))
    assert few.sum(axis=0).max() == 1
    loose = odds.best_f1(joined, none, limits(4, acyclic=False))
    assert loose.sum() == 6 and not (loose & loose.T).any()


def test_they_lift_logs_of_few_events_and_leave_clear_ones() -> None:
    told, before = [], []
    for seed in range(6):
        log, truth = cascades(seed)
        learned = cn.discover(log, "thp")
        told.append(cn.score(truth, learned)["f1"])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(odds, "FEWEST", 10**6)
            plain = cn.discover(log, "thp")
        before.append(cn.score(truth, plain)["f1"])
        assert (plain.adj <= learned.adj).all()
        assert "probability" not in plain.explain(*plain.edges[0])
        new = [pair for pair in learned.edges if pair not in plain.edges]
        assert all(
            0.0 < learned.explain(*pair)["probability"] <= 1.0 and learned.explain(*pair)["rate_per_second"] > 0
            for pair in new
        )
    assert np.mean(told) > np.mean(before) + 0.01
    log, truth = cascades(0, 20_000, strength=(0.15, 0.45), parents=1.2)
    assert cn.score(truth, cn.discover(log, "thp"))["f1"] > 0.97


def test_knowledge_holds() -> None:
    log, _ = cascades(1)
    free = cn.discover(log, "thp")
    a, b = free.edges[-1]
    barred = cn.discover(log, "thp", knowledge=cn.Knowledge(forbidden=[(a, b)], required=[(b, a)]))
    assert (b, a) in barred.edges and (a, b) not in barred.edges and barred.is_dag
    assert cn.discover(log, "thp", max_parents=1).adj.sum(axis=0).max() <= 1
