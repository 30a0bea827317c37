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
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...base import checks
from ...base.arrays import Array
from ...envs.networked import identity
from ...envs.networked.neighbourhoods import check_adjacency, hop_neighbourhoods, padded
from ...errors import DataError
from ...representation.domain import hull_distance, warn_outside
from ...storage.checkpoint import flat, nested, read, write
from . import checks as given
from . import domains
from .actor import NeighbourStates, OwnState
from .conditioning import SCALE, Conditioning
from .critic import Counts
from .rollout import Trajectory, seeds, view_table
from .settings import Rate, Settings

# Algorithm 1 with step sizes that learn, chosen on the source domains of the wireless grids; GSAC.paper() has the printed ones
DEFAULTS = Settings(
    gamma=0.95, temperature=0.5, critic="table", fresh=True, critic_rate=Rate(0.4), trace=0.0,
    actor_rate=Rate(0.2), gradient="score", baseline_rate=0.1,
)  # fmt: skip
_CRITIC = ("weights", "visits", "keys", "mu")
_HEADER = (
    "settings", "seed", "conditioning", "schedule", "inputs", "learners", "shared_critic", "updates", "episodes",
    "network", "copies", "domains", "scale",
)  # fmt: skip
_ARRAYS = ("theta", "baselines", "view", "conditioned", "codes", "factors")


