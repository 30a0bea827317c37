"""What stands between the rows of a text file and is none: names again, ruled lines, remarks, empty lines at the end."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..base.arrays import Bools
from .headers import COMMENT, RULE
from .numerals import to_numbers

TOTALS = frozenset(
    [
        "total",
        "totals",
        "grand total",
        "sum",
        "overall",
        "mean",
        "average",
        "avg",
        "gesamt",
        "summe",
        "insgesamt",
        "mittelwert",
        "durchschnitt",
        "total général",
        "somme",
        "moyenne",
        "ensemble",
        "totale",
        "media",
        "suma",
        "promedio",
        "итого",
        "всего",
        "合计",
        "总计",
        "平均",
        "合計",
    ]
)


def rows_alone(frame: pd.DataFrame, names: list[str], texts: set[int]) -> tuple[pd.DataFrame, list[str]]:
    """Without rows that repeat the names, rule a line or are a remark, and empty columns without a name; and what to tell."""
    plain = [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]
    if len(frame) and all(plain) and all(map(str.strip, names)) and frame.iloc[-1].notna().any():
        frame.columns = pd.Index(names)
        return frame, []
    told: list[str] = []
    gone = np.zeros(len(frame), bool)
    filled = frame.notna().to_numpy()
    if not any(p and filled[:, j].any() for j, p in enumerate(plain)):
        gone, repeats = _no_rows(frame, names)
        told = [f"{repeats} rows that repeat the names of the columns are left out"] if repeats else []
    alone = (
        [] if plain[0] or len(names) < 2 else np.flatnonzero(filled[:, 0] & ~filled[:, 1:].any(axis=1) & ~gone).tolist()
    )
    first = frame.iloc[:, 0].astype(str) if alone else frame.iloc[:0, 0]
    for k in alone:
        said = first.iloc[k]
        if not COMMENT.match(said) and (k < len(frame) - 3 or len(names) < 3):  # a list of two may hold one alone
            continue
        if to_numbers(pd.Series([said])).isna()[0] and int((first == said).sum()) == 1:
            gone[k] = True
            told.append(f"row {k + 1} is a remark ({said[:40]!r}) and is left out")
    told += _totals(frame, plain, gone)
    last = np.flatnonzero(filled.any(axis=1) & ~gone)
    if len(last):
        gone[last[-1] + 1 :] = True  # empty rows at the end
    if gone.any():
        frame = frame[~gone].reset_index(drop=True)
        for j in range(len(names)):
            if j not in texts and not plain[j]:
                frame.isetitem(j, _as_numbers(frame.iloc[:, j]).array)
    kept = [j for j, name in enumerate(names) if name.strip() or frame.iloc[:, j].notna().any()]
    frame = frame if len(kept) == len(names) else frame.iloc[:, kept]
    return frame.set_axis(pd.Index([names[j] for j in kept]), axis=1), told


def _totals(frame: pd.DataFrame, plain: list[bool], gone: Bools) -> list[str]:
    """Leave out, in ``gone``, a last row that is called a sum or a mean and is one; and what to tell."""
    there = np.flatnonzero(~gone)
    numbers = [frame.iloc[there, j].to_numpy(np.float64, na_value=np.nan) for j in range(1, len(plain)) if plain[j]]
    if plain[0] or not numbers or len(there) < 4 or str(frame.iat[there[-1], 0]).strip().lower() not in TOTALS:
        return []
    name, row = frame.iat[there[-1], 0], there[-1] + 1
    sums = [np.nansum(column[:-1]) - column[-1] for column in numbers]
    means = [np.nansum(column[:-1]) / max((~np.isnan(column[:-1])).sum(), 1) - column[-1] for column in numbers]
    size = [max(1e-9, 0.005 * np.abs(column).max(initial=0.0, where=~np.isnan(column))) for column in numbers]
    if any(all(abs(off) <= s for off, s in zip(offs, size, strict=True)) for offs in (sums, means)):
        gone[there[-1]] = True
        return [f"row {row} ({name!r}) sums up those above it and is left out"]
    return [f"row {row} is called {name!r}; leave it out if it sums up those above it"]


def _no_rows(frame: pd.DataFrame, names: list[str]) -> tuple[Bools, int]:
    """(n,) rows that repeat the names or rule a line, of cells that are texts; and how many repeat the names."""
    repeats = ruled = np.ones(len(frame), bool)
    for j, name in enumerate(names):
        cells = frame.iloc[:, j].astype("string").fillna("").str.strip()
        repeats = repeats & (cells == name.strip()).to_numpy(bool)
        ruled = ruled & ((cells == "") | cells.str.fullmatch(RULE.pattern)).to_numpy(bool)
        if not (repeats | ruled).any():
            break
    return repeats | (ruled & frame.notna().any(axis=1).to_numpy()), int(repeats.sum())


def _as_numbers(column: pd.Series) -> pd.Series:
    """Numbers, where all cells hold one."""
    found = to_numbers(column)
    return found if (found.notna() | column.isna()).all() else column
