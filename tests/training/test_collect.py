"""Data from play: any environment whose actions act on variables gives interactions, transitions and a graph."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torch")

from agent_envs import Echo, Services
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import causalnet as cn
from causalnet.backends import att_bic
from causalnet.data import Interactions, Transitions, collect
from causalnet.graph import Graph
from causalnet.graph.confidence import Confidence
from causalnet.representation import CausalMask, Gate, GraphPosterior, component_graph, learn_masks, learn_posterior
from causalnet.training import learn_by_doing

NAMES, NEEDS = Services().variables, Services().needs


def by_hand(obs: Any) -> np.ndarray:
    return np.asarray(obs) > 0


class Bare(gymnasium.Wrapper):
    """Services that tell nothing of variables."""

    @property
    def unwrapped(self) -> Any:
        return self


HOW: dict[str, Any] = {"variables": NAMES, "action_variables": [*range(6), -1], "present": by_hand}


@pytest.mark.parametrize("mode", [None, AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_rows_are_what_was_played_episode_by_episode(mode: Any) -> None:
    env = Services() if mode is None else SyncVectorEnv([Services] * 3, autoreset_mode=mode)
    data = collect(env, seed=1, episodes=9)
    moves = collect(env, seed=1, episodes=9, kind="transitions")
    assert isinstance(data, Interactions) and isinstance(moves, Transitions)
    assert data.variables == moves.components == NAMES and data.units == moves.agents == ("unit",)
    assert np.array_equal(data.before[:, 0], moves.states[:, 0]) and np.array_equal(data.after, moves.next_states)
    assert np.array_equal(np.unique(moves.episode), np.arange(9))
    first = moves.step == 0
    assert first.sum() == 9 and np.array_equal(data.after[:-1][~first[1:]], data.before[1:][~first[1:]])
    lengths = np.bincount(moves.episode)
    ended = ~data.after[np.cumsum(lengths) - 1].any(axis=(1, 2))
    assert (ended | (lengths == 12)).all()
    nothing = data.variable == -1
    assert nothing.any() and np.array_equal(moves.actions[:, 0], data.variable + 1)
    on = np.flatnonzero(~nothing)
    assert not data.after[on, 0, data.variable[on]].any()  # a restart leaves its service well
    wanted = -2.0 * data.after[:, 0].mean(axis=1) - 0.3 * ~nothing
    assert np.allclose(moves.rewards[:, 0], wanted)
    again = collect(env, seed=1, episodes=9)
    assert np.array_equal(again.before, data.before) and np.array_equal(again.variable, data.variable)
    assert collect(env, seed=2, steps=50).n == 50


@pytest.mark.filterwarnings("ignore:transitions of one domain")
def test_the_graph_is_in_what_was_collected() -> None:
    env = SyncVectorEnv([partial(Services, steps=40)] * 4)
    data, moves = (collect(env, seed=0, steps=1500, kind=kind) for kind in ("interactions", "transitions"))
    truth = cn.Graph(NAMES, NEEDS)
    learned, found = cn.discover(data, "att-bic"), component_graph(learn_masks(moves))
    assert found.nodes == NAMES and cn.score(truth, found)["f1"] > 0.9
    assert learned.nodes == NAMES and cn.score(truth, learned)["precision"] == 1.0
    for graph in (learned, found):
        assert CausalMask(Services(), graph).reset(seed=0)[1]["action_mask"].any()


def test_the_map_may_be_given_and_policies_are_played() -> None:
    told = collect(Bare(Services()), seed=3, steps=40, **HOW)
    assert np.array_equal(told.before, collect(Services(), seed=3, steps=40).before)
    masked = CausalMask(Services(), None)
    agent = cn.PPO(masked, seed=0, hidden=(4,))
    for policy in (agent, lambda obs, mask, rng: int(np.flatnonzero(mask)[0])):
        data = collect(masked, policy, seed=0, steps=30)
        present = data.before[np.arange(30), 0, data.variable] > 0
        assert (present | (data.variable == -1)).all()


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: collect(Services()), cn.DataError, "say how much to collect"),
        (lambda: collect(Services(), steps=3, episodes=3), cn.DataError, "give one of them"),
        (lambda: collect(Services(), steps=0), cn.DataError, "steps is 0"),
        (lambda: collect(Services(), steps=3, kind="table"), cn.CausalnetError, "kind"),
        (lambda: collect(Services(), steps=3, variabels=NAMES), cn.DataError, "no argument 'variabels'"),
        (lambda: collect(Echo(), steps=3), cn.NotApplicable, "collect reads action_units.*or give variables"),
        (lambda: collect(Echo(), steps=3, variables=NAMES), cn.DataError, "give action_variables="),
        (lambda: collect("Pumps-v0", steps=3), cn.NotApplicable, "collect needs a Gymnasium environment"),
        (lambda: collect(Services(actions="switches"), steps=30), cn.NotApplicable, "several variables at once"),
        (lambda: collect(Services(), 3, steps=3), cn.NotApplicable, "a policy is a function"),
    ],
)
def test_what_cannot_be_collected_is_told(make: Any, error: Any, told: str) -> None:
    with pytest.raises(error, match=told):
        make()


# ---- learning by doing wherever a mask fits ------------------------------------------------------------------------


def doing(folder: Any = None, episodes: int = 12, env: Any = None, **how: Any) -> Any:
    how = {"discovery": att_bic.init(NAMES), "checkpoint_every": 4, "n_steps": 32, "hidden": (8,), "epochs": 2, **how}
    return learn_by_doing(Services() if env is None else env, "ppo", episodes=episodes, folder=folder, **how)


def test_every_environment_that_masks_can_learn_its_graph() -> None:
    run, bare = doing(), doing(env=Bare(Services()), **HOW)
    assert run.env.mask.k == bare.env.mask.k == "roots" and bare.graph.nodes == NAMES
    assert [row.total for row in run.rows] == [row.total for row in bare.rows]
    assert np.array_equal(run.graph.adj, bare.graph.adj)
    with pytest.raises(cn.NotApplicable, match="learn_by_doing needs a Discrete action space"):
        doing(env=Services(actions="pair"))
    with pytest.raises(cn.NotApplicable, match="one copy, not a vector"):
        doing(env=SyncVectorEnv([Services] * 2))


def test_a_gate_goes_on_where_the_run_was_cut(tmp_path: Any) -> None:
    whole = doing(gate=True, eta=0.1)
    doing(tmp_path, 7, gate=True, eta=0.1)
    parts = doing(tmp_path, gate=True, eta=0.1)
    assert parts.rows == whole.rows and parts.env.mask_state == whole.env.mask_state
    assert whole.env.gate.evidence != 0.0


def test_a_checkpoint_holds_what_the_gate_has_learned(tmp_path: Any) -> None:
    def masked() -> Any:
        return CausalMask(Services(), Graph(NAMES, NEEDS), gate=Gate(), eta=0.3)

    whole = cn.DQN(masked(), seed=0, hidden=(8,)).learn(episodes=16)
    part = cn.DQN(masked(), seed=0, hidden=(8,)).learn(episodes=9)
    part.save(tmp_path / "agent.npz")
    fresh = masked()
    again = cn.DQN.load(tmp_path / "agent.npz", fresh)
    assert fresh.mask_state == part.env.mask_state and fresh.gate.evidence == part.env.gate.evidence != 0.0
    again.learn(episodes=7)
    assert again._recent == whole._recent and fresh.mask_state == whole.env.mask_state
    plain = cn.DQN.load(tmp_path / "agent.npz", CausalMask(Services(), None))  # a mask without a gate keeps the rest
    assert plain.episodes == 9


# ---- masks that know their doubt ----------------------------------------------------------------------------------


def test_doubt_of_every_kind_masks_services() -> None:
    truth, rng = Graph(NAMES, NEEDS), np.random.default_rng(0)
    share = np.where(NEEDS, 0.7, 0.0)
    samples = rng.random((20, 6, 6)) < share
    kinds = [truth, GraphPosterior(NAMES, samples), [truth, Graph(NAMES, np.zeros((6, 6), bool))]]
    kinds.append(Confidence(NAMES, share, 0.2 * (NEEDS | NEEDS.T), 10))  # what edge_confidence gives
    for env in (Services(), SyncVectorEnv([Services] * 2)):
        for doubtful in kinds:
            masked = CausalMask(env, doubtful)
            masked.reset(seed=1)
            masks = np.atleast_2d(masked.action_masks())
            failed = np.atleast_2d([one.failed for one in getattr(env, "envs", [env])])
            assert masks[:, -1].all() and not (masks[:, :-1] & ~failed).any() and masks[:, :-1].any()
    with pytest.raises(cn.DataError, match="the posterior is empty"):
        CausalMask(Services(), [])
    with pytest.raises(cn.UnknownNameError, match="not the environment's variables"):
        CausalMask(Services(), Graph(("a", "b"), np.zeros((2, 2), bool)))
    circle = np.roll(np.eye(6, dtype=bool), 1, axis=1)
    with pytest.warns(UserWarning, match="the graph has the cycle s0 -> s1"):
        kept = CausalMask(Services(), Graph(NAMES, circle)).mask.kept(np.ones(6, bool))
    assert kept.all()


def test_copies_are_masked_as_one_environment_is() -> None:
    graph = Graph(NAMES, NEEDS)
    for mode in AutoresetMode:
        many = CausalMask(SyncVectorEnv([Services] * 2, autoreset_mode=mode), graph, eta=0.5, obs_dict=True)
        alone = [CausalMask(Services(), graph, eta=0.5) for _ in range(2)]
        obs, info = many.reset(seed=[5, 9])
        live = [one.reset(seed=seed)[1]["action_mask"] for one, seed in zip(alone, (5, 9), strict=True)]
        assert many.single_observation_space["action_mask"].shape == (7,)
        for _ in range(30):
            assert np.array_equal(info["action_mask"], live) and np.array_equal(obs["action_mask"], live)
            actions = [int(np.flatnonzero(mask)[0]) for mask in live]
            obs, _, terminated, truncated, info = many.step(np.array(actions))
            over = terminated | truncated
            live = [one.step(action)[4]["action_mask"] for one, action in zip(alone, actions, strict=True)]
            if over.any():
                ended = int(np.flatnonzero(over)[0])
                last = info["final_info"]["action_mask"] if mode == AutoresetMode.SAME_STEP else info["action_mask"]
                assert np.array_equal(last[ended], live[ended]) or terminated[ended]
                break
        assert many.n_invalid == 0


def test_waiting_shows_what_a_prompt_repair_hides() -> None:
    """A failure that is repaired before it spreads tells nothing of whom it reaches."""

    def prompt(obs: Any, mask: Any, rng: np.random.Generator) -> int:
        failed = np.flatnonzero(mask[:-1])
        return int(rng.choice(failed)) if len(failed) else len(mask) - 1

    found = {"waits": [], "prompt": []}
    for seed in range(4):
        env = cn.envs.Services(10, seed=seed)
        for name, policy in (("waits", None), ("prompt", prompt)):
            data = collect(CausalMask(env, None), policy, steps=500, seed=seed)
            found[name].append(cn.score(env.true_graph, learn_posterior(data).graph())["f1"])
    assert np.mean(found["waits"]) > 0.9 > 0.5 > np.mean(found["prompt"]), found
