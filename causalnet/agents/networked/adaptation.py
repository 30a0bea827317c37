"""GSAC around the learner: from causal masks to what a policy reads (phase 2), and deployment in a new domain (phase 4).

Phase 4 of arXiv 2510.21427 maximises nothing: it estimates the target's factor by maximum likelihood from the episodes
played so far and acts by pi(. | s, omega_hat). The expected loss is linear in |omega_hat - omega|, hence O(1 / sqrt(T_a)).
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from scipy import sparse

from ...base.arrays import Array, Bools, Codes
from ...base.asked import asks
from ...base.checks import function, generator, instance, names, whole
from ...data.rollouts import collect
from ...data.transitions import Transitions, pool
from ...envs.networked.components import components_of, names_of, radices_of
from ...envs.networked.identity import network
from ...envs.networked.neighbourhoods import influencers
from ...errors import DataError
from ...graph.causal_masks import CausalMasks
from ...representation.acr import compact_codes, domain_acr, kept_components, policy_acr
from ...representation.domain import DomainFactor, hull_distance, warn_outside
from .conditioning import Conditioning
from .rollout import seeds

Estimate = Callable[[Transitions], DomainFactor]
LEARNT = "a GSAC, or a NetworkedPPO with factors, that has learnt in its source domains"


@dataclass(frozen=True, eq=False)
class Adaptation:
    """returns (L, T_a): mean undiscounted return of each episode as played, the first with no estimate yet. factors
    (L, T_a, ...): the estimate after each episode; ``factor`` (L, ...) is the last. distance (L,): of it from the hull of
    the sources' factors, 0 inside."""

    returns: Array
    factors: Array
    distance: Array

    @property
    def factor(self) -> Array:
        """omega_hat of each learner after all episodes."""
        return np.asarray(self.factors[:, -1])


@runtime_checkable
class Deployable(Protocol):
    """A learner whose policy is told the domain's factor: GSAC and NetworkedPPO. learners: L, who share a target's copies."""

    learners: int
    conditioning: Any

    def admit(self, target: Any) -> None:
        """Refuse what is another network than the one that it learnt on."""

    def acting(self, factors: Sequence[Any], target: Any) -> Callable[[Any, np.random.Generator], Any]:
        """(states (E, n), rng) -> actions (E, n) of an episode, learner l told ``factors[l]``."""


