"""Transitions: what is accepted, what is kept, and what every kind of bad input is told."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from causalnet.agents.networked.adaptation import compact_view, full_masks
from causalnet.data.rollouts import collect
from causalnet.data.transitions import Transitions, as_transitions, from_rollouts, pool
from causalnet.envs.networked import TabularEnv, TabularNetwork
from causalnet.envs.networked.wireless import gsac_grid
from causalnet.errors import DataError, NotApplicable, UnknownNameError

LINE = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])


def fields(rng: np.random.Generator, rows: int = 6, n: int = 3, c: int = 2) -> dict[str, np.ndarray]:
    return {
        "states": rng.integers(0, 3, (rows, n, c)),
        "actions": rng.integers(0, 2, (rows, n)),
        "rewards": rng.random((rows, n)),
        "next_states": rng.integers(0, 3, (rows, n, c)),
    }


def test_frozen_copied_and_named(rng: np.random.Generator) -> None:
    given = fields(rng)
    data = as_transitions(given, LINE, components=["x", "y"])
    given["states"][:] = 7
    assert data.states.max() < 3
    assert (data.rows, data.n_agents, data.n_components) == (6, 3, 2)
    assert data.components == ("x", "y") and data.domains == ("domain0",) and data.agents == ("0", "1", "2")
    with pytest.raises(ValueError, match="read-only"):
        data.actions[0, 0] = 1
    assert repr(data) == "Transitions(6 rows x 3 agents x 2 components, 1 domain)"


def test_one_component_may_leave_its_axis_out(rng: np.random.Generator) -> None:
    given = fields(rng)
    given = {**given, "states": given["states"][..., 0], "next_states": given["next_states"][..., 0]}
    assert as_transitions(given, LINE).states.shape == (6, 3, 1)


@pytest.mark.parametrize("missing", ["states", "actions", "rewards", "next_states"])
def test_missing_fields_are_named(rng: np.random.Generator, missing: str) -> None:
    given = fields(rng)
    del given[missing]
    with pytest.raises(DataError, match=f"lack '{missing}'"):
        as_transitions(given, LINE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rewards": np.full((6, 3), np.nan)}, "rewards is nan in row 0, agent 0 .18 such values."),
        ({"states": np.full((6, 3, 2), np.inf)}, "states is inf in row 0"),
        ({"states": np.full((6, 3, 2), 0.5)}, "holds 0.5 at .0, 0, 0.; it takes whole codes"),
        ({"actions": np.full((6, 3), -1)}, "code -1 at .0, 0."),
        ({"actions": np.full((6, 3), 70000)}, "codes run from 0 to 65535"),
        ({"actions": np.zeros((6, 2), int)}, r"actions has shape .6, 2., and must have .6, 3."),
        ({"next_states": np.zeros((5, 3, 2), int)}, "next_states has shape"),
        ({"rewards": [["a"] * 3] * 6}, "no number"),
        ({"domain": np.arange(5)}, "domain is a whole number from 0 up for each of 6 rows"),
        ({"states": np.zeros((0, 3, 2), int)}, "none of them 0"),
        ({"states": np.full((6, 3, 2), 1e300)}, "holds the code 1e.300 at .0, 0, 0."),
        ({"actions": [[0, 1, 1]] * 5 + [[0]]}, "actions holds something that is no number"),
        ({"rewards": None}, "rewards is nan in all of it"),
        ({"episode": np.full(6, 2**40)}, "episode runs from 1099511627776"),
        ({"step": np.full(6, -1)}, "step runs from -1 to -1; it takes numbers from 0 to 2147483647"),
        ({"domain": np.full(6, 10**9)}, "domain runs from 1000000000"),
        ({"states": np.zeros((6, 3, 2), int).astype(str)}, "states holds something that is no number"),
        (
            {"states": np.arange(36).reshape(6, 3, 2), "step": np.arange(6)},
            "next_states of row 0 differs from states of row 1",
        ),
    ],
)
def test_impossible_values_are_named(rng: np.random.Generator, change: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_transitions({**fields(rng), **change}, LINE)


def test_rows_join_where_steps_say_so_and_only_there(rng: np.random.Generator) -> None:
    given = fields(rng)
    given["next_states"][[0, 1, 3, 4]] = given["states"][[1, 2, 4, 5]]  # two episodes of three steps
    as_transitions({**given, "step": [0, 1, 2, 0, 1, 2]}, LINE)
    as_transitions({**given, "step": np.arange(6), "episode": [0, 0, 0, 1, 1, 1]}, LINE)
    as_transitions({**given, "step": np.arange(6), "domain": [0, 0, 0, 1, 1, 1]}, LINE)
    with pytest.raises(DataError, match=r"row 2 differs from states of row 3, .* \(1 such rows\)"):
        as_transitions({**given, "step": np.arange(6)}, LINE)


def test_domains_that_do_not_occur_have_no_name(rng: np.random.Generator) -> None:
    data = as_transitions({**fields(rng), "domain": [5, 5, 2, 5, 5, 2]}, LINE)
    assert data.domains == ("domain2", "domain5") and data.domain.tolist() == [1, 1, 0, 1, 1, 0]
    assert as_transitions({**fields(rng), "domain": [5] * 6}, LINE).domains == ("domain5",)
    assert as_transitions({**fields(rng), "domain": [1] * 6}, LINE, domains=["a", "b"]).domains == ("a", "b")


def test_what_is_no_transitions_is_told(rng: np.random.Generator) -> None:
    data = as_transitions(fields(rng), LINE)
    env = gsac_grid(2, n_envs=2)
    for call, message in (
        (lambda: as_transitions(None, LINE), "fields is NoneType, and must be a dict with states"),  # type: ignore[arg-type]
        (lambda: as_transitions(fields(rng), None), "the network is a NoneType"),
        (lambda: pool(data), "parts is Transitions.*must be a list"),  # type: ignore[arg-type]
        (lambda: pool([data, None]), "pool takes a list of Transitions"),  # type: ignore[list-item]
        (lambda: data.take([0.5]), "rows are whole numbers from 0 to 5"),  # type: ignore[arg-type]
        (lambda: data.take([10**6]), "rows are whole numbers from 0 to 5, .* 1000000"),  # type: ignore[arg-type]
        (lambda: collect(env, "random", seed=0), "policy is 'random', and must be a function"),  # type: ignore[arg-type]
        (lambda: collect(env, seed=0, steps=1000), "steps is 1000, and episodes of this environment end after 10"),
        (lambda: collect(env, seed=None), "seed is None, and must be a whole number"),  # type: ignore[arg-type]
    ):
        with pytest.raises(DataError, match=message):
            call()
    with pytest.raises(NotApplicable, match="collect needs a Gymnasium environment"):
        collect(None, seed=0)
    assert data.take(np.array([True] + [False] * 5)).rows == 1 and data.take(np.arange(0)).rows == 0


def test_misspelt_field(rng: np.random.Generator) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'episode'"):
        as_transitions({**fields(rng), "epsiode": np.zeros(6, int)}, LINE)


def test_networks(rng: np.random.Generator) -> None:
    given = fields(rng)
    graph = nx.path_graph(3)
    same = as_transitions(given, graph).neighbours
    assert (same != as_transitions(given, sparse.csr_matrix(LINE)).neighbours).nnz == 0
    arcs = nx.DiGraph()
    arcs.add_nodes_from(range(3))
    arcs.add_edge(0, 1)
    assert as_transitions(given, arcs).neighbours[1, 0]  # 0 reaches 1
    assert as_transitions(given, nx.empty_graph(3)).neighbours.nnz == 0  # isolated agents are fine
    assert as_transitions(given, np.eye(3)).neighbours.nnz == 0  # being one's own neighbour goes without saying
    with pytest.raises(DataError, match=r"entry \(0, 1\) of the network is 2.5"):
        as_transitions(given, LINE * 2.5)
    with pytest.raises(DataError, match="3 agents"):
        as_transitions(given, np.zeros((4, 4)))


def test_pool_keeps_every_row_and_tells_domains_apart(rng: np.random.Generator) -> None:
    parts = [as_transitions(fields(rng), LINE, domains=[name]) for name in ("a", "b", "a")]
    data = pool(parts)
    assert data.domains == ("a", "b", "a#2") and data.rows == 18
    for k, part in enumerate(parts):
        again = data.of_domain(k)
        assert np.array_equal(again.states, part.states) and np.array_equal(again.rewards, part.rewards)
    assert data.of_domain("b").domains == ("b",)
    with pytest.raises(UnknownNameError, match="no domain 'c'"):
        data.of_domain("c")
    for bad in (3, -1, 1.5, True, None):
        with pytest.raises(DataError, match=f"domain is {bad}, and must be a whole number from 0 to 2"):
            data.of_domain(bad)  # type: ignore[arg-type]
    twice = pool([as_transitions(fields(rng), LINE, domains=[name]) for name in ("a", "a#2", "a")])
    assert len(set(twice.domains)) == 3
    with pytest.raises(DataError, match="no source domains"):
        pool([])
    with pytest.raises(DataError, match="part 1 has other agents"):
        pool([parts[0], as_transitions(fields(rng), np.zeros((3, 3)))])


def test_weights_of_a_graph_are_refused_as_those_of_a_matrix(rng: np.random.Generator) -> None:
    with pytest.raises(DataError, match=r"edge 1 - 2 of the network has weight 0\.3"):
        as_transitions(fields(rng), nx.Graph([(0, 1), (1, 2, {"weight": 0.3})]))
    ones = as_transitions(fields(rng), nx.Graph([(0, 1, {"weight": 1}), (1, 2)]))
    assert ones.neighbours.nnz == 4


def test_networks_of_tables_are_collected_and_seen_compactly() -> None:
    env = TabularEnv(TabularNetwork.random(nx.path_graph(3), 0, n_states=3), n_envs=4, horizon=5)
    data = collect(env, seed=0)
    assert data.rows == 20 and data.components == ("state",) and data.n_agents == 3
    view, conditioned = compact_view(env, full_masks(data.neighbours, data.components))
    assert view.tolist() == [[0, 1, 2]] * 3 and conditioned.all()


def test_rollouts_join_each_state_to_the_next(rng: np.random.Generator) -> None:
    path = rng.integers(0, 4, (5, 8, 3, 2))
    data = from_rollouts(path, rng.integers(0, 2, (5, 7, 3)), rng.random((5, 7, 3)), LINE)
    assert data.rows == 35
    row = int(np.flatnonzero((data.episode == 3) & (data.step == 4))[0])
    assert np.array_equal(data.states[row], path[3, 4]) and np.array_equal(data.next_states[row], path[3, 5])
    moves = rng.integers(0, 2, (5, 7, 3))
    gains = rng.random((5, 7, 3))
    assert np.array_equal(from_rollouts(path, moves, gains, LINE).rewards[3 * 7 + 4], gains[3, 4])
    for a, r in (
        (np.zeros((5, 8, 3), int), rng.random((5, 8, 3))),
        (moves, gains.swapaxes(0, 1)),
        (moves, gains.ravel()),
    ):
        with pytest.raises(DataError, match="rollouts need states"):
            from_rollouts(path, a, r, LINE)
    with pytest.raises(DataError, match="none of them 0"):
        from_rollouts(path[:0], moves[:0], gains[:0], LINE)


def test_collect_repeats_and_explores() -> None:
    env = gsac_grid(3, arrival=0.5, n_envs=30, distractors=True)
    first, second = (collect(env, seed=4, domain="p") for _ in range(2))
    assert isinstance(first, Transitions) and first.rows == 300 and first.domains == ("p",)
    assert np.array_equal(first.next_states, second.next_states) and np.array_equal(first.actions, second.actions)
    assert not np.array_equal(collect(env, seed=5).actions, first.actions)
    assert np.abs(np.bincount(first.actions.ravel(), minlength=5) / 2700 - 0.2).max() < 0.05
    idle = collect(env, lambda s, rng: np.zeros_like(s), seed=4)
    assert not idle.actions.any() and not idle.rewards.any()
    with pytest.raises(DataError, match="batch of environments"):
        collect(gsac_grid(3), seed=0)
