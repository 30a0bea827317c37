"""Causal masks from transitions: calibrated tests, exact masks on the wireless grid, any backend, bad input."""

from __future__ import annotations

import dataclasses
import math
from functools import partial
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from causalnet.data.rollouts import collect
from causalnet.data.transitions import Transitions, as_transitions, pool
from causalnet.envs.networked import Line
from causalnet.envs.networked.wireless import Wireless, action_places, gsac_grid, lin_grid, true_masks
from causalnet.errors import DataError, UnknownNameError
from causalnet.graph import Graph, Knowledge
from causalnet.graph.causal_masks import CausalMasks, offset_relations, own_frame, sample_law
from causalnet.representation.acr import policy_acr, raw_sizes, sizes, value_acr
from causalnet.representation.mask_search import learn_masks, reward_codes
from causalnet.representation.recovery import recovery_rates
from causalnet.representation.two_slice import masks_by, unroll
from causalnet.search.balancing import _cells, balanced_test
from causalnet.search.parents import exact_moments, find_parents, stratified_test

GRID = gsac_grid(3, distractors=True)
FRAME = own_frame(GRID.adjacency, action_places(GRID))
PACKETS = ("b_1", "b_2")  # z_2 never changes, so nothing can be learned about its causes


def sources(
    seed: int, trajectories: int, p: tuple[float, ...] = (0.2, 0.5, 0.8), q: tuple[float, ...] = (0.5, 0.5, 0.5)
) -> Transitions:
    return pool(
        [
            collect(
                gsac_grid(3, arrival=a, success=b, n_envs=trajectories, distractors=True),
                seed=100 * seed + k,
                domain=f"p={a}, q={b}",
            )
            for k, (a, b) in enumerate(zip(p, q, strict=True))
        ]
    )


# ---- the test ---------------------------------------------------------------------------------------------


def test_moments_are_those_of_permuted_columns(rng: np.random.Generator) -> None:
    for rows in (4, 8, 12, 40):
        x = np.concatenate([[0, 1, 2], rng.integers(0, 3, rows - 3)]).astype(np.int32)
        y = np.concatenate([[0, 1], rng.integers(0, 2, rows - 2)]).astype(np.int32)
        whole, first = np.arange(rows), np.array([0, rows])
        drawn = np.array([exact_moments(x, rng.permutation(y), 3, 2, whole, first) for _ in range(8000)])
        assert drawn[:, 0].mean() == pytest.approx(drawn[0, 1], rel=0.03)
        assert drawn[:, 0].var() == pytest.approx(drawn[0, 2], rel=0.12, abs=1e-9)


def test_level_holds_in_thin_strata_where_g_squared_fails(rng: np.random.Generator) -> None:
    rejected = {"exact": 0, "g2": 0}
    for _ in range(400):
        strata = rng.integers(0, 300, 3000).astype(np.int32)  # ten rows in each
        x, y = ((rng.random(3000) < chance).astype(np.int32) for chance in (0.4, 0.2))
        for test in rejected:
            rejected[test] += stratified_test(x, y, strata[None], test)[2] < math.log(0.05)
    assert rejected["exact"] <= 36  # 20 expected, standard deviation 4.4
    assert rejected["g2"] >= 350


def test_grow_shrink_finds_causes_that_show_only_together(rng: np.random.Generator) -> None:
    columns = rng.integers(0, 2, (6, 4000)).astype(np.int32)
    columns[2] = np.where(rng.random(4000) < 0.9, columns[0], columns[2])  # a proxy of the cause 0
    columns[5] = np.where(columns[0] == 1, columns[1], rng.random(4000) < 0.3)
    found = find_parents(columns, 5, range(5))
    assert set(found.members) == {0, 1}
    assert all(found.log_p[k] < math.log(1e-3) for k in (0, 1))
    columns[3] = np.arange(4000)
    with pytest.raises(DataError, match="column 3 has 4000 states"):
        find_parents(columns, 5, range(5))
    with pytest.raises(UnknownNameError, match="there is no test 'g'"):
        find_parents(columns, 5, range(5), test="g")


