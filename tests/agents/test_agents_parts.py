"""What PPO, DQN and D3QN are made of: networks, the ring of states, the loop with its hooks, and what it refuses."""

from __future__ import annotations

import csv
import dataclasses
import math
from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from agent_envs import Echo, Endless, Repair  # noqa: E402

import causalnet.envs  # noqa: E402, F401  (registers the alarms)
from causalnet.agents import D3QN, DQN, PPO, CsvLogger, TensorBoardLogger  # noqa: E402
from causalnet.agents.single import dqn as dqn_module  # noqa: E402
from causalnet.agents.single import ppo as ppo_module  # noqa: E402
from causalnet.agents.single.cells import CellActionValues, CellActorCritic, need_layout  # noqa: E402
from causalnet.agents.single.frames import Frames  # noqa: E402
from causalnet.agents.single.networks import ActionValues, ActorCritic  # noqa: E402
from causalnet.agents.single.optimiser import Adam  # noqa: E402
from causalnet.errors import DataError, NotApplicable, UnknownNameError  # noqa: E402
from causalnet.representation import CausalMask  # noqa: E402

LEARNERS = [PPO, DQN, D3QN]


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_adam_is_that_of_torch_to_the_bit() -> None:
    def descended(make: Any) -> list[Any]:
        torch.manual_seed(0)
        weights, x = [torch.nn.Parameter(torch.randn(n)) for n in (7, 3, 2)], torch.randn(7)
        optimiser = make(weights)  # the third weight never has a gradient, the second not at every step
        for k in range(30):
            for weight in weights:
                weight.grad = None
            (((weights[0] - x) ** 2).sum() + (0.0 if k % 3 else (weights[1] ** 4).sum())).backward()
            optimiser.step()
        return weights

    mine = descended(lambda weights: Adam(weights, 1e-2, 1e-5))
    theirs = descended(lambda weights: torch.optim.Adam(weights, lr=1e-2, eps=1e-5, fused=True))
    assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))


def same(a: Any, b: Any) -> bool:
    x, y = a.network.arrays, b.network.arrays
    return x.keys() == y.keys() and all(np.array_equal(x[k], y[k]) for k in x)


# ---- networks ----------------------------------------------------------------------------------------------------


def networks() -> list[tuple[Any, str]]:
    rng, layout = np.random.default_rng(0), need_layout(Repair(), 30, 30)
    made: list[tuple[Any, str]] = [
        (ActorCritic(30, 30, (8, 8), rng), "policy"),
        (CellActorCritic(layout, (8, 8), rng), "policy"),
    ]
    for dueling in (False, True):
        made.append((ActionValues(30, 30, (8, 8), dueling, rng), "value"))
        made.append((CellActionValues(layout, (8, 8), dueling, rng), "value"))
    for network, _ in made:
        for array in network.arrays.values():
            array += 0.3 * rng.standard_normal(array.shape).astype(np.float32)
    return made


@pytest.mark.parametrize(("network", "kind"), networks())
@pytest.mark.parametrize("density", [0.1, 0.9])
def test_one_state_in_numpy_is_a_row_of_the_batch(network: Any, kind: str, density: float) -> None:
    rng = np.random.default_rng(1)
    x = (rng.random((5, 30)) < density).astype(np.float32) * rng.integers(1, 9, (5, 30)).astype(np.float32)
    allowed, mask = np.array([0, 7, 29]), np.zeros((5, 30), bool)
    mask[:, [0, 7, 29]] = True
    used = torch.tensor(allowed)
    with torch.no_grad():
        batch = network.prepare(x)
        full = network(batch, None, None)[0] if kind == "policy" else network.ranking(batch, None, None)
        part_mask = torch.ones(5, 3, dtype=torch.bool)
        part = network(batch, used, part_mask)[0] if kind == "policy" else network.ranking(batch, used, part_mask)
        if kind == "value":
            q = network(batch, None, None)
            assert torch.allclose(
                network.of(batch, torch.tensor([3, 1, 4, 1, 5])), q[range(5), [3, 1, 4, 1, 5]], atol=1e-5
            )
    for row, state in enumerate(x):
        assert np.allclose(network.single(state, None), full[row].numpy(), atol=1e-5)
        assert np.allclose(network.single(state, allowed), part[row].numpy(), atol=1e-5)
        assert np.allclose(part[row].numpy(), full[row].numpy()[allowed], atol=1e-5)


