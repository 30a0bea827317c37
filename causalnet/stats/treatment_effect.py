"""Average treatment effect on the treated, from actions: what a repair of type i does to the alarms of type j.

    ATT(i -> j) = (1 / n_i) sum over treated steps k of [ S_j^(k)(I_i = 1) - S^_j^(k)(I_i = 0) ]    (Eq. 5)

(Cai, Huang, Qiao et al., arXiv 2402.04869.) S_j is counted in the neighbourhood of the unit acted on, without the cell
itself. The counterfactual S^_j(I_i = 0) is the same state without the repair; it is estimated in one of three ways:

* "control": S_j = alarms of type j left after the repair; S^_j = alarms before it times the share that stays in the
  control arm: the same steps out of reach of the repair, or the steps that acted on other types when nothing is out
  of reach (one unit, or all of them neighbours). Growth of the alarms never enters.
* "others": S_j = value at the end of the step; S^_j = value before it plus the mean change in the steps that acted on
  neither i nor j. Needs nothing but values before and after, so it serves actions that are no repairs.
* "before": S_j = alarms at the end of the step, S^_j = alarms before it. The published code does this: it holds
  the ordinary growth for an effect of the repair, which pushes true (negative) effects towards zero.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Bools, Ints

Counterfactual = Literal["control", "others", "before"]


class Sums(NamedTuple):
    """What has to be remembered of all steps so far; rows: type acted on, columns: type watched."""

    n: Array  # (V,) treated steps: the cell acted on held something, or does now
    held: Array  # (V, V) alarms before, in reach; and sums of squares and products over steps
    gone: Array  # (V, V) of them vanished
    held_held: Array
    held_gone: Array
    gone_gone: Array
    change: Array  # (V, V) after - before, in reach
    change_change: Array
    far_held: Array  # (V,) alarms before, out of reach of any repair; and how many of them vanished
    far_gone: Array


class Effect(NamedTuple):
    """att (V, V), its standard error (V, V; infinite where steps or controls are missing) and n (V,) treated steps."""

    att: Array
    error: Array
    n: Array


def nothing(types: int) -> Sums:
    """The sums over no step at all."""
    one, two = (types,), (types, types)
    return Sums(*map(np.zeros, (one, two, two, two, two, two, two, two, one, one)))


def add_step(
    sums: Sums, before: Ints, after: Ints, cleared: Ints, unit: int, variable: int, near: Bools, far: Bools
) -> Sums:
    """New sums with one step: before, after, cleared (D, V); near, far (D,) units in and out of reach of the action.

    An action on a cell that held nothing, and holds nothing afterwards, treats nobody and is not counted.
    """
    if before[unit, variable] == 0 and after[unit, variable] == 0:
        return sums
    new = Sums(*(array.copy() for array in sums))
    _add(new, before, after, cleared, unit, variable, near, far)
    return new


def add_pause(sums: Sums, before: Ints, cleared: Ints) -> Sums:
    """New sums with a step in which nothing was acted on: all of it is out of reach; before, cleared (D, V)."""
    gone = np.minimum(cleared, before).sum(axis=0)
    return sums._replace(far_held=sums.far_held + before.sum(axis=0), far_gone=sums.far_gone + gone)


@njit(cache=True)
def _add(sums, before, after, cleared, unit, variable, near, far):  # type: ignore[no-untyped-def]
    n, held, gone, held_held, held_gone, gone_gone, change, change_change, far_held, far_gone = sums
    n[variable] += 1
    for j in range(before.shape[1]):
        h, g, c = 0.0, 0.0, 0.0
        for v in range(before.shape[0]):
            lost = min(cleared[v, j], before[v, j])
            if near[v] and not (v == unit and j == variable):
                h += before[v, j]
                g += lost
                c += after[v, j] - before[v, j]
            if far[v]:
                far_held[j] += before[v, j]
                far_gone[j] += lost
        held[variable, j] += h
        gone[variable, j] += g
        held_held[variable, j] += h * h
        held_gone[variable, j] += h * g
        gone_gone[variable, j] += g * g
        change[variable, j] += c
        change_change[variable, j] += c * c


def effect(sums: Sums, counterfactual: Counterfactual = "control") -> Effect:
    """Eq. 5 for every pair, with standard errors; negative: repairing i leaves fewer j. The diagonal is zero."""
    n = np.maximum(sums.n, 1.0)[:, None]
    controls = np.ones(sums.held.shape)
    if counterfactual == "before":
        att, square = sums.change / n, sums.change_change / n
    elif counterfactual == "others":
        rest = np.maximum(sums.n.sum() - sums.n[:, None] - sums.n[None, :], 1.0)  # neither i nor j acted on
        shift = _elsewhere(sums.change) / rest
        spread = np.maximum(_elsewhere(sums.change_change) / rest - shift**2, 0.0) / rest
        raw = sums.change / n
        att = raw - shift
        square = sums.change_change / n - raw**2 + att**2 + spread * n
    else:
        rate, spread, controls = _control(sums)
        att = -(sums.gone - rate * sums.held) / n  # S_j(1) - S^_j(0) = (held - gone) - held (1 - rate)
        square = (sums.gone_gone - 2 * rate * sums.held_gone + rate**2 * sums.held_held) / n
        square = square + spread * (sums.held / n) ** 2 * n  # the control rate is an estimate itself
    variance = np.maximum(square - att**2, 0.0) / np.maximum(n - 1.0, 1.0)
    floor = 1.0 / n**2  # as if one alarm more could have gone either way: no effect is ever certain
    error = np.where((sums.n[:, None] >= 2) & (controls > 0), np.sqrt(variance + floor), np.inf)
    np.fill_diagonal(att, 0.0)
    return Effect(att, error, sums.n.copy())


def _elsewhere(total: Array) -> Array:
    """[i, j]: the sum over the steps that acted on neither i nor j, of sums (V, V) by type acted on."""
    return np.asarray(total.sum(axis=0) - total - np.diag(total))


def _control(sums: Sums) -> tuple[Array, Array, Array]:
    """(V, V) share of type j that vanishes without a repair of i, variance of that estimate, alarms it rests on.

    Each share is shrunk, as if by one alarm, to the share of all types together: a type that was hardly seen out of
    reach vanishes like the others, and not half the time.
    """
    if sums.far_held.sum() > 0:
        held, gone = np.broadcast_to(sums.far_held, sums.held.shape), np.broadcast_to(sums.far_gone, sums.held.shape)
    else:
        held, gone = sums.held.sum(axis=0) - sums.held, sums.gone.sum(axis=0) - sums.gone
    pooled = gone.sum(axis=1, keepdims=True) / np.maximum(held.sum(axis=1, keepdims=True), 1.0)
    rate = (gone + pooled) / (held + 1.0)
    return rate, rate * (1.0 - rate) / (held + 1.0), held
