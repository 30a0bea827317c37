"""The components of local states, for any environment with states in codes: those it names, or the whole state as one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Ints
from .checks import check_codes
from .protocols import CodedEnv, Described

WHOLE = "state"  # the one component of an environment that names none


def names_of(env: CodedEnv) -> tuple[str, ...]:
    """The c names of its components."""
    return tuple(env.component_names) if isinstance(env, Described) else (WHOLE,)


def radices_of(env: CodedEnv) -> Ints:
    """(n, c): how many values each component of each agent takes."""
    own = env.radices if isinstance(env, Described) else np.asarray(env.n_states)[:, None]
    return np.asarray(own, np.int64)


def components_of(env: CodedEnv, s: Any) -> Ints:
    """State codes (..., n) -> components (..., n, c): the digits of the code, the first component the least."""
    radices = radices_of(env)
    codes = check_codes("state", s, np.asarray(env.n_states, np.int64))
    strides = np.cumprod(np.column_stack([np.ones(len(radices), np.int64), radices[:, :-1]]), axis=1)
    return (codes[..., None] // strides) % radices