class GSAC:
    """Actor-critic across M source environments of one network, each with learners x copies episodes at a time.

    sources: environments, alike but for their domain. factors: omega of each, (M,), (M, k), or (M, n, k) for one an agent.
    conditioning: "polynomial", "interpolation", "one-hot" or "none" (see ``_conditioning``). schedule: an update plays
    episodes in "all" sources and follows their mean gradient, or in "one" drawn uniformly, as the paper does (drawn
    alike for all learners). inputs: "own" states or those of all "neighbours" (logits linear in each neighbour's state).
    view: (states,) or (n, states): what is seen of a state, such as :func:`.adaptation.compact_view`. conditioned: (n,) bool,
    agents whose policy depends on omega (a domain-factor ACR); None: all. shared_critic: one critic for all domains instead
    of one for each; None: only where the policy does not know the domain either.
    codes: (M, n, F) f(omega) of the sources where ``conditioning`` is one made for others, as in fine-tuning.
    theta (L, n, f, S, A, F); ``returns`` (M, L): mean undiscounted return of the last update, nan where none was played.
    """

    def __init__(
        self, sources: Sequence[Any], factors: Any, settings: Settings | None = None, *, conditioning: str | Conditioning = "polynomial",
        schedule: Literal["all", "one"] = "all", inputs: Literal["own", "neighbours"] = "own", learners: int = 1,
        seed: int = 0, view: Any = None, conditioned: Any = None, shared_critic: bool | None = None,
        counts: Counts | None = None, codes: Array | None = None,
    ) -> None:  # fmt: skip
        self.sources, self.settings = domains.environments(sources), given.settings(settings, DEFAULTS)
        self.seed = checks.whole("seed", seed, 0)
        self.learners, self.schedule, self.inputs = checks.whole("learners", learners, 1), schedule, inputs
        checks.one_of("schedule", schedule, ("all", "one"))
        checks.one_of("inputs", inputs, ("own", "neighbours"))
        self.copies, self.network = domains.sources(self.sources, self.learners, self.settings)
        env, n = self.sources[0], int(self.sources[0].n_agents)
        self.settings = given.lasting(self.settings, env)
        if not isinstance(conditioning, Conditioning):
            conditioning = Conditioning.of(conditioning, factors, len(self.sources), n)
        self.conditioning = conditioning
        self.shared_critic = (
            conditioning.kind == "none" if shared_critic is None else checks.flag("shared_critic", shared_critic)
        )
        self.view = view_table(env, view)
        self.conditioned = domains.flags(conditioned, n)
        self.n_actions = np.asarray(env.n_actions, dtype=np.int64)
        adjacency = check_adjacency(sparse.csr_matrix(env.adjacency))
        near = padded(hop_neighbourhoods(adjacency, self.settings.kappa))
        shape = (self.learners, n, int(self.view.max()) + 1, int(self.n_actions.max()))
        if inputs == "own":
            self.actor: OwnState | NeighbourStates = OwnState(self.settings, shape, self.n_actions, self.view)
        else:
            seen = padded(hop_neighbourhoods(adjacency, 1))
            self.actor = NeighbourStates(self.settings, shape, self.n_actions, self.view, seen)
        self.theta: Array = np.zeros((*self.actor.shape, self.conditioning.width))
        own = np.stack([self.masked(code) for code in conditioning.sources()])
        self.codes = domains.codes(own if codes is None else codes, len(self.sources), n, conditioning.width)
        self.critics = [
            self.actor.critic(shape, self.copies, near, counts)
            for _ in range(1 if self.shared_critic else len(self.sources))
        ]
        self.baselines: Array = np.zeros((len(self.critics), *shape[:3]))
        self.updates, self.episodes = 0, 0
        self.returns: Array = np.full((len(self.sources), self.learners), np.nan)
        self._near = near
        self._path = Trajectory.empty(self.settings.length, self.copies, n)

    @staticmethod
    def paper(**others: Any) -> Settings:
        """The printed step sizes: alpha = 0.1 and eta = 0.01, both constant, a fresh table an episode, the factor 1/n."""
        literal = {"gamma": 0.95, "temperature": 0.5, "critic_rate": Rate(0.1), "actor_rate": Rate(0.01)}
        return Settings.paper(**{**literal, **others})

    def learn(self, episodes: int, *, on_update: Callable[[GSAC], None] | None = None) -> GSAC:
        """Phase 3: update until each learner has played ``episodes`` more, over all sources (rounded up to updates)."""
        goal = self.episodes + checks.whole("episodes", episodes, 0)
        checks.function("on_update", on_update)
        while self.episodes < goal:
            self.update()
            if on_update is not None:
                on_update(self)
        return self

    def update(self) -> None:
        """Episodes in the sources, temporal differences with the domain in the key, and theta += eta g f(omega)."""
        count, step = len(self.sources), np.zeros_like(self.theta)
        chosen: Sequence[int] = range(count)
        if self.schedule == "one":  # m ~ Unif{1..M}
            chosen = [int(np.random.default_rng([self.seed, self.updates]).integers(count))]
        self.returns[:] = np.nan
        for m in chosen:
            key = seeds(self.seed, self.updates * count + m)
            first, _ = self.sources[m].reset(seed=key)
            self.actor.use(self.table(self.codes[m]))
            self.actor.roll(self.sources[m], key + 1, self._path, first)
            self.returns[m] = self._path.r.sum(0).mean(1).reshape(self.learners, -1).mean(1)
            k = 0 if self.shared_critic else m
            q = self.critics[k].learn(self._path, self.updates)
            gradient = self.actor.gradient(self._path, q, self.critics[k], self._near, self.baselines[k])
            with np.errstate(over="ignore", invalid="ignore"):
                step += gradient[..., None] * self.codes[m][:, None, None, None, :]
        eta = float(self.settings.actor_rate.at(self.updates)[0]) / (len(self.theta[0]) if self.settings.over_n else 1)
        with np.errstate(over="ignore", invalid="ignore"):
            self.theta = given.converging(self.theta + eta / len(chosen) * step, self.updates)
        self.updates += 1
        self.episodes += len(chosen) * self.copies // self.learners

    def table(self, code: Array) -> Array:
        """theta . f, (L, n, f, S, A), of codes (n, F), or (L, n, F) for a domain a learner."""
        return np.einsum("lnksaf,lnf->lnksa", self.theta, np.broadcast_to(code, (self.learners, *code.shape[-2:])))

    def code(self, factor: Any = None, code: str = "unseen") -> Array:
        """f(omega) of a domain for every agent, (n, F); a factor outside the sources' hull is warned of."""
        if self.conditioning.kind in {"polynomial", "interpolation"}:
            if factor is None:
                raise DataError(
                    "this policy depends on the domain factor; give the target's, or estimate it with adapt()"
                )
            omega, known = self.conditioning.factor(factor), self.conditioning.factors
            spots = known.transpose(1, 0, 2) if known.ndim == 3 else known[None]
            worst = int(np.argmax([hull_distance(*pair) for pair in zip(omega, spots, strict=True)]))
            warn_outside(omega[worst], spots[worst], stacklevel=4)
        return self.masked(self.conditioning.target(factor, code))

    def policy(self, factor: Any = None, *, code: str = "unseen") -> Array:
        """pi_i(a | s_i, omega): (L, n, S, A), zero for actions that an agent does not have; own-state inputs only."""
        return self.actor.probabilities(self.table(self.code(factor, code)))

    def act(self, s: Any, factor: Any, rng: np.random.Generator | int, *, code: str = "unseen") -> NDArray[np.int64]:
        """Draw actions (L, n) in the states s (L, n), one row a learner."""
        return self.actor.sample(self.table(self.code(factor, code)), self._states(s), checks.generator("rng", rng))

    def evaluate(
        self, env: Any, factor: Any = None, episodes: int = 400, *, discount: float = 1.0, seed: int = 10**6,
        code: str = "unseen",
    ) -> Array:  # fmt: skip
        """Returns sum_t discount^t (1/n) sum_i r_i of each learner's policy as it is in the domain ``env``: (L, episodes)."""
        identity.require(env, self.network)
        episodes, seed = checks.whole("episodes", episodes, 1), checks.whole("seed", seed, 0)
        discount = checks.number("discount", discount, 0.0, 1.0)
        table, done = self.table(self.code(factor, code)), 0
        found: list[Array] = []
        copies = env.n_envs or 1
        if copies % self.learners or env.horizon is None:
            raise DataError(
                f"the environment has {copies} copies and horizon {env.horizon}; {self.learners} learners need a multiple "
                "of that many copies, and episodes that end"
            )
        path = Trajectory.empty(env.horizon, copies, env.n_agents)
        self.actor.use(table)
        weight = discount ** np.arange(env.horizon)
        while done < episodes:
            key = seeds(seed, len(found))
            first, _ = env.reset(seed=key)
            self.actor.roll(env, key + 1, path, first)
            found.append(np.tensordot(weight, path.r.mean(axis=2), axes=1).reshape(self.learners, -1))
            done += copies // self.learners
        return np.concatenate(found, axis=1)[:, :episodes]

    def fine_tune(self, target: Any, factor: Any = None, *, code: str = "unseen", seed: int | None = None) -> GSAC:
        """A new agent that goes on learning in the target from this one's parameters (SAC-FT, SAC-MTL): call its learn.

        A shared critic goes along; one that is keyed by the domain begins anew, the target being none of them.
        """
        identity.require(target, self.network)
        agent = GSAC(
            [target], None, self.settings, conditioning=self.conditioning, codes=self.code(factor, code)[None],
            inputs=self.inputs, learners=self.learners, seed=self.seed + 1 if seed is None else seed, view=self.view,
            conditioned=self.conditioned, shared_critic=self.shared_critic, counts=self.critics[0].counts,
        )  # fmt: skip
        agent.theta[:] = self.theta
        if self.shared_critic:
            for name in _CRITIC:
                setattr(agent.critics[0], name, getattr(self.critics[0], name).copy())
            agent.baselines[:] = self.baselines
        return agent

    def grow(self, capacity: int) -> None:
        """Give every kept table this many entries (a power of two); nothing learnt is lost."""
        settings = dataclasses.replace(self.settings, capacity=capacity)
        self.critics, self.settings = [c.grown(settings) for c in self.critics], settings

    def save(self, path: str | Path) -> Path:
        """Write everything learnt as one npz file with a JSON header."""
        header = {
            "class": type(self).__name__, "settings": dataclasses.asdict(self.settings), "seed": self.seed,
            "conditioning": self.conditioning.kind, "schedule": self.schedule, "inputs": self.inputs,
            "learners": self.learners, "shared_critic": self.shared_critic, "updates": self.updates,
            "episodes": self.episodes, "scale": SCALE, **domains.kept(self),
        }  # fmt: skip
        arrays: dict[str, NDArray[Any]] = {
            "theta": self.theta, "baselines": self.baselines, "view": self.view, "conditioned": self.conditioned,
            "codes": self.codes, "factors": self.conditioning.factors,
        }  # fmt: skip
        for k, critic in enumerate(self.critics):
            arrays |= flat(f"critic{k}", {name: getattr(critic, name) for name in _CRITIC})
        return write(path, header, arrays)

    @classmethod
    def load(cls, path: str | Path, sources: Sequence[Any], *, counts: Counts | None = None) -> GSAC:
        """What ``save`` wrote, on the source domains that it was learnt in; learning goes on as if it had not stopped."""
        envs = domains.environments(sources)
        header, arrays = read(path)
        if header.get("class") != cls.__name__:
            raise DataError(f"{path} holds a {header.get('class')}, not a {cls.__name__}")
        given.damaged(path, header, arrays, _HEADER, _ARRAYS)
        if header["scale"] != SCALE:
            raise DataError(f"{path} has its factors on the scale {header['scale']!r}, not {SCALE!r}; learn anew")
        factors = arrays["factors"]
        domains.same_domains(path, header, factors, envs)
        conditioning = Conditioning.of(header["conditioning"], factors, len(factors), int(envs[0].n_agents))
        agent = cls(
            envs, None, given.settings_of(path, header["settings"]), conditioning=conditioning, codes=arrays["codes"],
            schedule=header["schedule"], inputs=header["inputs"], learners=header["learners"], seed=header["seed"],
            view=arrays["view"], conditioned=arrays["conditioned"], shared_critic=header["shared_critic"], counts=counts,
        )  # fmt: skip
        if agent.copies != header["copies"]:
            raise DataError(f"{path} was learnt with {header['copies']} copies a domain, not {agent.copies}")
        agent.updates = checks.whole(f"updates in {path}", header["updates"], 0)
        agent.episodes = checks.whole(f"episodes in {path}", header["episodes"], 0)
        for name in ("theta", "baselines"):
            given.put(agent, name, arrays, path)
        for k, critic in enumerate(agent.critics):
            for name in _CRITIC:
                given.put(critic, name, nested(arrays, f"critic{k}"), path)
        return agent

    def masked(self, code: Array) -> Array:
        """A code (1 or n, F) for every agent (n, F); agents that omega does not concern see the sources' centre."""
        n = len(self.n_actions)
        out = np.broadcast_to(code, (n, code.shape[-1])).copy()
        if not self.conditioned.all():
            centre = self.conditioning.target(self.conditioning.factors.mean(0))
            out[~self.conditioned] = np.broadcast_to(centre, out.shape)[~self.conditioned]
        return out

    def _states(self, s: Any) -> NDArray[np.int64]:
        s = np.asarray(s)
        sizes = np.asarray(self.sources[0].n_states)
        if s.shape != (self.learners, len(sizes)) or s.dtype.kind not in "iu" or (s < 0).any() or (s >= sizes).any():
            raise DataError(
                f"states are codes ({self.learners}, {len(sizes)}), a row a learner, within n_states of the network"
            )
        return s.astype(np.int64)
