"""NetworkedPPO: neural policies pi_i(a | o over N_i^kappa) and critics V_i(o over N_i^kappa) of networked agents, by clipped steps.

The truncated gradient of Scalable Actor-Critic (arXiv 1912.02906, eq. 7) with function approximation,
    g_i = E[sum_t sum_{j: i in N_j^kappa} A_j(t) grad log pi_i(a_i(t) | o_{N_i^kappa}(t))],
with A_j a lambda return of agent j's own reward less V_j, and proximal clipping (arXiv 1707.06347) in the place of one small
step. kappa = 0 is independent PPO (arXiv 2011.09533), kappa = "all" is MAPPO (arXiv 2103.01955), ``critic_reads="mean"`` a critic
that sees its neighbours through their mean field (arXiv 1802.05438).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from ....base.arrays import AnyArray, Array, Ints
from ....base.asked import asks
from ....base.checks import flag, function, generator, number, whole
from ....errors import DataError, NotApplicable
from ... import loop
from ...single.optimiser import Optimiser, no_denormals
from ...single.settings import resolve
from ..learner import Updating
from ..rollout import seeds
from .blocks import Blocks
from .improve import NAMES, Batch, Worth, loss, minibatches, prepared, told
from .kept import load_learner, replay, save_learner, weights_of
from .parts import as_extra, choice_of, conditioned, length_of, network_of, sight_of
from .play import Record, decide, see, to_env
from .player import Player, episode_returns
from .reach import answers_for
from .settings import Hops, NeuralSettings
from .sources import Sources
from .towers import Factory
from .world import World, as_actions


@asks("device")
class NetworkedPPO(Updating):
    """PPO of networked agents: ``NetworkedPPO(env, kappa=1).learn(episodes=500)``; settings are the fields of NeuralSettings.

    env: see :mod:`.world`; or a list of source domains of one network, with ``factors`` (M,), (M, k) or (M, n, k): policies and
    critics are told f(omega), a polynomial of it or what a Conditioning makes of it (:mod:`..conditioning`). view: what is seen of an
    observation: of codes, (states,) or (n, states), such as :func:`..adaptation.compact_view`; of vectors, (d,) or (n, d) bool.
    policy, critic: torch modules of your own from (rows, inputs) to (rows, outputs), or functions (inputs, outputs) -> module.
    device: of torch. An update follows every episode of all copies, or every ``steps`` steps of it.
    updates, episodes, steps: done so far, over all copies. The state after an update depends on (settings, seed, environment).
    """

    episodes: int = 0
    steps: int = 0
    learners = 1

    def __init__(
        self,
        env: Any,
        kappa: Hops = 1,
        *,
        seed: int = 0,
        view: Any = None,
        factors: Any = None,
        policy: torch.nn.Module | Factory | None = None,
        critic: torch.nn.Module | Factory | None = None,
        device: str = "cpu",
        **settings: Any,
    ) -> None:
        super().__init__()
        for name, given in (("policy", policy), ("critic", critic)):
            if not isinstance(given, torch.nn.Module):  # which is a function, of other things
                function(name, given, "inputs, outputs", "a torch module")
        self.own = {"policy": policy is not None, "critic": critic is not None}
        s = self.settings = resolve(NeuralSettings, {}, None, {"kappa": kappa, **settings})
        sources = Sources(env) if isinstance(env, Sequence) else None
        world = self.world = World.of(env) if sources is None else sources.world()
        self.env, self.seed, self.device = world.env, whole("seed", seed, 0), _device(device)
        self.length = length_of(world, s)
        init, self._act_rng, self._order_rng = map(np.random.default_rng, np.random.SeedSequence(self.seed).spawn(3))
        self.steps, self.episodes, self.starts, self.worth = 0, 0, 0, Worth()
        self.told: dict[str, float] = {}
        self._last_return = float("nan")
        self.conditioning, extra = conditioned(factors, sources, world, self.device)
        self.sight = sight_of(world, s, view, extra, self.device)
        self.choice = choice_of(world, s, self.device)
        self.answers = answers_for(world.influence, s.kappa, self.device)
        d = self.sight.reader.width + (0 if extra is None else extra.shape[2])
        self.policy = network_of(world, s, "policy", policy, self.sight.policy.width(d), self.choice.outputs, init)
        self.critic = network_of(world, s, "critic", critic, self.sight.critic.width(d), 1, init)
        self.policy.to(self.device)
        self.critic.to(self.device)
        weights = {f"policy.{k}": w for k, w in self.policy.named_parameters()}
        weights |= {f"critic.{k}": w for k, w in self.critic.named_parameters()}
        self.optimiser = Optimiser(weights, float(s.lr.at(0)[0]), s.max_grad_norm)
        fits = Blocks.fit(self.policy, self.critic, self.choice, s, self.device)
        self._blocks = Blocks(self.policy, self.critic) if fits else None
        self._begin()

    def _begin(self) -> None:
        """No episode is under way."""
        self._now: tuple[AnyArray, Any] | None = None
        self._played: list[AnyArray] = []
        self._alive = np.ones(self.world.copies, bool)
        self._sums: Array = np.zeros(self.world.copies)
        self._memories: tuple[torch.Tensor | None, torch.Tensor | None] = (None, None)

    @property
    def streams(self) -> tuple[np.random.Generator, np.random.Generator]:
        """What draws actions, and what orders the rows of an update."""
        return self._act_rng, self._order_rng

    # ---- learning -------------------------------------------------------------------------------------------------

    def _advance(self, last_step: int | None, tick: loop.Tick) -> Self:
        left = None if last_step is None else -(-(last_step - self.steps) // self.world.copies)  # steps of all copies
        most = self.length if left is None else min(self.length, left)
        before = self.steps
        self._improve(self._collect(most))
        tick(self.steps - before)
        return self

    def update(self) -> None:
        """One update: steps under the present policy, values, and all gradient steps."""
        self._advance(None, lambda steps: None)

    def _collect(self, most: int) -> Record:
        """So many steps of all copies, or fewer where their episodes end; the next call goes on from there."""
        world, record = self.world, Record()
        if self._now is None:
            self._begin()
            self._now = world.reset(seeds(self.seed, self.starts))
            self.starts += 1
        obs, masks = self._now
        read, judged = self.sight.both(obs)
        see(self.sight, obs)
        memory = self._memories[0]
        for _ in range(most):
            allowed = self.choice.allowed(masks)
            action, logp, after = decide(self.policy, self.choice, read, allowed, memory, self._act_rng)
            record.decided(read, judged, allowed, action, logp, memory, self._alive)
            taken = to_env(action)
            obs, reward, terminated, truncated, masks = world.step(as_actions(world, taken))
            self._played.append(taken)
            record.reward.append(reward)
            record.terminated.append(terminated)
            self._sums += reward.mean(axis=1) * self._alive
            self.steps += world.copies
            self._alive = self._alive & ~(terminated | truncated)
            read, judged = self.sight.both(obs)
            see(self.sight, obs)
            memory = after
            if not self._alive.any():
                break
        record.read.append(read)
        record.judged.append(judged)
        self._now, self._memories = (obs, masks), (memory, self._memories[1])
        self._close()
        return record

    def _close(self) -> None:
        """Count the episodes if they are over: every copy has ended, or, where nothing ends them, ``steps`` were taken."""
        over = not self._alive.any()
        if over or (self.world.horizon is None and len(self._played) >= self.length):
            self._last_return = float(self._sums.mean())
            self.episodes += self.world.copies
            self._now = None

    def _improve(self, record: Record) -> None:
        """All gradient steps of one record."""
        s, world = self.settings, self.world
        with no_denormals():
            batch, after, explained = prepared(record, self.critic, self._memories[1], self.worth, s, self.answers)
            self._memories = (self._memories[0], after)
            entropy, sums, count = float(s.entropy.at(self.updates)[0]), np.zeros(len(NAMES) - 1), 0
            self.optimiser.rate(float(s.lr.at(self.updates)[0]))
            for index in minibatches(batch, world.n, s, self._order_rng):
                sums, count = sums + self._descend(batch, index, entropy), count + 1
        if not np.isfinite(sums).all():
            raise DataError(
                f"the learning diverged in update {self.updates + 1}: the loss is no number; learn anew with a smaller lr"
            )
        self.sight.reader.learn()
        self.updates += 1
        self.told = told(sums, count, explained)

    def _descend(self, batch: Batch, index: Ints, entropy: float) -> Array:
        """One gradient step, on some of a batch: five numbers to log."""
        s = self.settings
        if self._blocks is not None:
            numbers = self._blocks(batch, index, s, entropy)
            self.optimiser.apply()
            return numbers
        lost, told = loss(self.policy, self.critic, self.choice, batch.rows(index), s, entropy)
        self.optimiser.step(lost)
        return np.asarray(told.cpu().numpy(), np.float64)

    def last_return(self) -> float:
        """Mean return of the last episodes that ended, undiscounted, over agents and copies; nan before any."""
        return self._last_return

    def scalars(self) -> dict[str, float]:
        """What to log of the last update."""
        return {**super().scalars(), **self.told}

    # ---- acting ---------------------------------------------------------------------------------------------------

    def predict(
        self, obs: Any, seed: int | np.random.Generator | None = None, *, masks: Any = None, factor: Any = None
    ) -> AnyArray:
        """Actions (..., n), or (..., n, k), for observations (..., n) or (..., n, d); drawn with a seed, else the likeliest.

        masks (..., n, A): what is allowed; None: every action that an agent has. factor: the domain's, where the policy is told
        it. A policy with a memory plays whole episodes: :meth:`player`.
        """
        if self.settings.memory:
            raise NotApplicable("this policy remembers; write player = agent.player(), and call it step by step")
        return self.player(seed, factor=factor)(obs, masks)

    def player(self, seed: int | np.random.Generator | None = None, *, factor: Any = None) -> Player:
        """The policy as it is, to be called with the observations of one step after the other; drawn with a seed, else the
        likeliest actions."""
        return Player(self, None if seed is None else generator("seed", seed), self.code(factor))

    def admit(self, target: Any) -> World:
        """``target`` as it is read here; another network than the one that it learnt on is refused."""
        return World.of(target).require(self.world.fingerprint())

    def acting(self, factors: Sequence[Any], target: Any) -> Callable[[Any, np.random.Generator], AnyArray]:
        """What plays an episode in ``target``, told the one factor that there is: (s (E, n), rng) -> actions (E, n)."""
        world, player = self.admit(target), self.player(0, factor=factors[0])
        if world.n_states is None or world.n_actions is None:
            raise NotApplicable(
                "a factor is estimated from transitions, which hold codes; this environment has vectors: estimate it from them "
                "yourself, and write agent.evaluate(env, factor=...)"
            )

        def act(s: Any, rng: np.random.Generator) -> AnyArray:
            player.rng = rng
            return player(s, world.masks({}))

        return act

    def code(self, factor: Any) -> torch.Tensor | None:
        """f(omega) of a domain, (n or 1, 1, F); None where policies are told nothing."""
        if self.conditioning is None:
            if factor is not None:
                raise DataError("this policy was not trained with factors; leave factor out")
            return None
        if factor is None and self.conditioning.kind == "polynomial":
            raise DataError("this policy depends on the domain factor; give the target's: factor=...")
        return as_extra(self.conditioning.target(factor)[None], self.device)

    def evaluate(
        self,
        env: Any = None,
        episodes: int = 100,
        *,
        factor: Any = None,
        discount: float = 1.0,
        deterministic: bool = False,
        seed: int = 10**6,
    ) -> Array:
        """Returns sum_t discount^t (1/n) sum_i r_i of the policy as it is, (episodes,): on ``env``, or where it learns.

        Episodes are fixed by ``seed``, whatever the policy. deterministic: take the likeliest actions, not drawn ones.
        """
        world = self.world if env is None else self.admit(env)
        episodes, discount = whole("episodes", episodes, 1), number("discount", discount, 0.0, 1.0)
        if world.env is self.env and self._now is not None:
            raise DataError("env is in the midst of an episode to learn from; evaluate on another environment")
        extra = self.sight.extra if env is None else self.code(factor)
        most = world.horizon or self.length
        found: list[Array] = []
        for batch in range(-(-episodes // world.copies)):
            key = seeds(whole("seed", seed, 0), batch)
            player = Player(
                self, None if flag("deterministic", deterministic) else np.random.default_rng(key + 1), extra
            )
            found.append(episode_returns(world, player, key, most, discount))
        return np.concatenate(found)[:episodes]

    # ---- checkpoints ----------------------------------------------------------------------------------------------

    def _write(self, path: str | Path) -> Path:
        return save_learner(path, self)

    def under_way(self) -> dict[str, AnyArray]:
        """What a checkpoint keeps of an episode that is not over: what was done in it, and what policy and critic remember."""
        if self._now is None:
            return {}
        kept = {"played": np.stack(self._played), "alive": self._alive, "sums": self._sums}
        return kept | {name: weights_of(h) for name, h in zip(("policy", "critic"), self._memories, strict=True)}

    def resume(self, kept: dict[str, AnyArray], last: float, numbers: dict[str, float]) -> None:
        """Take back what ``under_way`` gave, and play the episode again up to there."""
        self._last_return, self.told = float(last), dict(numbers)
        if kept:
            self._now = replay(self.world, self.seed, self.starts - 1, kept["played"])
            self._played, self._alive, self._sums = list(kept["played"]), kept["alive"], kept["sums"]
            remembered = [
                torch.tensor(kept[name], device=self.device) if kept[name].size else None
                for name in ("policy", "critic")
            ]
            self._memories = (remembered[0], remembered[1])

    @classmethod
    def load(
        cls, path: str | Path, env: Any, *, policy: Any = None, critic: Any = None, device: str = "cpu", **changes: Any
    ) -> Self:
        """What ``save`` wrote, on the same network; learning goes on as if it had not stopped, with ``changes`` of settings such
        as lr=1e-4. policy, critic: the modules of your own that it was made with."""
        return load_learner(cls, path, env, changes, policy=policy, critic=critic, device=device)


def _device(name: str) -> torch.device:
    """A device of torch by its name."""
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise DataError(f"device is {name!r}, and must be one that torch knows, such as 'cpu' or 'cuda'") from error
