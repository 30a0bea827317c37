"""What whole columns can have wrong with them: no value, one value only, numbers nobody can compute with, equal twins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..base.arrays import Array
from .findings import Findings, Labels, Trouble
from .parsing import without
from .scanning import Scan, equal_columns, scan


def note_empty(found: Findings) -> None:
    """Note the columns without a value, all in one."""
    if found.empty:
        told = ", ".join(map(repr, found.empty))
        text = f"column {told} has" if len(found.empty) == 1 else f"columns {told} have"
        found.troubles.append(Trouble(f"{text} no value in any row", **without(found.empty)))


def refuse_constants(values: Array, columns: tuple[str, ...], levels: Sequence[Labels] | None = None) -> None:
    """Raise DataError naming the columns of ``values`` (n, d) that hold one value only, missing cells apart."""
    found = Findings()
    note_constant(scan(values), columns, levels, found)
    found.refuse()


def note_matrix(labels: Sequence[str], values: Array, columns: Sequence[str], found: Findings) -> None:
    """Refuse a matrix: rows that are called as the columns are, cells that mirror each other, or one half of them.

    labels: of the rows, where they have some.
    """
    if len(values) != len(columns) or len(columns) < 3:
        return
    empty = np.isnan(values)
    half = np.triu(np.ones_like(empty), 1)
    mirrored = np.allclose(values, values.T, rtol=1e-9, atol=0.0, equal_nan=True) and not (values == values[0]).all()
    if list(labels) == list(columns) or mirrored or any(np.array_equal(empty, part) for part in (half, half.T)):
        found.troubles.append(
            Trouble(
                "it is a matrix with a row for each column, and a table has a row for each time that all were measured",
                python="give covariances as causalnet.data.Moments(columns, n, mean, covariance), and a graph to Graph.load",
            )
        )


def note_constant(seen: Scan, columns: tuple[str, ...], levels: Sequence[Labels] | None, found: Findings) -> None:
    """Note the columns of one value, missing cells apart."""
    flat = np.flatnonzero(seen.constant).tolist()
    if len(flat):
        held = [levels[j] if levels else None for j in flat]
        always = [f"{seen.low[j]:g}" if level is None else repr(level[0]) for j, level in zip(flat, held, strict=True)]
        names = [columns[j] for j in flat]
        told = ", ".join(f"{name!r} (always {value})" for name, value in zip(names, always, strict=True))
        text = (
            f"column {names[0]!r} is constant in this sample (always {always[0]}): nothing can be learnt about it"
            if len(flat) == 1
            else f"columns {told} are constant in this sample: nothing can be learnt about them"
        )
        found.troubles.append(Trouble(text, **without(names)))


def note_extreme(seen: Scan, columns: tuple[str, ...], found: Findings) -> None:
    """Note numbers that overflow when they are squared."""
    far = np.flatnonzero(seen.extreme & ~seen.constant)
    if len(far):
        names = ", ".join(repr(columns[j]) for j in far)
        sizes = ", ".join(f"up to {seen.size[j]:.3g}, spread {seen.spread[j]:.3g}" for j in far)
        found.troubles.append(
            Trouble(
                f"column{'s' if len(far) > 1 else ''} {names} hold{'s' if len(far) == 1 else ''} numbers too large or too close "
                f"together to compute with ({sizes}); rescale, for instance to standard deviations"
            )
        )


def note_equal(values: Array, columns: tuple[str, ...], found: Findings) -> None:
    """Note columns that are equal to the bit."""
    groups = [[columns[j] for j in group] for group in equal_columns(values)] if len(columns) > 1 else []
    if groups:
        told = "; ".join(f"columns {' and '.join(map(repr, group))} are identical" for group in groups)
        found.troubles.append(Trouble(told, **without([name for group in groups for name in group[1:]])))
