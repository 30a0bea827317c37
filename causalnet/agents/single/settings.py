"""Settings of an agent: a frozen dataclass, presets on top of its defaults, and the caller's values on top of those."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from ...base.checks import flag, known, number, whole
from ...errors import DataError, UnknownNameError, nearest
from .reader import SCALINGS

S = TypeVar("S")
Usual = Mapping[str, Mapping[str, Any]]  # by the kind of network, what a setting left open is
OTHER_NAMES = {  # what other libraries call a setting
    "learning_rate": "lr",
    "n_epochs": "epochs",
    "ent_coef": "entropy",
    "vf_coef": "value",
    "clip_range": "clip",
    "discount": "gamma",
    "tau": "target_rate",
    "learning_starts": "random_steps",
    "train_freq": "update_every",
    "net_arch": "hidden",
}


@dataclasses.dataclass(frozen=True)
class AgentSettings:
    """What every agent has; the usual values that go with a network stand beside each agent."""

    batch_size: int = 64
    "transitions of a gradient step"
    gamma: float = 0.99
    "discount of a step"
    lr: float | None = None
    "learning rate of Adam; None: the usual one of the network"
    max_grad_norm: float = 0.5
    "longer gradients are cut to this length"
    network: str = "auto"
    "cells: one scorer shared by all units, where env has action_units; mlp: a plain network of the whole state"
    hidden: tuple[int, ...] | None = None
    "widths of the hidden layers; None: (64, 64) for cells, (128, 128) for mlp"
    inputs: str = "auto"
    "scaling of observations: auto, symlog, standard or none"
    scale_rewards: bool = True
    "divide rewards by the running deviation of the discounted return"

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        **dict.fromkeys(("lr", "max_grad_norm"), (1e-12, 1e12)),
        "batch_size": (1, 1e9),
        "gamma": (0, 1),
    }

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", check_widths(self.hidden))
        check_range(self, self.RANGES)
        for name, choices in (("network", ("auto", "mlp", "cells")), ("inputs", SCALINGS)):
            value = getattr(self, name)
            known(value, choices, f"{name}={value!r} is none of {', '.join(choices)}")


def resolve(kind: type[S], presets: Mapping[str, Mapping[str, Any]], preset: str | None, given: Mapping[str, Any]) -> S:
    """The settings; UnknownNameError for a name that does not exist, DataError for a value that cannot be."""
    own = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in own:
            same = OTHER_NAMES.get(name)
            hint = f" It is called {same!r} here." if same in own else nearest(name, own)
            raise UnknownNameError(f"there is no setting {name!r}.{hint} Settings: {', '.join(own)}")
    if preset is not None:
        known(preset, presets, f"there is no preset {preset!r}; they are {', '.join(presets)}")
    return kind(**{**(presets[preset] if preset else {}), **given})


def by_network(settings: S, fits: bool, usual: Usual) -> S:
    """Replace network 'auto' by 'cells' if that fits the environment, else 'mlp', and each None by that network's value."""
    kind: str = settings.network if settings.network != "auto" else "cells" if fits else "mlp"  # type: ignore[attr-defined]
    filled = {name: value for name, value in usual[kind].items() if getattr(settings, name) is None}
    return dataclasses.replace(settings, network=kind, **filled)  # type: ignore[type-var]


def check_range(settings: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """DataError for a value of the wrong kind, by the field's annotation, or for a number outside its closed range (0 up).

    Numbers become plain int and float, so that a checkpoint can hold them; what may be None stays so.
    """
    for name, kind in ((field.name, str(field.type)) for field in dataclasses.fields(settings)):
        value, (low, high) = getattr(settings, name), ranges.get(name, (0, math.inf))
        if value is None and "None" in kind:
            continue
        if kind.startswith("int"):
            value = whole(name, value, int(low), int(high) if high < math.inf else None)
        elif kind.startswith("float"):
            real = number(name, value, low, high)
            value = value if isinstance(value, int) else real
        elif kind == "bool":
            value = flag(name, value)
        object.__setattr__(settings, name, value)


def check_widths(widths: Any) -> tuple[int, ...] | None:
    """The widths of the hidden layers as a tuple of positive whole numbers, at least one; None stays."""
    if widths is None:
        return None
    if not isinstance(widths, Sequence | np.ndarray) or isinstance(widths, str) or len(widths) == 0:
        raise DataError(f"hidden={widths!r} must be widths of hidden layers, such as (128, 128)")
    return tuple(whole(f"each width in hidden={widths!r}", w, 1) for w in widths)