def adapt(agent: Deployable, target: Any, estimate: Estimate, episodes: int = 20, *, seed: int = 0) -> Adaptation:
    """Deploy in the domain ``target`` without training: play, estimate omega from all episodes so far, play by it.

    agent: a GSAC, or a NetworkedPPO that learnt with ``factors`` and sees codes. target: an environment whose copies the
    learners share evenly; each learns omega from its own. estimate: transitions ->
    DomainFactor, such as ``lambda t: bernoulli_factor(t, "b_2")`` or a ``maximum_likelihood``. The first episode is played for the
    sources' mean factor. A final estimate outside the sources' hull (by more than two standard errors) is warned of, with
    the distance.
    """
    told = instance("agent", agent, Deployable, LEARNT).conditioning
    if told is None:
        raise DataError("this policy is told no factor, so there is none to estimate; train it with factors")
    agent.admit(target)
    count, length = agent.learners, target.horizon
    if length is None or not target.n_envs or target.n_envs % count:
        raise DataError(
            f"adapt needs one copy of the target for each of {count} learners, or as many more for each, and episodes that end; "
            f"this environment has n_envs={target.n_envs} and horizon={length}: make it with n_envs={count} and "
            f"horizon={length or 'its steps'}"
        )
    seed, episodes, each = whole("seed", seed, 0), whole("episodes", episodes, 1), target.n_envs // count
    function("estimate", estimate, "transitions", "a DomainFactor", needed=True)
    known: list[Any] = [told.factors.mean(0)] * count
    data: list[list[Transitions]] = [[] for _ in range(count)]
    returns, factors, latest = np.empty((count, episodes)), [], []
    for k in range(episodes):
        path = collect(target, agent.acting(known, target), seed=seeds(seed, k))
        returns[:, k] = path.rewards.reshape(count, each, length, -1).sum(2).mean((1, 2))
        for learner, past in enumerate(data):
            past.append(path.take(np.flatnonzero(path.episode // each == learner)))
        latest = [_estimated(estimate, pool(past)) for past in data]
        known = [found.value for found in latest]
        factors.append([np.asarray(value) for value in known])
    return Adaptation(returns, np.stack(factors, axis=1), _distances(told, latest))


def compact_view(env: Any, masks: CausalMasks, kappa: int | None = None) -> tuple[Codes, Bools]:
    """What a policy reads after the masks: view (n, most states) of state codes, and conditioned (n,), for :class:`GSAC`.

    view numbers the values of the components that the policy ACR keeps (kappa None: Algorithm 2, else Algorithm 3);
    conditioned says whether the domain-factor ACR keeps any factor for the agent. Agents that would see all their states
    alike, because the masks show no component that any reward depends on, are warned of.
    """
    n, most = int(network(env).n_agents), int(np.max(env.n_states))
    instance("masks", masks, CausalMasks, "CausalMasks, as learn_masks and true_masks give")
    if masks.n_agents != n or masks.components != names_of(env):
        raise DataError(
            f"the masks are of {masks.n_agents} agents with components {', '.join(masks.components)}, and this network has "
            f"{n} with {', '.join(names_of(env))}"
        )
    differ = (masks.neighbours != influencers(env.adjacency)).nonzero()
    if differ[0].size:
        raise DataError(
            f"agents {differ[0][0]} and {differ[1][0]} are neighbours in only one of the masks and this network; take its masks"
        )
    acr = policy_acr(masks, kappa)
    codes = np.minimum(np.arange(most)[:, None], np.asarray(env.n_states) - 1)  # (most, n)
    seen, _ = compact_codes(components_of(env, codes), kept_components(acr, masks.n_components), radices_of(env))
    conditioned = np.asarray(domain_acr(masks, acr).sum(axis=1)).ravel() > 0
    blind = np.flatnonzero((seen.max(axis=0) == 0) & (np.asarray(env.n_states) > 1))
    if blind.size:
        warnings.warn(
            f"agent{'s' * (blind.size > 1)} {', '.join(map(str, blind[:10]))}{', ...' * (blind.size > 10)} would see all "
            "states alike: the masks show no component of theirs that a reward depends on, so their policies could not "
            "depend on the state; learn the masks from more transitions, or use full_masks",
            UserWarning,
            stacklevel=2,
        )
    return np.ascontiguousarray(seen.T, dtype=np.int32), conditioned


def random_masks(like: CausalMasks, rng: np.random.Generator | int) -> CausalMasks:
    """The control: every part keeps its density, its entries are drawn at random; pooled masks stay alike for all agents."""
    rng = generator("rng", rng)

    def shuffled(part: Bools) -> Bools:
        first = part[:1]
        if len(part) and (part == first).all():
            return np.broadcast_to(rng.permutation(first.ravel()).reshape(first.shape), part.shape).copy()
        return rng.permutation(part.ravel()).reshape(part.shape)

    parts: dict[str, Any] = {name: shuffled(getattr(like, name)) for name in ("own", "other", "domain")}
    return dataclasses.replace(like, **parts, meta={"control": "random masks of equal density"})


@asks("components")
def full_masks(neighbours: sparse.csr_matrix, components: Sequence[str]) -> CausalMasks:
    """The control without masks: everything acts on everything, so nothing is dropped."""
    components = names("components", components)
    if not sparse.issparse(neighbours):
        raise DataError(f"neighbours is of type {type(neighbours).__name__}, and must be a sparse matrix (n, n)")
    n, width = neighbours.shape[0], len(components) + 1
    shapes = (n, width, width), (neighbours.nnz, width, width), (n, width)
    own, other, domain = (np.ones(shape, bool) for shape in shapes)
    return CausalMasks(own, other, domain, neighbours, tuple(components), {"control": "no masks"})


def _estimated(estimate: Estimate, data: Transitions) -> DomainFactor:
    what = "a DomainFactor, as bernoulli_factor and maximum_likelihood give; wrap a number: DomainFactor(value, standard_error, ...)"
    return instance("what estimate returns", estimate(data), DomainFactor, what)


def _distances(told: Conditioning, found: Sequence[DomainFactor]) -> Array:
    """Distance of each learner's estimate from the hull; one warning, for the farthest."""
    spots = told.factors.reshape(len(told.factors), -1)
    wide = [told.factor(f.value) for f in found]
    flat = [w.ravel() if told.factors.ndim == 3 else w.mean(0) for w in wide]
    far = np.array([hull_distance(row, spots) for row in flat])
    if far.any():
        worst = int(far.argmax())
        error = float(np.linalg.norm(np.nan_to_num(found[worst].standard_error)))
        warn_outside(flat[worst], spots, error, stacklevel=4)  # the line that called adapt
    return far
