"""Settings of the neural networked learner."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ....base.checks import number, one_of, whole
from ....errors import DataError, NotApplicable
from ...single.settings import check_range, check_widths
from ..settings import Rate

Hops = int | Literal["all"]
READS = ("rings", "mean", "slots", "attention")
PARAMETERS = ("shared", "embedded", "each")
MOST_HOPS = 1000
LEARNING, ENTROPY = Rate(1e-3), Rate(0.01)


@dataclass(frozen=True)
class NeuralSettings:
    """What NetworkedPPO is told. kappa 0 is independent PPO (IPPO), "all" is MAPPO, ``critic_reads="mean"`` a mean-field critic.

    Where a Rate is due, a number c stands for Rate(c).
    """

    kappa: Hops = 1
    """hops of the critic's neighbourhood, and of the rewards that an agent's advantage sums; "all": everybody"""
    kappa_policy: Hops | None = None
    """hops that a policy reads; None: kappa, and 0 (its own observation) where kappa is "all", as in MAPPO"""
    policy_reads: Literal["rings", "mean", "slots", "attention"] = "rings"
    """how a policy reads a neighbourhood: the mean of each ring of it ("rings"), one mean of all of it ("mean"), each neighbour
    in a place of its own ("slots", in the order of their numbers), or a learnt weighting ("attention")"""
    critic_reads: Literal["rings", "mean", "slots", "attention"] = "rings"
    "the same of the critic"
    parameters: Literal["shared", "embedded", "each"] = "shared"
    """one network for all agents, one that is told who acts by a learnt vector an agent ("embedded"), or one an agent ("each")"""
    hidden: tuple[int, ...] = (32, 32)
    "widths of the hidden layers"
    activation: Literal["relu", "tanh"] = "relu"
    "of the hidden layers"
    memory: int = 0
    "numbers that each agent's recurrent cell remembers; 0: none, the policy sees the present alone"
    sequence: int = 16
    "steps through which gradients flow back in a memory"
    gamma: float = 0.95
    "discount"
    gae_lambda: float = 0.95
    "lambda of the advantages: 1 trusts the rewards that followed, 0 the values learnt"
    steps: int | None = None
    "steps of every copy between updates; None: a whole episode, the environment's horizon"
    epochs: int = 4
    "passes over the steps of an update"
    batch_size: int = 4096
    "agents times steps of a gradient step"
    lr: Rate = LEARNING
    "step size of Adam"
    clip: float = 0.2
    "the ratio of new to old probability counts within 1 - clip and 1 + clip"
    entropy: Rate = ENTROPY
    "weight of the policy's entropy in the objective"
    value: float = 0.5
    "weight of the error of the values"
    max_grad_norm: float = 0.5
    "longer gradients are cut to this length"
    scale: Literal["agent", "all", "none"] = "all"
    """advantages are divided by their deviation, an agent's own or that of all, or left as they are"""
    spread: float = 0.6
    "first standard deviation of continuous actions"

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        **dict.fromkeys(("sequence", "epochs", "batch_size", "steps"), (1, 1e9)),
        **dict.fromkeys(("max_grad_norm", "clip", "spread"), (1e-12, 1e12)),
        **dict.fromkeys(("gamma", "gae_lambda"), (0, 1)),
        "memory": (0, 1e5),
        "value": (0, 1e6),
    }
    FIXED: ClassVar[tuple[str, ...]] = (
        "kappa",
        "kappa_policy",
        "policy_reads",
        "critic_reads",
        "parameters",
        "hidden",
        "activation",
        "memory",
        "spread",
    )
    "what a learner that has begun cannot change: its weights have these shapes"

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", check_widths(self.hidden))
        check_range(self, self.RANGES)
        for name, choices in (
            ("policy_reads", READS),
            ("critic_reads", READS),
            ("parameters", PARAMETERS),
            ("activation", ("relu", "tanh")),
            ("scale", ("agent", "all", "none")),
        ):
            one_of(name, getattr(self, name), choices)
        for name in ("lr", "entropy"):
            given = getattr(self, name)
            object.__setattr__(self, name, given if isinstance(given, Rate) else Rate(number(name, given, 0.0)))
        object.__setattr__(self, "kappa", hops("kappa", self.kappa))
        if self.kappa_policy is not None:
            object.__setattr__(self, "kappa_policy", hops("kappa_policy", self.kappa_policy))
        if self.memory and "attention" in (self.policy_reads, self.critic_reads):
            raise NotApplicable(
                "attention has no memory; write policy_reads and critic_reads other than 'attention', or memory=0"
            )

    @property
    def policy_hops(self) -> Hops:
        """What a policy reads, once None is resolved."""
        if self.kappa_policy is not None:
            return self.kappa_policy
        return 0 if self.kappa == "all" else self.kappa

    def given(self) -> dict[str, Any]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def hops(name: str, value: Any) -> Hops:
    """A number of hops, or "all"."""
    if isinstance(value, str):
        if value != "all":
            raise DataError(f'{name} is {value!r}; write a whole number of hops, or "all"')
        return "all"
    return whole(name, value, 0, MOST_HOPS)


def settings_of(path: Any, kept: Any, changes: Mapping[str, Any]) -> NeuralSettings:
    """The settings in a checkpoint's header, with ``changes``; those that weights hang on cannot be changed."""
    names = [field.name for field in dataclasses.fields(NeuralSettings)]
    if not isinstance(kept, dict) or sorted(kept) != sorted(names):
        raise DataError(f"{path} is damaged: its settings are {kept!r}; take an older copy, or learn anew")
    for name in changes:
        if name not in names:
            raise DataError(f"there is no setting {name!r}; they are {', '.join(names)}")
        was = tuple(kept[name]) if isinstance(kept[name], list) else kept[name]
        if name in NeuralSettings.FIXED and changes[name] != was:
            raise NotApplicable(
                f"{name} is {kept[name]!r} in {path}, and the weights hang on it; learn anew to change it"
            )
    told: dict[str, Any] = {name: Rate(**value) if isinstance(value, dict) else value for name, value in kept.items()}
    told["hidden"] = tuple(told["hidden"])
    return NeuralSettings(**{**told, **changes})
