"""PPO, DQN and D3QN: masks, targets, returns and inputs by hand; learning on environments whose answer is known."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from agent_envs import Echo, Endless, Repair, TwoSteps  # noqa: E402

from causalnet.agents import D3QN, DQN, PPO  # noqa: E402
from causalnet.agents.single import dqn as dqn_module  # noqa: E402
from causalnet.agents.single import gradient  # noqa: E402
from causalnet.agents.single import ppo as ppo_module  # noqa: E402
from causalnet.agents.single.masked import masked_argmax, masked_log_softmax, masked_max  # noqa: E402
from causalnet.agents.single.networks import ActionValues, compact  # noqa: E402
from causalnet.envs.actions import Parts  # noqa: E402
from causalnet.envs.masks import some_mask  # noqa: E402
from causalnet.errors import DataError  # noqa: E402

LEARNERS = [PPO, DQN, D3QN]


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def global_state() -> np.ndarray:
    return np.random.get_state()[1].copy()  # noqa: NPY002


def same(a: Any, b: Any) -> bool:
    x, y = a.network.arrays, b.network.arrays
    return x.keys() == y.keys() and all(np.array_equal(x[k], y[k]) for k in x)


# ---- masks -------------------------------------------------------------------------------------------------------


def test_a_forbidden_action_has_probability_and_gradient_zero() -> None:
    logits = torch.tensor([[1.0, 50.0, -2.0]], requires_grad=True)
    mask = torch.tensor([[True, False, True]])
    logp = masked_log_softmax(logits, mask)
    p = logp.exp()
    assert p[0, 1].item() == 0 and p.sum().item() == pytest.approx(1)
    (logp[0, 0] - (p * logp).sum()).backward()
    assert logits.grad[0, 1] == 0 and torch.isfinite(logits.grad).all() and (logits.grad[0, [0, 2]] != 0).all()
    assert masked_max(logits, mask).item() == 1 and masked_argmax(logits, mask).item() == 0


@pytest.mark.parametrize("function", [masked_log_softmax, masked_max, masked_argmax])
def test_a_row_without_an_allowed_action_is_an_error(function: Any) -> None:
    mask = torch.tensor([[True, True], [False, False]])
    with pytest.raises(DataError, match="row 1"):
        function(torch.zeros(2, 2), mask)


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (np.ones(3, bool), r"shape \(3,\)"),
        (np.zeros(4, bool), "allows no action"),
        (np.array([0, 1, 2, 0]), "such as 2"),
        (np.array([0, np.nan, 1, 0]), "such as nan"),
    ],
)
def test_masks_of_the_wrong_kind(mask: np.ndarray, told: str) -> None:
    with pytest.raises(DataError, match=told):
        some_mask(mask, Parts.of(gymnasium.spaces.Discrete(4)), "step 3")


def known_values(dueling: bool) -> ActionValues:
    """Q = (1, 2, 9) everywhere (duelling: up to the mean, with V the mean)."""
    network = ActionValues(2, 3, (4,), dueling, np.random.default_rng(0))
    for array in network.arrays.values():
        array[...] = 0
    network.arrays["advantage_bias"][...] = [1, 2, 9]
    if dueling:
        network.arrays["value_bias"][...] = 4
    return network


@pytest.mark.parametrize("dueling", [False, True])
@pytest.mark.parametrize("double", [False, True])
def test_targets_use_the_next_mask_after_the_duelling_mean(double: bool, dueling: bool) -> None:
    q, states = known_values(dueling), compact(np.ones((2, 2), np.float32))
    mask = np.array([[True, True, False], [True, True, True]])
    best = dqn_module.next_values(q if double else None, q, states, mask)
    assert best.tolist() == [2, 9]
    assert dqn_module.next_values(None, q, states, mask[[0, 0]]).tolist() == [2, 2]  # none allows the third action
    assert q(states, None, None).tolist() == [[1, 2, 9]] * 2


def test_forbidden_weights_never_move() -> None:
    class Forbidden(Echo):
        def action_masks(self) -> np.ndarray:
            return np.array([True, False, True, True])

    for cls in (PPO, DQN):
        agent = cls(Forbidden(), seed=3, **({"n_steps": 32} if cls is PPO else {"random_steps": 16}))
        name = "policy" if cls is PPO else "advantage"
        before = agent.network.arrays[name].copy()
        agent.learn(steps=128)
        moved = (agent.network.arrays[name] != before).any(axis=1)
        assert moved.tolist() == [True, False, True, True]


@pytest.mark.parametrize("network", ["mlp", "cells"])
@pytest.mark.parametrize("cls", LEARNERS)
def test_a_mask_that_allows_all_changes_nothing(cls: Any, network: str) -> None:
    runs = [cls(Repair(masks=masks), seed=2, network=network).learn(steps=260) for masks in ("all", None)]
    assert same(*runs) and runs[0]._recent == runs[1]._recent and runs[0].updates > 0


@pytest.mark.parametrize("network", ["mlp", "cells"])
def test_the_ratio_is_one_before_the_first_update(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    real = ppo_module.ppo_loss

    def spy(net: Any, data: Any, index: Any, s: Any) -> Any:
        told.append((ppo_module.judged(net, data, index)[1] - data.old[index]).abs().max().item())
        return real(net, data, index, s)

    written = gradient.loss_and_gradient

    def spy_too(net: Any, data: Any, rows: Any, s: Any) -> Any:
        told.append(np.abs(gradient.log_taken(net, data) - data.old)[rows].max())
        return written(net, data, rows, s)

    monkeypatch.setattr(ppo_module, "ppo_loss", spy)
    monkeypatch.setattr(gradient, "loss_and_gradient", spy_too)

    class Drawn(Repair):  # masks that are drawn anew at each look must be the stored ones in the update
        def action_masks(self) -> np.ndarray:
            return (self.c > 0).ravel() & (self.np_random.random(30) < 0.5) | (np.arange(30) == self.t)

    PPO(Drawn(masks=None), seed=0, network=network, n_steps=64, epochs=1).learn(steps=64)
    assert told[0] < 1e-6


# ---- returns -----------------------------------------------------------------------------------------------------


def test_advantages_by_hand() -> None:
    """Rows: a, b | end, truncated; c (terminated) | end; d, cut."""
    acted = np.array([1, 1, 0, 1, 0, 1, 0], bool)
    terminated = np.array([0, 0, 0, 1, 0, 0, 0], bool)
    reward, values = np.array([1.0, 2, 0, 3, 0, 4, 0]), np.array([10.0, 20, 30, 40, 50, 60, 70])
    found = ppo_module.gae(acted, reward, terminated, values, 0.5, 0.5)
    b = 2 + 0.5 * 30 - 20
    a = 1 + 0.5 * 20 - 10 + 0.25 * b
    assert found.tolist() == [a, b, 0, 3 - 40, 0, 4 + 0.5 * 70 - 60, 0]


@pytest.mark.parametrize("cls", LEARNERS)
@pytest.mark.parametrize("truncates", [True, False])
def test_truncation_bootstraps_and_termination_does_not(cls: Any, truncates: bool) -> None:
    """Reward 1 for 3 steps in one state, gamma 0.8: worth 5 if it only stops being watched, about 1.9 on average if it ends."""
    more = {"n_steps": 64, "gae_lambda": 0.9} if cls is PPO else {"target_rate": 0.05, "epsilon": 1.0}
    agent = cls(Endless(3, truncates), seed=0, gamma=0.8, lr=3e-3, hidden=(16,), scale_rewards=False, **more)
    agent.learn(steps=3000 if cls is PPO else 1500)
    x = compact(np.ones((1, 1), np.float32))
    with torch.no_grad():
        value = agent.network.values(x)[0] if cls is PPO else agent.network(x, None, None).mean()
    if truncates:
        assert value == pytest.approx(5, abs=0.4)
    else:
        assert 1.2 < value < 2.9


@pytest.mark.parametrize("cls", LEARNERS)
def test_values_are_discounted_over_two_steps(cls: Any) -> None:
    more = {"n_steps": 32} if cls is PPO else {"target_rate": 0.1, "epsilon": 0.5}
    agent = cls(TwoSteps(), seed=1, gamma=0.5, lr=5e-3, hidden=(16,), scale_rewards=False, **more)
    agent.learn(steps=1000)
    x = compact(np.eye(2, dtype=np.float32))
    with torch.no_grad():
        values = agent.network.values(x) if cls is PPO else agent.network(x, None, None).mean(dim=1)
    assert values.tolist() == pytest.approx([0.5, 1.0], abs=0.12)


# ---- learning ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", LEARNERS)
def test_the_echo_is_learnt(cls: Any) -> None:
    agent = cls(Echo(), seed=0, lr=3e-3, hidden=(32,), **({"n_steps": 64} if cls is PPO else {}))
    agent.learn(steps=1200)
    assert [agent.predict(row) for row in np.eye(4, dtype=np.float32)] == [0, 1, 2, 3]


@pytest.mark.parametrize("cls", LEARNERS)
@pytest.mark.parametrize("network", ["mlp", "cells"])
def test_only_allowed_actions_are_ever_taken(cls: Any, network: str) -> None:
    taken = []
    agent = cls(Repair(), seed=0, network=network)
    agent.learn(episodes=15, on_step=lambda s: taken.append(bool(s.mask[s.action])))
    assert all(taken) and len(taken) == agent.steps
    rng = np.random.default_rng(0)
    for deterministic in (True, False):
        for _ in range(100):
            obs = (rng.random(30) < 0.1).astype(np.float32)
            obs[rng.integers(30)] = 1
            assert obs[agent.predict(obs, deterministic=deterministic)] > 0


def test_learning_beats_chance_as_the_oracle_does() -> None:
    """The same environment and work for sb3-contrib's MaskablePPO: returns of the last quarter, three seeds."""
    sb3 = pytest.importorskip("sb3_contrib")

    class Watched(gymnasium.Wrapper):
        returns: list[float]

        def reset(self, **more: Any) -> Any:
            self.returns = [*getattr(self, "returns", []), 0.0]
            return self.env.reset(**more)

        def step(self, action: Any) -> Any:
            out = self.env.step(action)
            self.returns[-1] += float(out[1])
            return out

    ours, theirs, chance = [], [], []
    for seed in range(3):
        returns: list[float] = []
        common = {"batch_size": 64, "gamma": 0.99}
        agent = PPO(
            Contextual(), seed=seed, network="mlp", hidden=(32, 32), n_steps=128, lr=1e-3, scale_rewards=False, **common
        )
        agent.learn(steps=2560, on_episode=lambda e, returns=returns: returns.append(e.return_) and None)
        ours.append(np.mean(returns[-40:]))
        chance.append(np.mean(returns[:20]))
        watched = Watched(Contextual())
        more = {"learning_rate": 1e-3, "n_epochs": 10, "ent_coef": 0.01, "policy_kwargs": {"net_arch": [32, 32]}}
        sb3.MaskablePPO("MlpPolicy", watched, n_steps=128, seed=seed, device="cpu", **common, **more).learn(2560)
        theirs.append(np.mean(watched.returns[-40:]))
    assert np.mean(ours) > np.mean(chance) + 1.2
    assert np.mean(ours) > np.mean(theirs) - 0.5