@pytest.mark.parametrize("count", [2, 4])
def test_balancing_tells_a_direct_effect_from_one_through_many(rng: np.random.Generator, count: int) -> None:
    domain = rng.integers(0, count, 6000).astype(np.int32)
    chance = np.linspace(0.4, 0.6, count)
    load = rng.binomial(10, chance[domain])
    score = load[:, None] * np.log(chance) + (10 - load[:, None]) * np.log(1 - chance)
    through = (rng.random(6000) < 0.9 - 0.08 * load).astype(np.int32)
    direct = (rng.random(6000) < np.linspace(0.4, 0.6, count)[domain]).astype(np.int32)
    none = np.zeros((0, 6000), np.int32)
    assert stratified_test(domain, through, none)[2] < math.log(1e-6)
    assert balanced_test(through, domain, score, none) > math.log(0.01)
    assert balanced_test(direct, domain, score, none) < math.log(1e-6)


def test_cells_hold_like_rows(rng: np.random.Generator) -> None:
    ratios = rng.normal(size=(6400, 2)) * [3.0, 1.0]
    cells = _cells(ratios)
    sizes_ = np.bincount(cells)
    assert sizes_.size == 10 and sizes_.max() <= 2 * sizes_.min()  # sqrt(6400) / 8 of them
    spread = [ratios[cells == k].std(axis=0) for k in range(10)]
    assert np.mean(spread, axis=0)[0] < 0.25 * 3.0  # the wide one is halved first
    tied = np.repeat(rng.normal(size=(3, 2)), [5000, 300, 1], axis=0)
    found = _cells(tied)
    assert len(np.unique(np.column_stack([tied, found]), axis=0)) == 3 and set(found) == {0, 1, 2}
    assert (_cells(np.zeros((50, 3))) == 0).all()


# ---- the wireless grid ------------------------------------------------------------------------------------


def kernel_masks(env: Wireless) -> CausalMasks:
    """The masks by brute force: does the exact local law change when one input alone does?"""
    n, c = env.n_agents, env.radices.shape[1]
    own, domain = np.zeros((n, c + 1, c + 1), bool), np.zeros((n, c + 1), bool)
    other = np.zeros((env.adjacency.nnz, c + 1, c + 1), bool)
    for i in range(n):
        kernel = env.local_kernel(i)
        m, bits = len(kernel.neighbours), tuple(env.radices[i][::-1])
        components = [
            kernel.probability.reshape(*kernel.probability.shape[:-1], *bits).sum(
                axis=tuple(2 * m + c - 1 - k for k in range(c) if k != target)
            )
            for target in range(c)
        ]
        for target, law in enumerate([*components, kernel.reward[..., None]]):
            for place, j in enumerate(kernel.neighbours):
                where = (
                    own[i] if j == i else other[env.adjacency.indptr[i] + np.searchsorted(env.adjacency[i].indices, j)]
                )
                states = law.reshape(*law.shape[:place], *bits, *law.shape[place + 1 :])
                for source in range(c):
                    where[target, source] = np.ptp(states, axis=place + c - 1 - source).max() > 1e-12
                where[target, c] = np.ptp(law, axis=m + place).max() > 1e-12
        changed = env.in_domain(0.9).local_kernel(i)
        for k in range(c):
            axes = tuple(2 * m + c - 1 - x for x in range(c) if x != k)
            old, new = (
                x.probability.reshape(*x.probability.shape[:-1], *bits).sum(axis=axes) for x in (kernel, changed)
            )
            domain[i, k] = np.abs(old - new).max() > 1e-12
        domain[i, c] = np.abs(kernel.reward - changed.reward).max() > 1e-12
    return CausalMasks(own, other, domain, env.adjacency, env.component_names)


