"""Columns that name or count the rows and are no variables: unnamed first columns, row counters, keys."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import numpy as np
import pandas as pd

from .findings import Findings

MANY = 20  # rows from which texts that are all different are identifiers
UNNAMED = re.compile(r"\s*|Unnamed: ?\d+")
COUNTERS = re.compile(
    r"(row|obs|sample|record|case)?[\s_.-]*(id|idx|index|no|nr|num|number|#)|row|rowid", re.IGNORECASE
)
DAYS = re.compile(r"(.*[\s_.-])?(date|day|datum|dt|yyyymmdd|when)", re.IGNORECASE)  # that may hold dates as numbers:
SHEET = 30_000, 60_000  # 20240131, or a spreadsheet's days since 1900, here 1982 to 2064
KEYED = re.compile(r".*[a-z](Id|ID|Key)|(?i:(.*[\s_.-])?(id|uid|uuid|guid|identifier|key))")
TELLING = re.compile(
    "|".join((UNNAMED.pattern, f"(?i:{COUNTERS.pattern})", f"(?i:{DAYS.pattern})", KEYED.pattern))
)  # any of them


def row_labels(frame: pd.DataFrame, asked: Callable[[str], bool], found: Findings) -> list[int]:
    """Which columns (by place) only name or count the rows: an unnamed first one, a row counter or a key called so.

    Columns without a name and without a value, as a separator at the end of every line makes them, are left out too.
    """
    dropped = []
    index = frame.attrs.get("index")
    for j, name in enumerate(map(str, frame.columns)):
        telling = name == index or TELLING.fullmatch(name)
        if not telling or asked(name) or frame.shape[1] < 2:
            continue
        what = _what(frame.iloc[:, j], name, j == 0, name == index)
        if what:
            shown = (
                f"column {name!r}" if name.strip() else "the unnamed first column" if j == 0 else "an unnamed column"
            )
            dropped.append(j)
            found.note(name, f"{shown} {what} and is left out", told=True, left_out=True, **keep_by(name, "continuous"))
    return dropped


def _what(column: pd.Series, name: str, first: bool, index: bool) -> str:
    """What a column is instead of a variable, in words; "" for a variable."""
    nameless = UNNAMED.fullmatch(name) is not None
    if nameless and column.isna().all():
        return "has no value"
    if index and _unique(column):
        return "labels the rows"
    if (nameless and first) or COUNTERS.fullmatch(name):
        if _counts_rows(column):
            return "counts the rows"
        if nameless and len(column) > 1 and _unique(column):
            return "labels the rows"
    if DAYS.fullmatch(name) and len(column) > 2 and _whole(column):
        days = column.to_numpy(dtype=np.float64)
        steps = np.diff(days)
        if (steps > 0).all() or (steps < 0).all():
            calendar = (
                (days > 19000100).all()
                and (days < 21001232).all()
                and (days % 100 < 32).all()
                and (days // 100 % 100 < 13).all()
            )
            if calendar or (SHEET[0] <= days.min() and days.max() <= SHEET[1]):
                return f"holds dates as numbers ({days[0]:.0f})"
    if KEYED.fullmatch(name) and len(column) > MANY and _whole(column) and _unique(column):
        return "has another whole number in every row, as keys do,"
    return ""


def _unique(column: pd.Series) -> bool:
    """Has every row another value? Lists and other objects have none."""
    try:
        return bool(column.is_unique)
    except TypeError:
        return False


def _whole(column: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return False
    if pd.api.types.is_integer_dtype(column.dtype):
        return not column.hasnans
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return bool((values == np.rint(values)).all())


def _counts_rows(column: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype) or len(column) < 3:
        return False
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return bool(min(values[0], values[-1]) in (0.0, 1.0) and (np.diff(values) == np.sign(values[1] - values[0])).all())


def keep_by(name: str, kind: str) -> dict[str, str]:
    """How to keep a column that was left out, in a program and on the command line."""
    if not name.strip():
        return {}
    return {"python": f"{kind}=[{name!r}] keeps it", "shell": f"--{kind} {shlex.quote(name)} keeps it"}
