"""GSAC, phases 3 and 4: maximise E_omega J(theta, omega; omega), the return of one policy conditioned on its domain's factor.

arXiv 2510.21427, Algorithm 1. Scalable Actor-Critic runs in all source domains; the logits of agent i are theta_i[s_i, a] .
f(omega), so that what is learnt in one domain moves the policy of all. In a new domain a few episodes give the
factor's maximum-likelihood estimate, and the policy is deployed as it is: :func:`.adaptation.adapt`. Policies read own states
through a ``view`` (the components that the policy ACR keeps; Algorithm 4 of the paper), or those of all neighbours
(its Algorithm 1). Baselines differ in the conditioning alone: SAC-MTL is "one-hot" and SAC-FT "none", both ``fine_tune``d;
SAC-LFS is "none" with the target as its only source.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from ...base.arrays import Array, Ints
from ...base.checks import flag, generator, number, numbers, one_of, shaped, whole
from ...envs import answers
from ...envs.networked import identity
from ...envs.networked.neighbourhoods import hop_neighbourhoods, padded, surround
from ...errors import DataError
from ...representation.domain import hull_distance, warn_outside
from . import domains
from .actor import Actor, NeighbourStates, OwnState
from .checkpoint import Kept, Part, read_agent, restore, settings_of
from .conditioning import SCALE, Conditioning
from .critic import KEPT, Counts
from .learner import NetworkedLearner, converging, usual
from .rollout import Trajectory, batches, discounted, seeds, shared, state_codes, view_table
from .settings import Rate, Settings

# Algorithm 1 with step sizes that learn, chosen on the source domains of the wireless grids; GSAC.paper() has the printed ones
DEFAULTS = Settings.paper(
    gamma=0.95, temperature=0.5, critic_rate=Rate(0.4), actor_rate=Rate(0.2), baseline_rate=0.1, over_n=False
)


class GSAC(NetworkedLearner):
    """Actor-critic across M source environments of one network, each with learners x copies episodes at a time.

    sources: environments, alike but for their domain. factors: omega of each, (M,), (M, k), or (M, n, k) for one an agent.
    conditioning: "polynomial", "interpolation", "one-hot" or "none" (see :mod:`.conditioning`). schedule: an update plays
    episodes in "all" sources and follows their mean gradient, or in "one" drawn uniformly, as the paper does (drawn
    alike for all learners). inputs: "own" states or those of all "neighbours" (logits linear in each neighbour's state).
    view: (states,) or (n, states): what is seen of a state, such as :func:`.adaptation.compact_view`. conditioned: (n,) bool,
    agents whose policy depends on omega (a domain-factor ACR); None: all. shared_critic: one critic for all domains instead
    of one for each; None: only where the policy does not know the domain either.
    codes: (M, n, F) f(omega) of the sources where ``conditioning`` is one made for others, as in fine-tuning.
    theta (L, n, f, S, A, F); ``returns`` (M, L): mean undiscounted return of the last update, nan where none was played.
    """

    def __init__(
        self,
        sources: Sequence[Any],
        factors: Any,
        settings: Settings | None = None,
        *,
        conditioning: str | Conditioning = "polynomial",
        schedule: Literal["all", "one"] = "all",
        inputs: Literal["own", "neighbours"] = "own",
        learners: int = 1,
        seed: int = 0,
        view: Any = None,
        conditioned: Any = None,
        shared_critic: bool | None = None,
        counts: Counts | None = None,
        codes: Array | None = None,
    ) -> None:
        super().__init__()
        # what is learnt in, and how
        self.sources, self.settings = domains.environments(sources), usual(settings, DEFAULTS)
        self.seed, self.learners = whole("seed", seed, 0), whole("learners", learners, 1)
        self.schedule = one_of("schedule", schedule, ("all", "one"))
        self.inputs = one_of("inputs", inputs, ("own", "neighbours"))
        self.copies, self.network = domains.sources(self.sources, self.settings)
        shared(self.copies, self.learners)
        env, n, many = self.sources[0], int(self.sources[0].n_agents), len(self.sources)
        o = self.settings = self.settings.lasting(env)
        # what the policy knows: the domain, by its code, and the states, by the view
        self.conditioning = Conditioning.of(conditioning, factors, many, n)
        self.conditioned = domains.flags(conditioned, n)
        own = np.stack([self.masked(code) for code in self.conditioning.sources()])
        given, width = numbers("codes", own if codes is None else codes), self.conditioning.width
        self.codes = shaped("codes", given, (many, n, width), "domains, agents, length of f")
        self.view = view_table(env, view)
        # actor and critics
        self.n_actions = np.asarray(env.n_actions, dtype=np.int64)
        shape = (self.learners, n, int(self.view.max()) + 1, int(self.n_actions.max()))
        policy = (shape, self.n_actions, self.view, o.temperature)
        read = padded(hop_neighbourhoods(env.adjacency, 1)) if self.inputs == "neighbours" else None
        self.actor: Actor = OwnState(*policy) if read is None else NeighbourStates(*policy, read)
        self.theta: Array = np.zeros((*self.actor.shape, self.conditioning.width))
        alike = self.conditioning.kind == "none"
        self.shared_critic = alike if shared_critic is None else flag("shared_critic", shared_critic)
        around, count = surround(env.adjacency, o.kappa), 1 if self.shared_critic else many
        self.counts, self.critics = counts, [self.actor.critic(o, self.copies, around, counts) for _ in range(count)]
        self.baselines: Array = np.zeros((count, *shape[:3]))
        self.returns: Array = np.full((many, self.learners), np.nan)
        self._path = Trajectory.empty(o.length, self.copies, n)

    @staticmethod
    def paper(**others: Any) -> Settings:
        """The printed step sizes: alpha = 0.1 and eta = 0.01, both constant, a fresh table an episode, the factor 1/n."""
        literal = {"gamma": 0.95, "temperature": 0.5, "critic_rate": Rate(0.1), "actor_rate": Rate(0.01)}
        return Settings.paper(**{**literal, **others})

    @property
    def per_update(self) -> int:
        """Episodes of each learner in an update, over all sources."""
        return (len(self.sources) if self.schedule == "all" else 1) * self.copies // self.learners

    def update(self) -> None:
        """Episodes in the sources, temporal differences with the domain in the key, and theta += eta g f(omega)."""
        step, chosen = np.zeros_like(self.theta), self._chosen()
        self.returns[:] = np.nan
        for m in chosen:
            key = seeds(self.seed, self.updates * len(self.sources) + m)
            first, _ = answers.reset(self.sources[m], seed=key)
            self.actor.use(self.table(self.codes[m]))
            self.actor.roll(self.sources[m], key + 1, self._path, first)
            self.returns[m] = self._path.r.sum(0).mean(1).reshape(self.learners, -1).mean(1)
            k = 0 if self.shared_critic else m
            q = self.critics[k].learn(self._path, self.updates)
            gradient = self.actor.gradient(self.settings, self._path, q, self.critics[k], self.baselines[k])
            with np.errstate(over="ignore", invalid="ignore"):
                step += gradient[..., None] * self.codes[m][:, None, None, None, :]
        eta = self.settings.eta(self.updates, len(self.theta[0]))
        with np.errstate(over="ignore", invalid="ignore"):
            self.theta = converging(self.theta + eta / len(chosen) * step, self.updates)
        self.updates += 1

    def _chosen(self) -> Sequence[int]:
        """The sources that the present update plays in; for schedule "one" m ~ Unif{1..M}."""
        count = len(self.sources)
        if self.schedule == "all":
            return range(count)
        return [int(np.random.default_rng([self.seed, self.updates]).integers(count))]

    def last_return(self) -> float:
        """Mean return of the last update's trajectories, over sources, agents, copies and learners."""
        return float(np.nanmean(self.returns))

    def table(self, code: Array) -> Array:
        """theta . f, (L, n, f, S, A), of codes (n, F), or (L, n, F) for a domain a learner."""
        return np.einsum("lnksaf,lnf->lnksa", self.theta, np.broadcast_to(code, (self.learners, *code.shape[-2:])))

    def code(self, factor: Any = None, code: str = "unseen") -> Array:
        """f(omega) of a domain for every agent, (n, F); a factor outside the sources' hull is warned of."""
        if self.conditioning.kind in {"polynomial", "interpolation"}:
            if factor is None:
                raise DataError("this policy depends on the domain factor; give the target's, or estimate it by adapt")
            omega, known = self.conditioning.factor(factor), self.conditioning.factors
            spots = known.transpose(1, 0, 2) if known.ndim == 3 else known[None]
            worst = int(np.argmax([hull_distance(*pair) for pair in zip(omega, spots, strict=True)]))
            warn_outside(omega[worst], spots[worst], stacklevel=4)
        return self.masked(self.conditioning.target(factor, code))

    def policy(self, factor: Any = None, *, code: str = "unseen") -> Array:
        """pi_i(a | s_i, omega): (L, n, S, A), zero for actions that an agent does not have; own-state inputs only."""
        return self.actor.probabilities(self.table(self.code(factor, code)))

    def act(self, s: Any, factor: Any, rng: np.random.Generator | int, *, code: str = "unseen") -> Ints:
        """Draw actions (L, n) in the states s (L, n), one row a learner."""
        s = state_codes(s, self.sources[0].n_states, self.learners)
        return self.actor.sample(self.table(self.code(factor, code)), s, generator("rng", rng))

    def admit(self, target: Any) -> None:
        """Refuse another network than the one that it learnt on."""
        identity.require(target, self.network)

    def acting(self, factors: Sequence[Any], target: Any) -> Callable[[Any, np.random.Generator], Ints]:
        """What plays an episode in ``target``, whose copies the learners share evenly, learner l told ``factors[l]``: (s (E, n), rng) ->
        actions (E, n)."""
        codes = np.stack([self.masked(self.conditioning.target(factor)) for factor in factors])
        return partial(self.actor.sample, np.repeat(self.table(codes), target.n_envs // self.learners, axis=0))

    def evaluate(
        self,
        env: Any,
        factor: Any = None,
        episodes: int = 400,
        *,
        discount: float = 1.0,
        seed: int = 10**6,
        code: str = "unseen",
    ) -> Array:
        """Returns sum_t discount^t (1/n) sum_i r_i of each learner's policy as it is in the domain ``env``: (L, episodes)."""
        self.admit(env)
        discount = number("discount", discount, 0.0, 1.0)
        self.actor.use(self.table(self.code(factor, code)))
        paths = batches(env, self.actor.roll, self.learners, episodes=episodes, seed=seed)
        return discounted(paths, discount, self.learners)[:, :episodes]

    def fine_tune(self, target: Any, factor: Any = None, *, code: str = "unseen", seed: int | None = None) -> GSAC:
        """A new agent that goes on learning in the target from this one's parameters (SAC-FT, SAC-MTL): call its learn.

        A shared critic goes along; one that is keyed by the domain begins anew, the target being none of them.
        """
        self.admit(target)
        settings, conditioning, codes = self.settings, self.conditioning, self.code(factor, code)[None]
        names = ("inputs", "learners", "view", "conditioned", "shared_critic", "counts")
        kept = {name: getattr(self, name) for name in names}
        seed = self.seed + 1 if seed is None else seed
        agent = GSAC([target], None, settings, conditioning=conditioning, codes=codes, seed=seed, **kept)
        agent.theta[:] = self.theta
        if self.shared_critic:
            for name in KEPT:
                setattr(agent.critics[0], name, getattr(self.critics[0], name).copy())
            agent.baselines[:] = self.baselines
        return agent

    def grow(self, capacity: int) -> None:
        """Give every kept table this many entries (a power of two); nothing learnt is lost."""
        settings = dataclasses.replace(self.settings, capacity=capacity)
        self.critics, self.settings = [c.grown(settings) for c in self.critics], settings

    def kept(self) -> Kept:
        """The sources, what the policy knows of states and domains, and the arrays of actor and critics."""
        header = {name: getattr(self, name) for name in ("schedule", "inputs", "shared_critic", "episodes")}
        header |= {"conditioning": self.conditioning.kind, "scale": SCALE}
        header["domains"] = [identity.domain(env) for env in self.sources]
        given = {"view": self.view, "conditioned": self.conditioned, "codes": self.codes}
        critics: list[Part] = [(f"critic{k}", critic, KEPT) for k, critic in enumerate(self.critics)]
        learnt: list[Part] = [("", self, ("theta", "baselines")), *critics]
        return Kept(header, {**given, "factors": self.conditioning.factors}, learnt)

    @classmethod
    def load(cls, path: str | Path, sources: Sequence[Any], *, counts: Counts | None = None) -> Self:
        """What ``save`` wrote, on the source domains that it was learnt in; learning goes on as if it had not stopped."""
        options, given = ("schedule", "inputs", "learners", "seed", "shared_critic"), ("view", "conditioned", "codes")
        needs = (*options, "conditioning", "domains", "scale")
        envs, (header, arrays) = domains.environments(sources), read_agent(path, cls, needs, (*given, "factors"))
        if header["scale"] != SCALE:
            raise DataError(f"{path} has its factors on the scale {header['scale']!r}, not {SCALE!r}; learn anew")
        factors, o = arrays["factors"], settings_of(path, header["settings"])
        domains.same_domains(path, header, factors, envs)
        conditioning = Conditioning.of(header["conditioning"], factors, len(factors), int(envs[0].n_agents))
        kept = {name: header[name] for name in options} | {name: arrays[name] for name in given}
        agent = cls(envs, None, o, conditioning=conditioning, counts=counts, **kept)
        if agent.copies != header["copies"]:
            raise DataError(f"{path} was learnt with {header['copies']} copies a domain, not {agent.copies}")
        restore(path, agent, header, arrays)
        return agent

    def masked(self, code: Array) -> Array:
        """A code (1 or n, F) for every agent (n, F); agents that omega does not concern see the sources' centre."""
        n = len(self.conditioned)
        out = np.broadcast_to(code, (n, code.shape[-1])).copy()
        if not self.conditioned.all():
            centre = self.conditioning.target(self.conditioning.factors.mean(0))
            out[~self.conditioned] = np.broadcast_to(centre, out.shape)[~self.conditioned]
        return out