@pytest.mark.parametrize(
    "env",
    [
        gsac_grid(2, arrival=0.4),
        gsac_grid(2, arrival=0.4, ghost=True),
        gsac_grid(1, arrival=0.4, deadline=3, distractors=True),
        lin_grid(2, 2, per_cell=1, arrival=0.4, place_success=0.5),
    ],
    ids=["gsac", "ghost", "alone", "lin"],
)
def test_true_masks_are_those_of_the_exact_kernels(env: Wireless) -> None:
    truth, brute = true_masks(env), kernel_masks(env)
    names = [name for name in env.component_names if name != "z_2"]  # constant: its law cannot change
    assert sum(brute.wrong(truth, names).values()) == 0


def test_exact_masks_from_20_trajectories() -> None:
    """Distractors gone, domain factor found where it acts and nowhere else, own components, own and others' actions."""
    rate = recovery_rates(
        sources, partial(learn_masks, frame=FRAME), true_masks(GRID), [20], range(30), components=PACKETS
    )[0]
    assert rate["distractors and domain"] >= 0.9 and rate["own and actions"] >= 0.9
    assert rate["rows"] == 600


def test_every_entry_from_100_trajectories() -> None:
    learn = partial(learn_masks, frame=FRAME)
    rate = recovery_rates(sources, learn, true_masks(GRID), [100], range(6), components=PACKETS)[0]
    assert rate["every entry"] == 1.0
    masks = learn(sources(9, 100))
    assert masks.meta["untested"] == ["z_2 of every agent"] and masks.own[:, 2, 2].all()
    raw = raw_sizes(masks.neighbours, 4)
    assert np.array_equal(2 * sizes(value_acr(masks, 1)), raw) and np.array_equal(2 * sizes(policy_acr(masks)), raw)


def test_offsets_do_without_knowing_access_points() -> None:
    relation = offset_relations(GRID.adjacency, np.column_stack(np.divmod(np.arange(9), 3)))
    assert np.unique(relation).size == 8
    learn = partial(learn_masks, relation=relation)
    rates = recovery_rates(sources, learn, true_masks(GRID), [20, 100], range(4), components=PACKETS)
    assert rates[0]["distractors and domain"] == 1.0 and rates[1]["own and actions"] == 1.0


def test_each_agent_on_its_own() -> None:
    learn = partial(learn_masks, pooling="none")
    rate = recovery_rates(sources, learn, true_masks(GRID), [100], range(3), components=PACKETS)[0]
    assert rate["distractors and domain"] == 1.0
    assert rate["wrong"]["own"] == rate["wrong"]["own_action"] == 0


def test_both_domain_factors_when_both_vary() -> None:
    """p acts on the newest slot, q on the reward and the slot that a success empties; a 2 x 2 design tells them apart."""
    truth, learn = true_masks(GRID, ("arrival", "success")), partial(learn_masks, frame=FRAME)
    for size, seeds, least in ((20, 30, 0.9), (100, 3, 1.0)):
        (rate,) = recovery_rates(
            lambda seed, count: sources(seed, count, (0.3, 0.7, 0.3, 0.7), (0.3, 0.3, 0.7, 0.7)),
            learn,
            truth,
            [size],
            range(seeds),
            components=PACKETS,
        )
        assert rate["distractors and domain"] >= least and rate["own and actions"] >= least
    only_q = sources(1, 60, (0.5, 0.5, 0.5), (0.2, 0.5, 0.8))
    assert learn_masks(only_q, frame=FRAME).wrong(true_masks(GRID, ("success",)), PACKETS)["domain"] == 0


def test_a_domain_that_acts_through_a_neighbour_alone_does_not_act() -> None:
    """y_i' copies the neighbour's x four times in five, and x is what the domain moves."""
    rng = np.random.default_rng(0)
    domain = rng.integers(0, 2, 3000)
    x = (rng.random((3000, 2)) < np.where(domain == 1, 0.8, 0.2)[:, None]).astype(int)
    copied = np.where(rng.random((3000, 2)) < 0.8, x[:, ::-1], 1 - x[:, ::-1])
    noise = rng.integers(0, 2, (4, 3000, 2))
    fields = {
        "states": np.stack([x, noise[0]], 2),
        "next_states": np.stack([noise[1], copied], 2),
        "actions": noise[2],
        "rewards": noise[3],
        "domain": domain,
    }
    masks = learn_masks(as_transitions(fields, nx.path_graph(2), components=["x", "y"]))
    assert masks.other[:, 1, 0].all() and masks.other.sum() == 2 and not masks.own.any() and not masks.domain.any()


