"""Vector environments: whatever resets the copies and wherever their masks stand, the same is learned, resumably."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from agent_envs import Echo, Endless, Services  # noqa: E402
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv  # noqa: E402

import causalnet as cn  # noqa: E402
from causalnet.agents import D3QN, DQN, PPO  # noqa: E402
from causalnet.agents.single import gradient  # noqa: E402
from causalnet.agents.single import ppo as ppo_module  # noqa: E402
from causalnet.agents.single.episodes import episode_seed  # noqa: E402
from causalnet.agents.single.networks import ActorCritic  # noqa: E402
from causalnet.envs.actions import Parts  # noqa: E402
from causalnet.errors import DataError, NotApplicable  # noqa: E402
from causalnet.representation import VectorCausalMask  # noqa: E402

OPTIONS: dict[Any, dict[str, Any]] = {
    PPO: {"n_steps": 16, "epochs": 2, "hidden": (16,)},
    DQN: {"random_steps": 12, "hidden": (16,), "buffer_size": 120},
    D3QN: {"random_steps": 12, "hidden": (16,), "update_every": 2},
}


def vector(mode: Any = AutoresetMode.NEXT_STEP, n: int = 3, size: int = 6, **services: Any) -> Any:
    return SyncVectorEnv([partial(Services, size, **services)] * n, autoreset_mode=mode)


def learned(cls: Any, env: Any, steps: int = 120) -> Any:
    return cls(env, seed=3, **OPTIONS[cls]).learn(steps=steps)


def same(a: Any, b: Any) -> bool:
    x, y = a.network.arrays, b.network.arrays
    return a.updates == b.updates > 0 and all(np.array_equal(x[k], y[k]) for k in x)


# ---- the gradient written out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(6,), (3, 4, 2)])
@pytest.mark.parametrize("used", [None, [0, 3, 4, 5, 7, 8]])
def test_the_gradient_written_out_is_that_of_torch(sizes: tuple[int, ...], used: Any) -> None:
    rng, n, s = np.random.default_rng(0), sum(sizes), PPO(Echo(), entropy=0.05).settings
    network, part = ActorCritic(5, n, (8, 7), rng), np.repeat(np.arange(len(sizes)), sizes)
    for array in network.arrays.values():
        array += 0.3 * rng.standard_normal(array.shape).astype(np.float32)
    used = None if used is None or len(sizes) == 1 else np.array(used)
    part = part if used is None else part[used]
    x, mask = rng.standard_normal((30, 5)).astype(np.float32), rng.random((30, len(part))) < 0.6
    mask[:, np.flatnonzero(np.diff(part, prepend=-1))] = True
    taken = np.stack([[rng.choice(np.flatnonzero(row & (part == j))) for j in range(len(sizes))] for row in mask])
    advantage, target, old = (rng.standard_normal(30).astype(np.float32) for _ in range(3))
    data = gradient.Rollout(x, None, mask, used, gradient.Choices.of(part), taken, advantage, target)
    data.old = gradient.log_taken(network, data) + 0.3 * old
    rows = rng.permutation(30)[:20]
    told, grads = gradient.loss_and_gradient(network, data, rows, s)

    logits, value = network(network.prepare(x[rows]), None if used is None else torch.from_numpy(used), None)
    logits = logits.masked_fill(~torch.from_numpy(mask[rows]), torch.finfo(torch.float32).min)
    parts = [torch.log_softmax(logits[:, part == j], dim=1) for j in range(len(sizes))]
    logp = torch.cat(parts, dim=1)
    ratio = (logp.gather(1, torch.from_numpy(taken[rows])).sum(1) - torch.from_numpy(data.old[rows])).exp()
    a = torch.from_numpy(advantage[rows])
    a = (a - a.mean()) / (a.std() + 1e-8)
    gain = torch.minimum(ratio * a, ratio.clamp(1 - s.clip, 1 + s.clip) * a).mean()
    entropy = -sum((p.exp() * p).sum(1).mean() for p in parts)
    loss = -gain + s.value * ((value - torch.from_numpy(target[rows])) ** 2).mean() - s.entropy * entropy
    loss.backward()
    assert told[0] == pytest.approx(loss.item(), abs=1e-5) and told[3] == pytest.approx(-entropy.item(), abs=1e-5)
    for name, weight in network.weights.items():
        assert np.allclose(grads[name].reshape(weight.shape), weight.grad.numpy(), atol=1e-5), name


def test_one_part_is_what_ppo_loss_computes() -> None:
    agent = PPO(Services(dialect="method"), seed=0, **OPTIONS[PPO]).learn(steps=14)
    kept, network = agent.frames, agent.network
    rows = slice(0, kept.used)
    states, mask, taken = network.prepare(agent.scaler(kept.states(rows))), kept.masks(rows), kept.action[rows]
    advantage = np.random.default_rng(0).standard_normal(kept.used)
    data = ppo_module._Rollout.of(states, mask, taken, advantage, advantage)
    with torch.no_grad():
        data.old = ppo_module.judged(network, data, slice(None))[1]
    index = torch.arange(len(data.action))
    told = ppo_module.ppo_loss(network, data, index, agent.settings)[1]
    assert np.allclose(agent._written(states, mask, taken, advantage, advantage)(index.numpy()), told, atol=1e-6)


# ---- the same whatever the vector does ----------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [PPO, DQN, D3QN])
def test_the_same_is_learned_in_every_autoreset_mode(cls: Any) -> None:
    first = learned(cls, vector(dialect="info"))
    for mode in (AutoresetMode.SAME_STEP, AutoresetMode.DISABLED):
        assert same(first, learned(cls, vector(mode, dialect="info")))
    assert first.steps == 120 and first.episodes > 8


@pytest.mark.parametrize("cls", [PPO, DQN])
def test_masks_are_read_in_every_dialect(cls: Any) -> None:
    """Services refuses an action outside its mask, so a mask that is missed is an error."""
    runs = [learned(cls, vector(dialect=dialect)) for dialect in ("info", "method", "obs")]
    assert same(runs[0], runs[1]) and same(runs[0], runs[2])
    if cls is PPO:  # the mask of a last state is told in info and obs alone, and only bootstrapping DQN needs it
        assert same(runs[0], learned(cls, vector(AutoresetMode.SAME_STEP, dialect="method")))
    learned(DQN, vector(AutoresetMode.SAME_STEP, dialect="method"), 60)


def test_processes_learn_what_one_process_learns() -> None:
    for mode, memory in ((AutoresetMode.NEXT_STEP, True), (AutoresetMode.SAME_STEP, False)):
        env = AsyncVectorEnv([partial(Services, dialect="method")] * 2, autoreset_mode=mode, shared_memory=memory)
        try:
            runs = [learned(PPO, one, 96) for one in (vector(n=2, dialect="method"), env)]
        finally:
            env.close()
        assert same(*runs)


def test_episodes_are_those_of_one_environment_with_the_same_seeds() -> None:
    steps: list[Any] = []
    env = vector(AutoresetMode.SAME_STEP, n=2, size=14)
    agent = PPO(env, seed=1, n_steps=8, epochs=1, hidden=(8,)).learn(steps=100, on_step=steps.append)
    firsts = {}
    for number in range(agent._starts):
        obs, _ = Services(14).reset(seed=episode_seed(1, number))
        firsts[obs.tobytes()] = number
    for copy in range(2):
        one, at, whole = Services(14), None, []
        for step in (step for step in steps if step.copy == copy):
            if at is None:
                whole.append(firsts[step.obs.tobytes()])
                at, _ = one.reset(seed=episode_seed(1, whole[-1]))
            assert np.array_equal(step.obs, at)
            at, reward, terminated, truncated, _ = one.step(step.action)
            assert np.array_equal(at, step.next_obs) and reward == step.reward
            assert (terminated, truncated and not terminated) == (step.terminated, step.truncated)
            at = None if terminated or truncated else at
        assert len(whole) >= 4 and whole == sorted(whole)
    assert agent.frames.acted().sum() == 100 % 16  # what came after the last update


def test_a_vector_of_its_own_that_resets_by_itself() -> None:
    env = gymnasium.make_vec("CartPole-v1", 3, vectorization_mode="vector_entry_point")
    agent = DQN(env, seed=0, random_steps=10_000, hidden=(4,)).learn(steps=300)
    kept = agent.frames
    rows = np.flatnonzero(kept.acted())
    assert len(rows) == agent.steps and agent.episodes > 5 and (kept.reward[rows] == 1).all()
    moved = np.abs(kept.states(kept.after(rows)) - kept.states(rows))
    assert moved.max() < 0.8  # a step, never a reset from a fallen pole
    env.metadata = {}
    with pytest.raises(DataError, match="autoreset_mode"):
        PPO(env)


@pytest.mark.parametrize("truncates", [True, False])
def test_truncation_bootstraps_and_termination_does_not(truncates: bool) -> None:
    env = SyncVectorEnv([partial(Endless, 3, truncates)] * 4)
    agent = PPO(env, seed=0, gamma=0.8, lr=3e-3, hidden=(16,), scale_rewards=False, n_steps=16, gae_lambda=0.9)
    agent.learn(steps=2000)
    with torch.no_grad():
        worth = agent.network.values(agent.network.prepare(np.ones((1, 1), np.float32))).item()
    assert worth == pytest.approx(5.0 if truncates else 1.9, abs=0.4)


def test_copies_learn_what_is_to_be_learned() -> None:
    agent = PPO(SyncVectorEnv([Echo] * 8), seed=0, lr=2.5e-3, n_steps=16).learn(episodes=2500)
    assert [agent.predict(np.eye(4, dtype=np.float32)[k]) for k in range(4)] == [0, 1, 2, 3]
    assert agent.episodes == 2500


# ---- going on -----------------------------------------------------------------------------------------------------


def gated(mode: Any = AutoresetMode.NEXT_STEP) -> Any:
    graph = cn.Graph(Services().variables, Services().needs)
    return cn.CausalMask(vector(mode), graph, gate=True, eta=0.2)


@pytest.mark.parametrize("cls", [PPO, DQN])
@pytest.mark.parametrize("make", [partial(vector, dialect="method"), gated, partial(gated, AutoresetMode.SAME_STEP)])
def test_a_run_that_was_cut_goes_on_to_the_bit(cls: Any, make: Any, tmp_path: Any) -> None:
    whole, first = learned(cls, make(), 141), learned(cls, make(), 60)
    first.save(tmp_path / "agent.npz")
    first.learn(steps=81)
    again = cls.load(tmp_path / "agent.npz", make()).learn(steps=81)
    assert same(whole, first) and same(first, again) and whole._recent == again._recent == first._recent
    if isinstance(again.env, VectorCausalMask):
        assert (
            again.env.mask_state == whole.env.mask_state
            and again.env.gate.to_json()["logs"]["presence"]["shape"][0] > 20
        )


def test_checkpoints_between_episodes_of_the_same_step_lose_none(tmp_path: Any) -> None:
    env = SyncVectorEnv([partial(Endless, 3, True)] * 4)  # four episodes end at once
    whole = PPO(env, seed=0, n_steps=4, hidden=(4,)).learn(episodes=10)
    part = PPO(SyncVectorEnv([partial(Endless, 3, True)] * 4), seed=0, n_steps=4, hidden=(4,)).learn(episodes=5)
    part.save(tmp_path / "agent.npz")
    again = PPO.load(tmp_path / "agent.npz", SyncVectorEnv([partial(Endless, 3, True)] * 4)).learn(episodes=5)
    assert same(whole, again) and whole.episodes == again.episodes == 10


def test_an_agent_moves_between_one_environment_and_many(tmp_path: Any) -> None:
    many = learned(PPO, vector(dialect="info"))
    many.save(tmp_path / "many.npz")
    one = PPO.load(tmp_path / "many.npz", Services(dialect="info"))
    frame = cn.evaluate(one, Services(dialect="info"), 3)
    assert frame["return"].equals(cn.evaluate(many, Services(dialect="info"), 3)["return"])
    one.learn(steps=40)
    one.save(tmp_path / "one.npz")
    assert PPO.load(tmp_path / "one.npz", vector(n=5, dialect="info")).learn(steps=100).steps == 120 + 40 + 100


def test_what_does_not_follow_from_seeds_is_told(tmp_path: Any) -> None:
    class Drifting(Services):
        started = 0

        def reset(self, **told: Any) -> Any:
            Drifting.started += 1
            return super().reset(seed=Drifting.started)

    agent = learned(PPO, SyncVectorEnv([Drifting] * 2), 40)
    agent.save(tmp_path / "agent.npz")
    again = PPO.load(tmp_path / "agent.npz", SyncVectorEnv([Drifting] * 2))
    with pytest.warns(UserWarning, match="do not follow from the seed"):
        again.learn(steps=20)


def test_bad_copies_are_told() -> None:
    class Broken(Services):
        def step(self, action: Any) -> Any:
            obs, _, *rest = super().step(action)
            return obs, float("nan"), *rest

    with pytest.raises(DataError, match="step 0 of the copies, copy 0: the reward is nan"):
        PPO(SyncVectorEnv([Broken] * 2)).learn(steps=4)
    with pytest.raises(DataError, match="buffer_size=8 is too small for 3 copies; write at least 12"):
        DQN(vector(), buffer_size=8).learn(steps=4)
    with pytest.raises(NotApplicable, match="evaluate needs a Gymnasium environment, one copy, not a vector of them"):
        cn.evaluate(lambda *seen: 0, vector())


# ---- actions of several parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("actions", ["pair", "switches"])
def test_ppo_takes_actions_of_several_parts(actions: str, tmp_path: Any) -> None:
    """Services refuses what its mask forbids; one environment and a vector of them."""
    graph = cn.Graph(Services().variables, Services().needs)
    for env in (Services(actions=actions, dialect="method"), vector(actions=actions, dialect="info")):
        masked = cn.CausalMask(env, graph)
        agent = learned(PPO, masked, 96)
        assert agent.updates > 0
        agent.save(tmp_path / "agent.npz")
        again = PPO.load(tmp_path / "agent.npz", masked)
        obs, _ = Services(actions=actions).reset(seed=5)
        mask = np.asarray(cn.CausalMask(Services(actions=actions), graph).mask(obs))
        action = again.predict(obs, mask=mask)
        assert action.shape == masked.action_space.shape[-1:] and mask[again.reader.parts.columns(action)].all()
    frame = cn.evaluate(agent, cn.CausalMask(Services(actions=actions), graph), 3)
    assert (frame["invalid"] == 0).all()
    with pytest.raises(NotApplicable, match="needs a Discrete action space; this one has Multi"):
        DQN(Services(actions=actions))


def test_parts_learn_what_each_of_them_should_do() -> None:
    class Both(Echo):
        """Reward for each of two parts that equals the position, and for the switch left off."""

        def __init__(self) -> None:
            super().__init__()
            self.action_space = gymnasium.spaces.MultiDiscrete([4, 4, 2], start=[1, 0, 0])

        def step(self, action: Any) -> Any:
            obs, *_ = super().step(0)
            return obs, float(action[0] - 1 == self.k) + float(action[1] == self.k) - float(action[2]), True, False, {}

    agent = PPO(SyncVectorEnv([Both] * 8), seed=0, lr=2.5e-3, n_steps=16).learn(episodes=2500)
    for k in range(4):
        assert agent.predict(np.eye(4, dtype=np.float32)[k]).tolist() == [k + 1, k, 0]


def test_columns_of_actions_there_and_back() -> None:
    for space in (
        gymnasium.spaces.Discrete(5, start=2),
        gymnasium.spaces.MultiDiscrete([3, 2, 4], start=[0, 1, 5]),
        gymnasium.spaces.MultiBinary((2, 3)),
    ):
        parts = Parts.of(space)
        space.seed(0)
        drawn = [space.sample() for _ in range(20)]
        columns = np.stack([parts.columns(action) for action in drawn])
        assert (
            columns.min() >= 0
            and columns.max() < parts.n
            and (parts.part[columns] == np.arange(len(parts.sizes))).all()
        )
        assert all(
            np.array_equal(parts.action(c), a) and space.contains(parts.action(c))
            for c, a in zip(columns, drawn, strict=True)
        )
        assert np.array_equal(parts.actions(columns), np.stack(drawn))


# ---- other people's learners ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("actions", ["one", "pair", "switches"])
def test_maskable_ppo_takes_every_mask(actions: str) -> None:
    maskable = pytest.importorskip("sb3_contrib").MaskablePPO
    env = cn.CausalMask(Services(actions=actions), cn.Graph(Services().variables, Services().needs), obs_dict=True)
    told: dict[str, Any] = {"n_steps": 24, "batch_size": 12, "n_epochs": 1, "policy_kwargs": {"net_arch": [4]}}
    model = maskable("MultiInputPolicy", env, seed=0, device="cpu", **told).learn(24)
    frame = cn.evaluate(model, env, 2)
    assert env.n_invalid == 0 and (frame["invalid"] == 0).all() and set(frame["mode"]) == {"best"}


def test_recurrent_ppo_takes_dictionaries_with_a_mask_inside() -> None:
    recurrent = pytest.importorskip("sb3_contrib").RecurrentPPO
    env = cn.CausalMask(Services(dialect="obs"), cn.Graph(Services().variables, Services().needs), obs_dict=True)
    env.env.dialect = "quiet"  # actions outside the mask are passed on and counted
    env.env.told = partial(Services.told, env.env)
    told: dict[str, Any] = {"n_steps": 24, "batch_size": 12, "n_epochs": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert recurrent("MultiInputLstmPolicy", env, seed=0, device="cpu", **told)
