"""NetworkedPPO against brute force on hand-sized networks, against its own file to the bit, and against nonsense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from causalnet.agents import NetworkedPPO, Rate
from causalnet.agents.networked.deep.gains import advantages, truncated
from causalnet.agents.networked.deep.improve import Batch, loss, prepared
from causalnet.agents.networked.deep.reach import Reach, answers_for, balls
from causalnet.agents.networked.deep.settings import NeuralSettings
from causalnet.agents.networked.deep.world import World
from causalnet.envs.networked.wireless import gsac_grid
from causalnet.errors import DataError, NotApplicable, UnknownNameError


class Signals:
    """A directed chain i -> i + 1 of agents that see vectors; right is what the agent before them showed last (codes), or
    the negative of the first number that they see (vectors of actions)."""

    def __init__(
        self, n: int = 3, n_envs: int = 4, *, horizon: int | None = 6, actions: str = "codes", ends: int = 0
    ) -> None:
        self.n_agents, self.n_envs, self.horizon, self.ends = n, n_envs, horizon, ends
        self.adjacency = sparse.csr_matrix(np.eye(n, k=1, dtype=bool))
        self.masked = actions == "masked"
        if actions == "vectors":
            self.action_size = 1
        else:
            self.n_actions = np.array([2 + (i % 2) * self.masked for i in range(n)])

    def reset(self, seed: Any = None) -> Any:
        self.rng, self.time = np.random.default_rng(seed), 0
        return self.show(), {}

    def show(self) -> Any:
        self.bit = self.rng.integers(0, 2, (self.n_envs, self.n_agents))
        return np.stack((self.bit * 2.0 - 1, np.full(self.bit.shape, 3.0)), axis=-1)

    def action_masks(self) -> Any:
        masks = np.ones((self.n_envs, self.n_agents, int(self.n_actions.max())), bool)
        if self.masked:
            masks[..., 1] = (self.bit + self.time) % 2 == 0
        return masks

    def step(self, a: Any) -> Any:
        if hasattr(self, "action_size"):
            assert a.shape == (self.n_envs, self.n_agents, 1) and np.abs(a).max() <= 1
            reward = 1 - np.abs(a[..., 0] + (self.bit * 2.0 - 1) * 0.5)
        else:
            masks = self.action_masks() & (np.arange(self.n_actions.max()) < self.n_actions[:, None])
            assert np.take_along_axis(masks, a[..., None], 2).all()
            reward = (a == np.roll(self.bit, 1, axis=1)).astype(float)
        self.time += 1
        over = np.full(self.n_envs, self.time == self.horizon)
        ended = (np.arange(self.n_envs) < self.ends) & (self.time == 2)
        return self.show(), reward, ended, over, {}


SMALL: dict[str, Any] = {"hidden": (8,), "batch_size": 48}
KINDS: dict[str, dict[str, Any]] = {
    "codes": {},
    "vectors": {"env": {"actions": "vectors"}},
    "masked": {"env": {"actions": "masked"}, "parameters": "embedded"},
    "memory": {"memory": 5, "sequence": 4},
    "each": {"parameters": "each", "critic_reads": "mean", "activation": "tanh"},
    "slots": {"policy_reads": "slots", "kappa": "all", "kappa_policy": 2},
    "pieces": {"steps": 4, "memory": 3, "sequence": 3},
    "ended": {"env": {"ends": 2}, "memory": 3},
    "attention": {"policy_reads": "attention", "critic_reads": "attention", "lr": Rate(1e-2, 0.5)},
}


def made(kind: str, **more: Any) -> tuple[Signals, NetworkedPPO]:
    options = {**KINDS[kind]}
    env = Signals(**options.pop("env", {}))
    return env, NetworkedPPO(env, **{**SMALL, **options, **more})


def weights(agent: NetworkedPPO) -> np.ndarray:
    return np.concatenate(
        [w.detach().numpy().ravel() for net in (agent.policy, agent.critic) for w in net.parameters()]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_loaded_goes_on_to_the_bit(kind: str, tmp_path: Path) -> None:
    _, whole = made(kind, seed=3)
    whole.learn(episodes=12)
    _, part = made(kind, seed=3)
    part.learn(steps=4 * (10 if kind == "pieces" else 6))
    file = part.save(tmp_path / "agent.npz")
    went_on = NetworkedPPO.load(file, Signals(**KINDS[kind].get("env", {})))
    went_on.learn(steps=whole.steps - part.steps)
    assert (weights(whole) == weights(went_on)).all() and whole.scalars() == went_on.scalars()
    assert (weights(whole) != weights(made(kind, seed=3)[1])).any()
    other = Signals(**KINDS[kind].get("env", {}))
    np.testing.assert_array_equal(whole.evaluate(other, 8), went_on.evaluate(other, 8))


def by_hand(agent: NetworkedPPO, record: Any) -> np.ndarray:
    """Truncated advantages (n, T, E) in loops: sums over j whose ball has i, of lambda sums of temporal differences."""
    s, n, steps, many = agent.settings, agent.world.n, len(record), agent.world.copies
    adjacency, hops = agent.env.adjacency.toarray(), int(s.kappa)
    reaches = (
        np.linalg.matrix_power(np.eye(n, dtype=int) + adjacency, hops) > 0
    )  # [i, j]: j within reach of i's actions
    with torch.no_grad():
        v = np.stack([agent.critic(x)[0][..., 0].numpy() for x in record.judged], axis=1)
    out = np.zeros((n, steps, many))
    for e in range(many):
        for i in range(n):
            for j in np.flatnonzero(reaches[i]):
                for t in range(steps):
                    factor = 1.0
                    for u in range(t, steps):
                        ends = record.terminated[u][e]
                        if record.alive[u][e]:
                            after = 0.0 if ends else s.gamma * v[j, u + 1, e]
                            out[i, t, e] += factor * (record.reward[u][e, j] + after - v[j, u, e])
                        factor *= 0.0 if ends else s.gamma * s.gae_lambda
    return out


@pytest.mark.parametrize("ends", [0, 2])
@pytest.mark.parametrize("kappa", [0, 1, 2])
def test_the_first_gradient_is_the_truncated_one_by_brute_force(kappa: int, ends: int) -> None:
    agent = NetworkedPPO(Signals(4, 5, ends=ends), kappa, seed=2, scale="none", entropy=0.0, value=0.0, **SMALL)
    record = agent._collect(6)
    expected = by_hand(agent, record) * np.stack(record.alive)
    batch, _, _ = prepared(record, agent.critic, None, agent.worth, agent.settings, agent.answers)
    found = batch.advantage.numpy().reshape(expected.shape) * np.stack(record.alive)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    total, _ = loss(agent.policy, agent.critic, agent.choice, batch, agent.settings, 0.0)
    mine = torch.autograd.grad(total, list(agent.policy.parameters()))
    # sum_t A_i grad log pi_i, one agent, copy and step after the other
    slow: list[Any] = [torch.zeros_like(w) for w in agent.policy.parameters()]
    for t in range(len(record)):
        for e in np.flatnonzero(record.alive[t]):
            for i in range(4):
                logits = agent.policy(record.read[t])[0][i, e]
                logp = torch.log_softmax(logits, 0)[record.action[t][i, e]]
                for k, g in enumerate(torch.autograd.grad(logp, list(agent.policy.parameters()))):
                    slow[k] += g * float(expected[i, t, e])
    rows = 4 * np.stack(record.alive).sum()
    for a, b in zip(mine, slow, strict=True):
        np.testing.assert_allclose(a.numpy(), -b.numpy() / rows, atol=2e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("actions", ["codes", "masked"])
def test_blocks_give_what_autograd_gives(actions: str, activation: str) -> None:
    agent = NetworkedPPO(Signals(4, 5, ends=2, actions=actions), 1, activation=activation, seed=1, **SMALL)
    batch, _, _ = prepared(agent._collect(6), agent.critic, None, agent.worth, agent.settings, agent.answers)
    batch.logp = batch.logp + torch.linspace(-0.5, 0.5, batch.logp.numel()).view(batch.logp.shape)  # some are clipped
    index = np.array([3, 0, 11, 25, 7])
    total, numbers = loss(agent.policy, agent.critic, agent.choice, batch.rows(index), agent.settings, 0.3)
    wanted = torch.autograd.grad(total, [*agent.policy.parameters(), *agent.critic.parameters()])
    assert agent._blocks is not None
    np.testing.assert_allclose(agent._blocks(batch, index, agent.settings, 0.3), numbers.numpy(), atol=1e-6)
    for w, g in zip([*agent.policy.parameters(), *agent.critic.parameters()], wanted, strict=True):
        torch.testing.assert_close(w.grad, g, atol=1e-6, rtol=1e-4)


def test_reading_and_answering_follow_the_arrows() -> None:
    world = World.of(Signals(4))
    assert [np.flatnonzero(row).tolist() for row in balls(world.influence, 2)[2].toarray()] == [
        [0],
        [0, 1],
        [0, 1, 2],
        [1, 2, 3],
    ]
    answers = answers_for(world.influence, 1, torch.device("cpu"))
    assert answers is not None
    np.testing.assert_array_equal(answers.to_dense().numpy(), np.eye(4) + np.eye(4, k=1))
    x = torch.arange(8.0).reshape(4, 1, 2)
    rings = Reach.of(world.influence, 2, "rings", torch.device("cpu"))(x)
    assert rings[2, 0, :6].tolist() == [4, 5, 2, 3, 0, 1] and rings[0, 0, 2:6].tolist() == [0, 0, 0, 0]
    slots = Reach.of(world.influence, 2, "slots", torch.device("cpu"))(x)
    assert slots[2, 0].tolist() == [4, 5, 0, 1, 1, 2, 3, 1] and slots[1, 0].tolist() == [2, 3, 0, 1, 1, 0, 0, 0]
    mean = Reach.of(world.influence, "all", "rings", torch.device("cpu"))(x)
    assert mean[3, 0].tolist() == [6, 7, 3, 4]


def test_attention_weighs_whom_it_reaches() -> None:
    """Against softmax in loops; an agent out of reach counts nothing."""
    agent = NetworkedPPO(Signals(4), 1, critic_reads="attention", hidden=(3,), seed=4)
    x = torch.randn((4, 2, 2), generator=torch.Generator().manual_seed(0))
    q, k, v = agent.critic.asked(x).chunk(3, dim=2)
    for i in range(4):
        near = [i - 1, i] if i else [i]
        share = torch.softmax(torch.stack([(q[i] * k[j]).sum(1) for j in near]) / 3**0.5, 0)
        context = sum(w[:, None] * v[j] for w, j in zip(share, near, strict=True))
        whole = torch.cat((x, torch.zeros((4, 2, 3))), dim=2)
        whole[i, :, 2:] = context
        torch.testing.assert_close(agent.critic(x)[0][i], agent.critic.tower(whole)[0][i])


def test_independent_ppo_is_kappa_zero() -> None:
    """With networks of their own and kappa 0, an agent learns the same whoever else is there and whatever happens to them."""
    few, many = (
        NetworkedPPO(
            Signals(n, 4), 0, parameters="each", scale="agent", max_grad_norm=1e9, batch_size=10**6, hidden=(8,)
        )
        for n in (2, 5)
    )
    same = {"policy": few.policy.state_dict(), "critic": few.critic.state_dict()}
    for name, net in (("policy", many.policy), ("critic", many.critic)):
        for k, w in net.state_dict().items():
            w[:2] = same[name][k]
    record = many._collect(6)
    for step in ("read", "judged", "allowed", "action", "logp"):
        setattr(record, step, [x[:2] for x in getattr(record, step)])
    batch, _, _ = prepared(record_of(record, 2), few.critic, None, few.worth, few.settings, few.answers)
    alone, _ = loss(few.policy, few.critic, few.choice, batch, few.settings, 0.0)
    grad = torch.autograd.grad(alone, few.policy.layers[0].weight)[0]
    assert few.answers is not None and few.answers.to_dense().equal(torch.eye(2)) and grad.shape[0] == 2
    each = [loss(few.policy, few.critic, few.choice, only(batch, i), few.settings, 0.0)[0] for i in range(2)]
    first = torch.autograd.grad(each[0], few.policy.layers[0].weight)[0]
    torch.testing.assert_close(first[0], 2 * grad[0])
    assert (first[1] == 0).all()


def record_of(record: Any, n: int) -> Any:
    record.reward = [r[:, :n] for r in record.reward]
    return record


def only(batch: Batch, agent: int) -> Batch:
    """The same, with nothing to gain for all agents but one."""
    keep = torch.zeros((2, 1))
    keep[agent] = 2.0
    found = Batch(**{name: getattr(batch, name) for name in batch.__dataclass_fields__})
    found.advantage = batch.advantage * keep
    found.alive = None
    return found


def test_it_learns_what_only_its_neighbour_knows() -> None:
    """The right action is what the agent before shows, so that a policy of its own observation alone gets 1/2."""
    agent = NetworkedPPO(Signals(4, 16), 1, lr=1e-2, gamma=0.0, hidden=(16,), epochs=8).learn(episodes=16 * 15)
    assert agent.evaluate(Signals(4, 16), 64).mean() / 6 > 0.75  # the first has nobody before it: 7/8 is the most


def test_continuous_actions_are_learnt_within_their_bounds() -> None:
    agent = NetworkedPPO(Signals(2, 16, actions="vectors"), 0, lr=1e-2, gamma=0.0, hidden=(16,), epochs=8).learn(
        episodes=16 * 20
    )
    assert agent.evaluate(Signals(2, 16, actions="vectors"), 32, deterministic=True).mean() / 6 > 0.8


def test_a_memory_is_needed_and_used() -> None:
    class Echo(Signals):
        """Right is what one saw one step earlier."""

        def step(self, a: Any) -> Any:
            before = getattr(self, "before", self.bit)
            self.before = self.bit if self.time else np.zeros_like(self.bit)
            reward = (a == (before if self.time else 0)).astype(float)
            self.before = self.bit
            self.time += 1
            return self.show(), reward, np.zeros(self.n_envs, bool), np.full(self.n_envs, self.time == self.horizon), {}

    options: dict[str, Any] = {"memory": 8, "lr": 1e-2, "gamma": 0.0, "hidden": (16,), "epochs": 8}
    agent = NetworkedPPO(Echo(2, 16), 0, **options).learn(episodes=16 * 25)
    assert agent.evaluate(Echo(2, 16), 32).mean() / 6 > 0.75  # without a memory 7/12 is the most
    player = agent.player(0)
    assert player(np.zeros((3, 2, 2))).shape == (3, 2)


def test_a_hub_costs_no_more_than_its_edges() -> None:
    n = 20_000
    star = sparse.lil_matrix((n, n), dtype=bool)
    star[0, 1:] = True
    world = World(None, n, 1, 1, sparse.csr_matrix((star + star.T).tocsr()), None, np.full(n, 2), 0, "")
    reach = Reach.of(world.influence, 1, "rings", torch.device("cpu"))
    stored = sum(m.values().numel() for m in reach.means)
    assert stored == 2 * (n - 1) and reach(torch.ones((n, 2, 3))).shape == (n, 2, 7)
    answers = answers_for(world.influence, 1, torch.device("cpu"))
    assert truncated(torch.ones((n, 1, 1)), answers)[0, 0, 0] == n
    with pytest.raises(NotApplicable, match="slots give each of them a place"):
        Reach.of(world.influence, 1, "slots", torch.device("cpu"))


def test_factors_views_and_own_networks(tmp_path: Path) -> None:
    sources = [gsac_grid(3, arrival=p, n_envs=2) for p in (0.2, 0.8)]
    agent = NetworkedPPO(sources, factors=[0.2, 0.8], view=np.array([0, 1, 1, 1]), **SMALL).learn(episodes=4)
    assert agent.world.copies == 4 and agent.sight.reader.width == 2 and agent.sight.extra is not None
    assert agent.sight.extra[0, :, 1].tolist() == [-0.5, -0.5, 0.5, 0.5]
    again = NetworkedPPO.load(
        agent.save(tmp_path / "a.npz"), [gsac_grid(3, arrival=p, n_envs=2) for p in (0.2, 0.8)], lr=1e-4
    )
    assert again.settings.lr == Rate(1e-4)
    unseen = gsac_grid(3, arrival=0.5, n_envs=2)
    scores = [one.evaluate(unseen, 4, factor=0.5) for one in (agent, again)]
    np.testing.assert_array_equal(*scores)
    with pytest.raises(DataError, match="depends on the domain factor"):
        agent.evaluate(unseen)
    mine = NetworkedPPO(unseen, policy=lambda d, k: torch.nn.Linear(d, k), critic=torch.nn.Linear(9, 1), kappa=1)
    mine.learn(episodes=2)
    with pytest.raises(DataError, match="a policy of its caller"):
        NetworkedPPO.load(mine.save(tmp_path / "b.npz"), unseen, critic=torch.nn.Linear(9, 1))
    with pytest.raises(NotApplicable, match="kappa is 1"):
        NetworkedPPO.load(tmp_path / "b.npz", unseen, kappa=2)


def test_lambda_sums_end_where_a_copy_ends() -> None:
    reward, values = torch.ones((1, 3, 1)), torch.full((1, 4, 1), 10.0)
    ended, alive = torch.tensor([[False], [True], [False]]), torch.tensor([[True], [True], [False]])
    found = advantages(reward, values, ended, alive, 0.5, 1.0)
    np.testing.assert_allclose(found[0, :, 0], [1 + 0.5 * 1 - 10, 1 - 10, 0])


BAD: list[tuple[Any, dict[str, Any], type, str]] = [
    (object(), {}, DataError, "has no 'n_agents'"),
    (Signals(horizon=None), {}, DataError, "no horizon"),
    (Signals(), {"kappa": "everything"}, DataError, 'or "all"'),
    (Signals(), {"kapa_policy": 1}, UnknownNameError, "kappa_policy"),
    (Signals(), {"factors": [1.0]}, DataError, "list of environments"),
    (Signals(), {"view": np.ones(3, bool)}, DataError, "each of 2 numbers"),
    (Signals(), {"memory": 2, "critic": torch.nn.Linear(1, 1)}, NotApplicable, "memory=0"),
    (Signals(), {"policy": torch.nn.Linear(5, 3)}, DataError, "should make it into"),
]  # fmt: skip


@pytest.mark.parametrize(("env", "options", "error", "words"), BAD)
def test_nonsense_is_refused_in_a_sentence(env: Any, options: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        NetworkedPPO(env, **options)


def test_an_environment_that_breaks_its_word_is_told() -> None:
    env = Signals()
    agent = NetworkedPPO(env, **SMALL).learn(episodes=4)
    kept, env.step = weights(agent), lambda a: (np.zeros((4, 3, 2)), np.full((4, 3), np.nan), False, False, {})  # type: ignore[assignment]
    with pytest.raises(DataError, match="gave agent 0 the reward nan"):
        agent.learn(episodes=4)
    assert (weights(agent) == kept).all() and agent.episodes == 4
    env.step = lambda a: (np.zeros((4, 2, 2)), np.zeros((4, 2)), False, False, {})  # type: ignore[assignment]
    with pytest.raises(DataError, match="observations are vectors of shape"):
        agent.learn(episodes=4)
    env.adjacency = sparse.csr_matrix((2, 2), dtype=bool)
    with pytest.raises(DataError, match="there are 3 agents"):
        NetworkedPPO(env)
    assert NeuralSettings(kappa="all").policy_hops == 0