@pytest.mark.parametrize("dueling", [False, True])
def test_cells_do_not_care_which_device_is_which(dueling: bool) -> None:
    rng, layout = np.random.default_rng(0), need_layout(Repair(), 30, 30)
    x, order = rng.integers(0, 3, (2, 6, 5)).astype(np.float32), rng.permutation(6)
    for network in (CellActorCritic(layout, (8,), rng), CellActionValues(layout, (8,), dueling, rng)):
        with torch.no_grad():
            a = network(network.prepare(x.reshape(2, 30)), None, None)
            b = network(network.prepare(x[:, order].reshape(2, 30)), None, None)
        a, b = (t[0] if isinstance(t, tuple) else t for t in (a, b))
        assert torch.allclose(a.view(2, 6, 5)[:, order], b.view(2, 6, 5), atol=1e-5)


def test_duelling_takes_the_mean_over_all_actions() -> None:
    network = ActionValues(30, 30, (8, 8), True, np.random.default_rng(0))
    x = network.prepare(np.random.default_rng(1).random((4, 30), np.float32))
    with torch.no_grad():
        v, _ = network._hidden(x)
        value = v @ network.weights["value"][0] + network.weights["value_bias"]
        assert torch.allclose(network(x, None, None).mean(dim=1), value, atol=1e-5)


def test_the_network_follows_from_the_environment() -> None:
    assert PPO(Repair()).settings.network == "cells" and PPO(Echo()).settings.network == "mlp"
    assert PPO(Repair(), network="mlp").settings.hidden == (128, 128)
    for name in ("action_variables", "action_units"):
        idle = Repair()
        setattr(idle, name, np.where(np.arange(30) == 29, -1, getattr(idle, name)))  # an action on no cell
        assert PPO(idle).settings.network == "mlp" and D3QN(idle).settings.network == "mlp"
        with pytest.raises(NotApplicable, match="action_units"):
            PPO(idle, network="cells")
    with pytest.raises(NotApplicable, match="action_units"):
        DQN(Echo(), network="cells")


# ---- experience --------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_the_ring_keeps_what_was_put_in(lengths: list[int], capacity: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames, wanted, states, time = Frames(capacity, 2, 9, True), {}, 0, 0
    for length in lengths:
        x, mask = np.array([time, 0], np.float32), rng.random(9) < 0.5
        frames.begin(x, mask)
        states += 1
        for _ in range(length):
            time += 1
            following, next_mask, ended = (
                np.array([time, 0.5], np.float32),
                rng.random(9) < 0.5,
                bool(rng.random() < 0.2),
            )
            frames.add(time % 9, float(time), ended, following, next_mask)
            wanted[states - 1] = (x, mask, time % 9, float(time), ended, following, next_mask)
            states, x, mask = states + 1, following, next_mask
    copy = Frames(capacity, 2, 9, True)
    copy.from_arrays({k: v.copy() for k, v in frames.to_arrays().items()})
    oldest = max(0, states - capacity)
    kept = {k % capacity: v for k, v in wanted.items() if k >= oldest}
    for ring in (frames, copy):
        assert set(np.flatnonzero(ring.action[: ring.used] >= 0)) == set(kept)
        for row, (x, mask, action, reward, ended, following, next_mask) in kept.items():
            at = np.array([row])
            assert np.array_equal(ring.states(at)[0], x) and np.array_equal(ring.masks(at)[0], mask)
            assert (ring.action[row], ring.reward[row], ring.terminated[row]) == (action, reward, ended)
            after = ring.after(at)
            assert np.array_equal(ring.states(after)[0], following) and np.array_equal(ring.masks(after)[0], next_mask)
    if kept:
        assert set(frames.sample(50, rng)) <= set(kept)


