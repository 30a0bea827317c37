"""What a search over orders asks of a local score: eight compiled questions about a variable and its parents.

A local score f(v | P) is small where the parents P explain v; the score of a DAG is the sum over its variables. The
search keeps one *slot* for each variable, v with its present parents, and a few scratch slots to try changes in. A
score is a NamedTuple of arrays and eight functions about it, joined by :func:`implement`; a search asks them by address
(:mod:`causalnet.stats.scores.opaque`). So a new score is one file: see :mod:`causalnet.stats.scores.gaussian`. The
questions, all of the form ``(score, slots, s, x)``:

    begin      slot s becomes variable x without parents
    copy       slot x becomes what slot s is
    add        x becomes the last parent of scratch slot s
    drop       the x-th parent leaves scratch slot s; the last one takes its place
    helps      would x lower the score of slot s? False for its parents, and where it has no room for more
    rise       by how much would x raise the score of slot s? inf for its parents, and where it has no room for more
    best_add   of all r with x[r] = 1 (else 0) that are no parents yet, the one that lowers the score of slot s most, or -1
    best_drop  the place of the parent r of slot s, x[r] apart, without which its score is lowest, if below now, or -1
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import overload

from ...base.arrays import AnyArray, Array, Ints

_UNCHECKED = {"error_model": "numpy"}  # divisions by zero give inf and nan
UNSEEN = _UNCHECKED | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of kernels that only kernels call: neither a door for Python nor a file of their own, half of the compiling."""
BARE = _UNCHECKED | {"cache": True, "_nrt": False}  # of those that make no arrays and count no references
INNER = UNSEEN | {"_nrt": False}  # of both
FAST = {"contract", "reassoc", "nsz", "arcp"}  # sums in any order, but nan and inf as they are
SCRATCH = 2  # slots beside those of the variables


class Slots(NamedTuple):
    """Variables with their parents: slot v < d is the state of variable v, d .. d + SCRATCH - 1 are for trying, and
    the d after them hold what may have to be put back.

    node: (s,) the variable. parents: (s, most) int32, the first size[s] of them count. size: (s,).
    value: (s,) f(node | parents).
    """

    node: Ints
    parents: AnyArray
    size: Ints
    value: Array


def empty_slots(d: int, most: int) -> Slots:
    """Slots for d variables with at most ``most`` parents each."""
    s = 2 * d + SCRATCH
    return Slots(np.arange(s), np.empty((s, most), np.int32), np.zeros(s, np.int64), np.zeros(s))


@njit(**BARE, inline="always")
def copy_slot(slots: Slots, s: int, x: int) -> None:
    """Slot x has the variable, the parents and the value of slot s."""
    slots.node[x] = slots.node[s]
    slots.size[x] = slots.size[s]
    slots.value[x] = slots.value[s]
    for i in range(slots.size[s]):
        slots.parents[x, i] = slots.parents[s, i]


def begin(score: Any, slots: Slots, s: int, x: int) -> None:
    """Slot s becomes variable x without parents."""
    raise NotImplementedError


def copy(score: Any, slots: Slots, s: int, x: int) -> None:
    """Slot x becomes what slot s is."""
    raise NotImplementedError


def add(score: Any, slots: Slots, s: int, x: int) -> None:
    """x becomes the last parent of scratch slot s."""
    raise NotImplementedError


def drop(score: Any, slots: Slots, s: int, x: int) -> None:
    """The x-th parent leaves scratch slot s; the last one takes its place."""
    raise NotImplementedError


def helps(score: Any, slots: Slots, s: int, x: int) -> bool:
    """Would x lower the score of slot s? False for its parents, and where it has no room for more."""
    raise NotImplementedError


def rise(score: Any, slots: Slots, s: int, x: int) -> float:
    """By how much would x raise the score of slot s? Infinite for its parents, and where it has no room for more."""
    raise NotImplementedError


def best_add(score: Any, slots: Slots, s: int, x: Array) -> int:
    """Of all r with x[r] = 1 that are no parents yet, the one that lowers the score of slot s most, or -1."""
    raise NotImplementedError


def best_drop(score: Any, slots: Slots, s: int, x: AnyArray) -> int:
    """The place of the parent, those with x[r] apart, without which slot s scores lowest, if lower than now, or -1."""
    raise NotImplementedError


@singledispatch
def widen(score: Any) -> bool:
    """Let a score that left unlikely parents out take all into account from now on; False if it does already."""
    return False


@singledispatch
def apart(score: Any) -> tuple[Any, Ints] | None:
    """A kernel with arguments as those of the answers behind an address, which many of the score's answers call by its own; and
    the (2,) that are to hold that address and the one of the memory with the score and its slots."""
    return None


QUESTIONS: tuple[Callable[..., Any], ...] = (begin, copy, add, drop, helps, rise, best_add, best_drop)


def implement(kind: type, *answers: Callable[..., Any]) -> None:
    """Let these compiled functions answer the QUESTIONS, in their order, about scores of the NamedTuple ``kind``."""
    asked, told = ([f.__name__ for f in part] for part in (QUESTIONS, answers))
    if [name.lstrip("_") for name in told] != asked:
        raise TypeError(f"a local score answers {', '.join(asked)}; {kind.__name__} answers {', '.join(told)}")
    for question, answer in zip(QUESTIONS, answers, strict=True):
        _answer(question, kind, answer)


def _answer(question: Callable[..., Any], kind: type, answer: Any) -> None:
    def choose(score, slots, s, x):  # type: ignore[no-untyped-def]
        """What numba asks when it compiles: the answer for this type of score, or None if that is another's."""
        return answer.py_func if getattr(score, "instance_class", None) is kind else None

    choose.__signature__ = signature(answer.py_func)  # type: ignore[attr-defined]
    overload(question, jit_options=answer.targetoptions)(choose)