def test_distractors_are_counted_with_and_without_their_own_targets() -> None:
    truth = true_masks(GRID)
    own = truth.own.copy()
    own[:, 0, 2] = True  # z_1 acts on b_1, wrongly; that it acts on itself is no such claim
    wrong = CausalMasks(own, truth.other, truth.domain, truth.neighbours, truth.components)
    assert wrong.wrong(truth)["distractors"] == wrong.wrong(truth, PACKETS)["distractors"] == 9
    with pytest.raises(UnknownNameError, match=r"no component 'b_3'\. Did you mean 'b_"):
        wrong.wrong(truth, ["b_3"])


def test_numbering_and_order_do_not_matter() -> None:
    data, order = sources(3, 20), np.random.default_rng(0).permutation(9)
    moved = as_transitions(
        {name: getattr(data, name)[:, order] for name in ("states", "actions", "rewards", "next_states")}
        | {"domain": data.domain},
        data.neighbours[order][:, order],
        components=data.components,
    )
    places = action_places(GRID)[order]
    found, again = learn_masks(data, frame=FRAME), learn_masks(moved, frame=own_frame(moved.neighbours, places))
    assert np.array_equal(found.own[order], again.own) and np.array_equal(found.domain[order], again.domain)


def test_law_of_the_paper() -> None:
    assert sample_law(20, 4, 9, 0.05, 0.1) == pytest.approx(20 * 4 * math.log(20 * 9 / 0.05) / 0.01)
    with pytest.raises(DataError, match="sample_law needs"):
        sample_law(20, 4, 9, 0.05, 0.0)


# ---- any backend ------------------------------------------------------------------------------------------


def small(seed: int, rows: int = 3000) -> tuple[Transitions, CausalMasks]:
    """Two agents: x' copies x or the neighbour's action, y' is omega, y rewards; z is constant."""
    rng = np.random.default_rng(seed)
    x, y, a = (rng.integers(0, 2, (rows, 2)) for _ in range(3))
    domain = rng.integers(0, 2, rows)
    nx_ = np.where(rng.random((rows, 2)) < 0.5, x, a[:, ::-1])
    ny = (rng.random((rows, 2)) < np.where(domain == 1, 0.8, 0.3)[:, None]).astype(int)
    z = np.ones_like(x)
    fields = {
        "states": np.stack([x, y, z], 2),
        "next_states": np.stack([nx_, ny, z], 2),
        "actions": a,
        "rewards": y * (rng.random((rows, 2)) < 0.7),
        "domain": domain,
    }
    data = as_transitions(fields, nx.path_graph(2), components=["x", "y", "z"])
    own, other, factor = np.zeros((2, 4, 4), bool), np.zeros((2, 4, 4), bool), np.zeros((2, 4), bool)
    own[:, 0, 0] = own[:, 3, 1] = other[:, 0, 3] = factor[:, 1] = True
    return data, CausalMasks(own, other, factor, data.neighbours, data.components)


def test_two_slices_and_what_is_known_of_them() -> None:
    data, _ = small(0)
    part = unroll(data, 0)
    assert part.table.columns == ("x", "y", "action", "x@0", "y@0", "action@0", "domain", "x'", "y'", "reward")
    assert part.constants == ("z", "z@0", "z'") and part.copies == ()
    allowed, _ = part.knowledge.compile(part.table.columns)
    assert allowed[:7, 7:].all() and not allowed[:7, :7].any() and not allowed[7:].any()
    assert unroll(data, [0, 1]).table.n == 2 * data.rows
    for agents in (2, 0.5, []):
        with pytest.raises(DataError, match="agents run from 0 to 1"):
            unroll(data, agents)  # type: ignore[arg-type]
    for name in ("domain", "reward", "action", "x@0", "x'"):
        renamed = dataclasses.replace(data, components=("x", "y", name))
        with pytest.raises(DataError, match=f"component name .{name}. means something else"):
            unroll(renamed, 0)