def test_counts_are_kept_as_bytes_until_they_do_not_fit() -> None:
    frames = Frames(None, 1, 2, False)
    for value, kind in ((3, np.uint8), (255, np.uint8), (256, np.float32), (0.5, np.float32)):
        frames.begin(np.array([value], np.float32), None)
        assert frames.states(slice(0, 1)).dtype == kind
    assert frames.states(slice(0, 4)).ravel().tolist() == [3, 255, 256, 0.5]


def test_running_moments_are_those_of_all_rows() -> None:
    from causalnet.agents.single.reader import Scaler

    x = np.random.default_rng(0).normal(3, 2, (50, 4)).astype(np.float32)
    scaler = Scaler("standard", 4)
    for part in np.split(x, [1, 7, 30]):
        scaler.see(part)
    assert np.allclose(scaler(x), (x - x.mean(axis=0)) / x.std(axis=0), atol=1e-4)
    symlog = Scaler("symlog", 4)
    assert np.allclose(symlog(np.array([[0, 255, 7, 1]], np.uint8)), symlog(np.array([[0, 255, 7, 1]], np.float32)))


# ---- the loop ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [PPO, D3QN])
def test_agents_do_not_care_what_other_libraries_make_of_torch(cls: Any) -> None:
    """gcastle and causal-learn make float64 torch's default when they are imported."""
    usual = cls(Echo(), seed=0, network="mlp").learn(episodes=80)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        other = cls(Echo(), seed=0, network="mlp").learn(episodes=80)
    finally:
        torch.set_default_dtype(default)
    for one, two in zip(usual.network.weights.values(), other.network.weights.values(), strict=True):
        assert one.dtype == two.dtype == torch.float32 and torch.equal(one, two)