class Contextual(gymnasium.Env):
    """Ten steps an episode: the best of the three allowed actions (of 12) depends on the state; 1 if taken, else 0."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (12,), np.float32)
    action_space = gymnasium.spaces.Discrete(12)

    def _look(self) -> np.ndarray:
        self.x = self.np_random.uniform(-1, 1, 12).astype(np.float32)
        self.m = np.zeros(12, bool)
        self.m[self.np_random.choice(12, 3, replace=False)] = True
        return self.x.copy()

    def action_masks(self) -> np.ndarray:
        return self.m

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.t = 0
        return self._look(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.t += 1
        reward = float(action == np.where(self.m, self.x, -2).argmax())
        return self._look(), reward, False, self.t == 10, {}


def test_the_paper_preset_updates_when_the_paper_does() -> None:
    seen = []
    agent = PPO(Echo(), preset="paper")
    agent.learn(steps=1024, on_step=lambda s: seen.append(agent.updates))
    assert np.flatnonzero(np.diff(seen)).tolist() == [767] and agent.updates == 100
    assert agent.settings.hidden == (128, 128) and agent.settings.n_steps == 256
    learner = DQN(Echo(), preset="paper", epsilon=0.0)
    assert learner.epsilon == 1.0 and learner.learn(steps=520).updates == 2


@pytest.mark.parametrize("cls", LEARNERS)
def test_nothing_ambient_is_touched(cls: Any) -> None:
    before, state, torch_state = global_state(), torch.get_num_threads(), torch.get_rng_state()
    assert same(cls(Repair(), seed=5).learn(steps=150), cls(Repair(), seed=5).learn(steps=150))
    assert not same(cls(Repair(), seed=5).learn(steps=150), cls(Repair(), seed=6).learn(steps=150))
    assert np.array_equal(global_state(), before) and torch.get_num_threads() == state
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (torch.tensor([1e-39]) * 1.0).item() > 0  # denormals are numbers again