@pytest.mark.parametrize(("backend", "discrete"), [("pc", True), ("notears", False)])
def test_backends_supply_the_masks(backend: str, discrete: bool) -> None:
    import causalnet as cn

    data, truth = small(1)
    options = {"ci_test": "g2", "alpha": 0.001} if backend == "pc" else {"threshold": 0.1, "l1": 0.01}
    found = masks_by(data, partial(cn.discover, backend=backend, **options), discrete=discrete)
    assert sum(found.wrong(truth).values()) == 0
    assert sum(learn_masks(data).wrong(truth).values()) == 0


def test_own_function_supplies_the_masks_and_is_held_to_the_knowledge() -> None:
    data, truth = small(2)

    def true_graph(table: object, knowledge: Knowledge) -> Graph:
        names = ("x", "y", "action", "x@0", "y@0", "action@0", "domain", "x'", "y'", "reward")
        return Graph.from_edges(names, [("x", "x'"), ("action@0", "x'"), ("domain", "y'"), ("y", "reward")])

    assert sum(masks_by(data, true_graph).wrong(truth).values()) == 0

    def backwards(table: object, knowledge: Knowledge) -> Graph:
        return Graph.from_edges(true_graph(table, knowledge).nodes, [("x'", "x")])

    with pytest.raises(ValueError, match="ruled out by the knowledge"):
        masks_by(data, backwards)
    with pytest.raises(DataError, match="what discover returned for agent 0 is 3, and must be a Graph"):
        masks_by(data, lambda table, knowledge: 3)  # type: ignore[arg-type,return-value]
    with pytest.raises(DataError, match="discover is None, and must be a function"):
        masks_by(data, None)  # type: ignore[arg-type]
    with pytest.raises(
        DataError, match=r"discover is 'ges', .* functools.partial\(causalnet.discover, backend='ges'\)"
    ):
        masks_by(data, "ges")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"and is called with \(table, knowledge=\)"):
        masks_by(data, lambda table: Graph.empty(table.columns))


# ---- bad input --------------------------------------------------------------------------------------------


def test_one_domain_is_warned_about_and_none_refused() -> None:
    data, _ = small(0, 500)
    with pytest.warns(UserWarning, match="transitions of one domain"):
        assert not learn_masks(data.of_domain(0)).domain.any()
    with pytest.warns(UserWarning, match="transitions of one domain"):  # the other is named, but has no rows left
        learn_masks(data.take(np.flatnonzero(data.domain == 0)))
    with pytest.raises(DataError, match="no source domains"):
        pool([])


def test_isolated_agents_have_masks_of_their_own() -> None:
    data, _ = small(0)
    lonely = as_transitions(
        {name: getattr(data, name) for name in ("states", "actions", "rewards", "next_states", "domain")},
        nx.empty_graph(2),
        components=data.components,
    )
    masks = learn_masks(lonely)
    assert masks.other.shape == (0, 4, 4) and masks.own[:, 0, 0].all()


def test_settings_are_checked() -> None:
    data, truth = small(0, 50)
    with pytest.raises(DataError, match="pooling is 'all'; write one of agents, none"):
        learn_masks(data, pooling="all")
    for delta in (0.0, 1.0, -1):
        with pytest.raises(DataError, match=r"delta is .*, and must be"):
            learn_masks(data, delta=delta)
    with pytest.raises(DataError, match="delta is 'small', and must be a number"):
        learn_masks(data, delta="small")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"transitions is \{\}, and must be Transitions, see as_transitions"):
        learn_masks({})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="relation has shape"):
        learn_masks(data, relation=[0])
    with pytest.raises(DataError, match="frame is a table of whole numbers"):
        learn_masks(data, frame=np.zeros((2, 1), int))
    with pytest.raises(DataError, match="different networks"):
        truth.wrong(true_masks(GRID))
    with pytest.raises(DataError, match="places has shape"):
        own_frame(GRID.adjacency, np.zeros(9))
    with pytest.raises(DataError, match="own has shape"):
        CausalMasks(truth.own[:1], truth.other, truth.domain, truth.neighbours, truth.components)