def test_hooks_logs_and_cuts(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    steps, episodes, file = [], [], tmp_path / "run.csv"
    agent = DQN(Repair(), seed=0, random_steps=4)
    agent.learn(
        episodes=4, on_step=steps.append, on_episode=lambda e: episodes.append(e) or {"causal/f1": 0.5}, log=file
    )
    assert [s.number for s in steps] == list(range(agent.steps)) and [e.number for e in episodes] == [0, 1, 2, 3]
    assert sum(s.reward for s in steps) == pytest.approx(sum(e.return_ for e in episodes))
    assert all(np.array_equal(a.next_obs, b.obs) for a, b in pairwise(steps) if a.episode == b.episode)
    agent.learn(episodes=1, progress=True)
    output = capsys.readouterr()
    assert output.out == "" and "learning" in output.err
    logger = CsvLogger(file, agent.episodes)
    agent.learn(episodes=1, log=logger)
    logger.close()
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [r["time/episodes"] for r in rows] == ["1", "2", "3", "4", "6"]
    assert rows[0]["causal/f1"] == "0.5" and rows[4]["causal/f1"] == ""
    assert {"rollout/ep_rew_mean", "rollout/ep_len_mean", "time/fps", "time/total_timesteps", "train/loss"} <= set(
        rows[0]
    )


def test_a_log_goes_on_behind_a_torn_line_and_takes_new_columns(tmp_path: Any) -> None:
    file = tmp_path / "run.csv"
    file.write_text("time/episodes,rollout/return\n1,0.5\n2,1.0\n3,1.")  # as a killed run of 0.1.0 left it
    logger = CsvLogger(file, 1)
    logger.write({"time/episodes": 2, "rollout/return": np.float32(0.25)})
    logger.write({"time/episodes": 3, "rollout/return": 2, "train/loss": math.nan})
    assert file.read_text() == "time/episodes,rollout/return,train/loss\n1,0.5,\n2,0.25,\n3,2,nan\n"
    file.write_text("time/episodes\nabc\n")
    with pytest.raises(DataError, match="is damaged: line 2"):
        CsvLogger(file)


def test_a_cut_episode_is_not_reported_and_not_repeated() -> None:
    seen: list[Any] = []
    agent = PPO(Endless(100, True), n_steps=8, epochs=1)
    for _ in range(2):
        agent.learn(steps=5, on_episode=lambda e: seen.append(e) and None)
    assert agent.steps == 10 and agent.episodes == 0 and not seen and agent._starts == 2
    assert agent.frames.used == 3  # the states before steps 8 and 9, and the last one


def test_tensorboard(tmp_path: Any) -> None:
    pytest.importorskip("tensorboard")
    logger = TensorBoardLogger(tmp_path)
    PPO(Echo(), n_steps=8).learn(episodes=20, log=logger)
    logger.close()
    assert list(tmp_path.glob("events.out.tfevents.*"))


class Shifted(Echo):
    """Actions from 10 on, and a mask inside the observation."""

    def __init__(self) -> None:
        super().__init__(4)
        self.action_space = gymnasium.spaces.Discrete(4, start=10)
        inside = {"observation": self.observation_space, "action_mask": gymnasium.spaces.Box(0, 1, (4,), np.int8)}
        self.observation_space = gymnasium.spaces.Dict(inside)

    def _look(self) -> Any:
        mask = np.zeros(4, np.int8)
        mask[[self.k, (self.k + 1) % 4]] = 1
        return {"observation": super()._look(), "action_mask": mask}

    def step(self, action: int) -> Any:
        assert self.action_space.contains(np.int64(action))
        return super().step(action - 10)


@pytest.mark.parametrize("cls", LEARNERS)
def test_masks_inside_observations_and_actions_that_start_elsewhere(cls: Any) -> None:
    env, taken = Shifted(), []
    agent = cls(env, seed=0, hidden=(16,)).learn(episodes=80, on_step=lambda s: taken.append(s.mask[s.action - 10]))
    assert all(taken) and agent.reader.n_obs == 4
    obs, _ = env.reset(seed=0)
    assert obs["action_mask"][agent.predict(obs) - 10] == 1


@pytest.mark.parametrize("cls", LEARNERS)
def test_any_flattenable_observation_will_do(cls: Any) -> None:
    inner = gymnasium.make("CartPole-v1")
    assert cls(inner, seed=0).learn(steps=300).scaler.kind == "standard"


# ---- sb3-contrib's masked PPO as an oracle -----------------------------------------------------------------------


def alarms() -> CausalMask:
    env = gymnasium.make("causalnet/FaultAlarm-v0", instance=3, n_devices=6)
    return CausalMask(env, env.unwrapped.instance.graph, k=2)


def copied(ours: ActorCritic, theirs: Any) -> None:
    """Our weights into an actor-critic policy with separate towers of two layers."""
    w, h = ours.weights, ours.width
    nets = theirs.mlp_extractor.policy_net, theirs.mlp_extractor.value_net
    heads = (theirs.action_net, "policy"), (theirs.value_net, "value")
    with torch.no_grad():
        for i, (net, (head, name)) in enumerate(zip(nets, heads, strict=True)):
            side = slice(i * h, (i + 1) * h)
            net[0].weight.copy_(w["first"][:, side].T)
            net[0].bias.copy_(w["first_bias"][side])
            net[2].weight.copy_(w["layer0"][i].T)
            net[2].bias.copy_(w["layer0_bias"][i, 0])
            head.weight.copy_(w[name])
            head.bias.copy_(w[f"{name}_bias"])


def test_masked_policy_and_values_equal_those_of_maskable_ppo() -> None:
    """log pi(a | s, mask), its entropy and V(s) of the same weights on the same 60 states, computed by sb3-contrib."""
    policies = pytest.importorskip("sb3_contrib.common.maskable.policies")
    agent = PPO(alarms(), seed=0, network="mlp", hidden=(32, 32)).learn(steps=60)  # no update yet
    rng, network, kept = np.random.default_rng(0), agent.network, agent.frames
    for array in network.arrays.values():
        array += 0.2 * rng.standard_normal(array.shape).astype(np.float32)
    frames = slice(0, kept.used)
    rows, taken, x = np.flatnonzero(kept.action[frames] >= 0), kept.action[frames], agent.scaler(kept.states(frames))
    masks, states, nothing = kept.masks(frames), network.prepare(x), np.zeros(len(taken))
    mask, data = masks[rows], ppo_module._Rollout.of(states, masks, taken, nothing, nothing)
    used = data.actions
    assert states.columns is not None and used is not None and 1 < mask.sum(axis=1).max() < len(used)

    index = torch.arange(len(rows))
    with torch.no_grad():
        data.old = ppo_module.judged(network, data, index)[1]
        value = network.values(data.states)
        entropy = [
            -ppo_module.ppo_loss(network, data, index[i : i + 1], agent.settings)[1][3] for i in range(len(rows))
        ]

    space, tanh = agent.reader.space, torch.nn.Tanh
    shape = {"pi": [32, 32], "vf": [32, 32]}
    theirs = policies.MaskableActorCriticPolicy(space, agent.env.action_space, lambda _: 1e-3, shape, tanh)
    copied(network, theirs)
    with torch.no_grad():
        found = theirs.evaluate_actions(torch.tensor(x[rows]), torch.tensor(taken[rows]), action_masks=mask)
    for mine, other in zip((value, data.old, torch.stack(entropy)), found, strict=True):
        assert other.std() > 0.1 and torch.allclose(mine, other.flatten(), rtol=0, atol=1e-5)


def test_maskable_ppo_trains_on_masked_alarms() -> None:
    contrib = pytest.importorskip("sb3_contrib")
    env = alarms()
    model = contrib.MaskablePPO("MlpPolicy", env, n_steps=32, batch_size=16, n_epochs=2, seed=0, device="cpu")
    before = [p.detach().clone() for p in model.policy.parameters()]
    model.learn(64)
    assert model.num_timesteps == 64 and env.n_invalid == 0
    after = list(model.policy.parameters())
    assert all(torch.isfinite(p).all() for p in after)
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


# ---- what cannot be used -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", LEARNERS)
@pytest.mark.parametrize(
    ("what", "told"), [("obs", "step 5 .*entry 2 of the observation is nan"), ("reward", "step 5 .*reward is nan")]
)
def test_nan_names_the_step(cls: Any, what: str, told: str) -> None:
    class Broken(Repair):
        def step(self, action: int) -> Any:
            obs, reward, *more = super().step(action)
            self.n = getattr(self, "n", -1) + 1
            if self.n == 5:
                obs[2], reward = (np.nan, reward) if what == "obs" else (obs[2], np.nan)
            return obs, reward, *more

    with pytest.raises(DataError, match=told):
        cls(Broken(), seed=0).learn(steps=20)


def test_masks_that_fail_name_the_step() -> None:
    class Stuck(Repair):
        def action_masks(self) -> np.ndarray:
            return np.arange(30) == (0 if self.t < 2 else 99)

    with pytest.raises(DataError, match=r"step 1 \(step 1 of episode 0\): .*allows no action"):
        DQN(Stuck(masks=None), seed=0).learn(steps=3)


def test_predict_without_a_mask() -> None:
    class Hidden(Echo):
        def action_masks(self) -> np.ndarray:
            return np.array([True, False, True, True])

    agent = PPO(Hidden())
    with pytest.raises(DataError, match=r"mask=env\.get_wrapper_attr"):
        agent.predict(np.eye(4, dtype=np.float32)[0])
    assert agent.predict(np.eye(4, dtype=np.float32)[0], mask=[0, 0, 0, 1]) == 3
    with pytest.raises(DataError, match="allows no action"):
        agent.predict(np.eye(4, dtype=np.float32)[0], mask=np.zeros(4))


def test_an_episode_without_end_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from causalnet.agents.single import agent

    monkeypatch.setattr(agent, "ENDLESS", 60)
    with pytest.raises(DataError, match=r"episode 0 did not end within 60 steps; .*TimeLimit"):
        PPO(Endless(10**9, True)).learn(1, progress=True)
    assert "60 steps" in capsys.readouterr().err
    assert PPO(Endless(10**9, True)).learn(steps=70).steps == 70  # an end of its own


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: PPO(Echo(), n_step=4), UnknownNameError, "Did you mean 'n_steps'"),
        (lambda: DQN(Echo(), preset="papers"), UnknownNameError, "Did you mean 'paper'"),
        (lambda: PPO(Echo(), clip=-1.0), DataError, "clip is -1.0, and must be a finite number from 1e-12"),
        (lambda: PPO(Echo(), gamma=1.5), DataError, "gamma is 1.5, and must be a finite number from 0 to 1"),
        (lambda: DQN(Echo(), epsilon=float("nan")), DataError, "epsilon is nan, and must be a finite number"),
        (lambda: PPO(Echo(), hidden=()), DataError, "hidden"),
        (lambda: PPO(Echo(), inputs="log"), UnknownNameError, "inputs='log'"),
        (lambda: PPO(Echo()).learn(), DataError, "say how long"),
        (lambda: PPO(Echo()).learn(episodes=-1), DataError, "episodes is -1, and must be a whole number from 0 up"),
        (lambda: DQN(Echo()).learn(steps=10.5), DataError, "steps is 10.5, and must be a whole number"),
        (lambda: PPO(Echo()).learn(True), DataError, "episodes is True, and must be a whole number"),
        (
            lambda: PPO(Echo()).learn(1, checkpoint_every=0),
            DataError,
            "checkpoint_every is 0, and must be a whole number from 1 up",
        ),
        *[
            (lambda seed=seed: PPO(Echo(), seed=seed), DataError, "seed is .*, and must be a whole number from 0 up")
            for seed in (-1, "a", None, 1.5, True)
        ],
        (lambda: PPO(Echo(), lr="a"), DataError, "lr is 'a', and must be a finite number"),
        (lambda: PPO(Echo(), gamma=float("nan")), DataError, "gamma is nan, and must be a finite number"),
        (lambda: PPO(Echo(), hidden=0), DataError, "hidden=0"),
        (lambda: PPO(Echo(), hidden=("a",)), DataError, "each width in hidden"),
        (lambda: PPO(Echo(), n_steps=10.5), DataError, "n_steps is 10.5, and must be a whole number from 1 to"),
        (lambda: PPO(Echo(), scale_rewards=2), DataError, "scale_rewards is 2; write True or False"),
        (lambda: PPO(Echo(), network=3), UnknownNameError, "network=3"),
        (lambda: PPO(Echo(), learning_rate=1e-3), UnknownNameError, "called 'lr' here"),
        (lambda: PPO("Pumps-v0"), NotApplicable, "an agent needs a Gymnasium environment.*got 'Pumps-v0'"),
        (lambda: PPO(gymnasium.make("Pendulum-v1")), NotApplicable, "Discrete"),
    ],
)
def test_settings_that_cannot_be(make: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        make()


def test_settings_are_frozen_and_documented() -> None:
    for kind in (ppo_module.PPOSettings, dqn_module.DQNSettings):
        with pytest.raises(dataclasses.FrozenInstanceError):
            kind().gamma = 0.5  # type: ignore[misc]
