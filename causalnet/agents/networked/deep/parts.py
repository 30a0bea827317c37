"""What a learner is made of, from an environment and settings: what is read, how actions are drawn, what is told of domains."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse

from ....base.arrays import Array
from ....errors import DataError, NotApplicable
from ..conditioning import Conditioning
from .attention import Attention
from .choices import Categorical, Choice, Gaussian
from .inputs import reader
from .play import Sight
from .reach import MOST_PAIRS, Reach, balls
from .settings import NeuralSettings
from .sources import Sources, codes_of
from .towers import Own, Tower
from .world import World, actions_table


def length_of(world: World, s: NeuralSettings) -> int:
    """Steps between updates."""
    if s.steps is None and world.horizon is None:
        raise DataError("the environment has no horizon, so say how long an episode is: write steps=...")
    return min(s.steps or 10**9, world.horizon or 10**9)


def sight_of(world: World, s: NeuralSettings, view: Any, extra: torch.Tensor | None, device: torch.device) -> Sight:
    """What policies and critics read; where both read alike, it is read once."""
    width = None if world.n_states is not None else int(world.reset(0)[0].shape[2])
    wanted = (s.policy_hops, s.policy_reads), (s.kappa, s.critic_reads)
    policy, critic = (Reach.of(world.influence, k, how, device) for k, how in wanted)
    alike = wanted[0] == wanted[1]
    return Sight(reader(world, view, device, width), policy, policy if alike else critic, alike, extra)


def choice_of(world: World, s: NeuralSettings, device: torch.device) -> Choice:
    """How actions are drawn."""
    if world.n_actions is None:
        return Gaussian(world.action_size, s.spread)
    return Categorical(int(world.n_actions.max()), actions_table(world), device)


def network_of(
    world: World, s: NeuralSettings, role: str, given: Any, width: int, out: int, rng: np.random.Generator
) -> Any:
    """The policy or the critic: the caller's, a tower, or one that weighs its neighbours."""
    policy = role == "policy"
    hops, how = (s.policy_hops, s.policy_reads) if policy else (s.kappa, s.critic_reads)
    if given is not None:
        if s.memory or how == "attention":
            raise NotApplicable(
                f"memory and attention are parts of the networks made here; with a {role} of your own, write memory=0 and "
                f"{role}_reads='rings', 'mean' or 'slots'"
            )
        return Own(given, width, out)
    gain = 0.01 if policy else 1.0
    if how != "attention":
        return Tower(world.n, width, out, s, gain, rng)
    if hops == "all" and world.n**2 > MOST_PAIRS:
        raise NotApplicable(f"attention to all of {world.n:,} agents has {world.n**2:,} pairs; give a number of hops")
    whole = sparse.csr_matrix(np.ones((world.n, world.n), bool)) if hops == "all" else balls(world.influence, hops)[-1]
    return Attention(whole, width, out, s, gain, rng)


def as_extra(codes: Array, device: torch.device) -> torch.Tensor:
    """f(omega), (E or 1, n or 1, F) -> (n or 1, E or 1, F)."""
    return torch.tensor(codes.transpose(1, 0, 2), dtype=torch.float32, device=device)


def conditioned(
    factors: Any, sources: Sources | None, world: World, device: torch.device
) -> tuple[Conditioning | None, torch.Tensor | None]:
    """What policies are told of the domain, and f(omega) of each copy."""
    if factors is None:
        return None, None
    if sources is None:
        raise DataError("factors tell source domains apart: give a list of environments, one a domain")
    many = len(sources.worlds)
    found = factors if isinstance(factors, Conditioning) else Conditioning.of("polynomial", factors, many, world.n)
    return found, as_extra(codes_of(found, sources.worlds), device)