def test_masks_say_yes_or_no_of_named_components_on_any_kind_of_network() -> None:
    truth = small(0, 50)[1]
    given = {name: getattr(truth, name) for name in ("own", "other", "domain", "neighbours", "components")}
    for network in (truth.neighbours.toarray(), nx.path_graph(2), truth.neighbours.tocoo()):
        assert sum(CausalMasks(**{**given, "neighbours": network}).wrong(truth).values()) == 0
    assert CausalMasks(**{**given, "own": truth.own.astype(float)}).own.dtype == bool
    for change, message in (
        ({"own": truth.own * 0.5}, r"own holds .*0\.5.*; a mask is yes or no"),
        ({"domain": np.full((2, 4), np.nan)}, "domain holds .*nan"),
        ({"components": ("x", "x", "z")}, "components names 'x' twice"),
        ({"components": None}, "components takes a list of names, not None"),
        ({"neighbours": None}, "the network is a NoneType"),
        ({"neighbours": nx.path_graph(3)}, r"of shape \(3, 3\), and there are 2 agents"),
    ):
        with pytest.raises(DataError, match=message):
            CausalMasks(**{**given, **change})  # type: ignore[arg-type]
    assert truth.wrong(truth, components="x") == truth.wrong(truth, ["x"])
    with pytest.raises(DataError, match="truth is None, and must be the CausalMasks"):
        truth.wrong(None)  # type: ignore[arg-type]


def test_frames_need_access_points() -> None:
    assert np.array_equal(own_frame(GRID.graph, action_places(GRID)), FRAME)
    with pytest.raises(DataError, match="there are 1 agents"):
        own_frame(nx.path_graph(3), [[0]])
    with pytest.raises(DataError, match="the network is a NoneType"):
        own_frame(None, None)  # type: ignore[arg-type]
    for env in (None, Line(4)):
        for call in (action_places, true_masks):
            with pytest.raises(DataError, match=f"env is {type(env).__name__}, and must be a Wireless network"):
                call(env)  # type: ignore[arg-type]


def test_rewards_become_categories() -> None:
    assert reward_codes(np.array([0.0, 0.5, 0.5, 1.0])).tolist() == [0, 1, 1, 2]
    codes = reward_codes(np.linspace(0, 1, 100))
    assert np.abs(np.bincount(codes, minlength=4) - 25).max() <= 1


def test_neighbours_actions_in_the_agents_own_codes() -> None:
    """Users side by side share two access points; action 2 of the left one is action 1 of the right one."""
    env = gsac_grid(1, 2)
    frame = own_frame(env.adjacency, action_places(env))
    assert frame.tolist() == [[0, 2, 5, 4, 5], [0, 5, 1, 5, 3]]
    for (i, j), row in zip(((0, 1), (1, 0)), frame, strict=True):
        places = action_places(env)
        for a, b in combinations(range(5), 2):
            assert (row[a] == b) == (places[j, a] == places[i, b])


def test_few_rows_are_told_and_senseless_limits_refused() -> None:
    data = small(0)[0]
    with pytest.warns(UserWarning, match="masks from 6 pooled rows: .* nats .* collect .* rows or more"):
        found = learn_masks(data.take(np.arange(3)))
    assert not found.own.any() and found.meta["pooled_rows"] == 6
    with pytest.raises(DataError, match="no transitions to learn masks from"):
        learn_masks(data.take(np.arange(0)))
    for name, value in [("max_rows", 0), ("reward_bins", 0), ("max_cond", -1), ("max_cond", 0.5), ("max_rows", 2.5)]:
        with pytest.raises(DataError, match=f"{name} is {value}, and must be a whole number from . up"):
            learn_masks(data, **{name: value})
