"""Columns of a frame as numbers or categories: what each was read as, what was guessed on the way, and all that is wrong.

One rule for whole numbers: at most FEW_LEVELS distinct ones are categories, unless ``continuous`` names the column.
"""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array, Bools
from ..errors import DataError
from .coding import Coded, code, spread
from .findings import Findings, Labels, Trouble
from .gaps import sentinel, suspect
from .identifiers import MANY, keep_by
from .numerals import MOST_UNITS, POINTED, is_mark, read_numerals
from .reading import FEW_LEVELS, finite, shown_rows, wanted_discrete
from .scanning import few_levels

CATEGORY_MARKS = frozenset(("?", "*", ".", "NA", "N/A", "#N/A"))  # texts that mean a missing value among categories
EXACT = 2.0**53  # whole numbers up to which float64 holds every one
DATE = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{4}-\d{2}|\d{1,2}[- /]\w{3,9}[- /]\d{2,4}"
    r"|\d{1,2}(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\d{2,4}"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp]\.?[Mm]\.?)?)([ T:].*)?Z?"
)


def wanted_kinds(
    discrete: Sequence[str] | bool | None, continuous: Sequence[str] | None, columns: tuple[str, ...]
) -> dict[str, bool]:
    """Of each column whether it is discrete, where the user says so.

    ``continuous`` names columns of numbers; beside it, ``discrete`` names categories, and the rest goes by the rule.
    """
    if continuous is None:
        return wanted_discrete(discrete, columns)
    if isinstance(discrete, bool):
        raise DataError("continuous names columns, so discrete cannot be True or False for all; name columns in both")
    numbers = {name for name, is_one in wanted_discrete(continuous, columns, "continuous").items() if is_one}
    words = {name for name, is_one in wanted_discrete(discrete, columns).items() if is_one}
    both = sorted(numbers & words)
    if both:
        raise DataError(f"{', '.join(map(repr, both))} stands in discrete and in continuous; keep one")
    return {**dict.fromkeys(words, True), **dict.fromkeys(numbers, False)}


def without(names: Sequence[str]) -> dict[str, str]:
    """How to leave out columns, in a program and on the command line."""
    them = "it" if len(names) == 1 else "them"
    return {
        "python": f"drop {them}: frame.drop(columns={list(names)!r})",
        "shell": f"leave {them} out: --drop {shlex.quote(','.join(names))}",
    }


def parse(column: pd.Series, name: str, discrete: bool | None, found: Findings) -> tuple[AnyArray, Labels] | None:
    """(n,) codes with their labels, or floats with None; None for a column that is left out or cannot be read."""
    kind = column.dtype
    if _holds_dates(column):
        found.troubles.append(
            Trouble(
                f"column {name!r} holds dates; drop it, or make it a number, such as seconds since the start",
                **without([name]),
            )
        )
        return None
    worded = not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    try:
        words = code(column) if worded else None
    except TypeError:
        found.troubles.append(Trouble(f"column {name!r} holds lists or other objects, not values", **without([name])))
        return None
    missing = column.isna().to_numpy() if words is None else words.codes < 0
    if missing.all():
        found.empty.append(name)
        return None
    if words is not None and not isinstance(kind, pd.CategoricalDtype) and discrete is not True:
        read = _read_texts(column, words, name, discrete, found)
        if read is None:
            return None
        if isinstance(read, Coded):
            words, missing = read, read.codes < 0
        else:
            column, words = pd.Series(read), None
            missing = column.isna().to_numpy()
    if words is not None and discrete is False:
        found.troubles.append(
            Trouble(
                f"column {name!r} holds text ({column.iloc[0]!r}), not numbers",
                python=f"add {name!r} to discrete=",
                shell=f"add {name} to --discrete",
            )
        )
        return None
    if words is None:
        if pd.api.types.is_complex_dtype(kind):
            found.troubles.append(
                Trouble(f"column {name!r} holds complex numbers; take the real part or the modulus first")
            )
            return None
        return _numbers(column, name, discrete, missing, found)
    return _categories(words, name, missing, found)


def holds_words(column: pd.Series) -> bool:
    """Categories, and texts that are no numbers: what is a category beside those that are named."""
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return True
    if pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind) or _holds_dates(column):
        return False
    try:
        words = code(column)
    except TypeError:  # told where it is read
        return False
    return len(words.labels) > 0 and isinstance(_read_texts(column, words, "", False, Findings()), Coded)


def _holds_dates(column: pd.Series) -> bool:
    kind = column.dtype
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind):
        return True
    if isinstance(kind, pd.PeriodDtype):
        return True
    if not pd.api.types.is_object_dtype(kind):
        return False
    first = column.dropna().head(1)
    return len(first) == 1 and isinstance(first.iloc[0], datetime.date | datetime.timedelta | pd.Period)


def _numbers(
    column: pd.Series, name: str, discrete: bool | None, missing: Bools, found: Findings
) -> tuple[AnyArray, Labels] | None:
    try:
        values = finite(column, name)
    except DataError as error:
        found.troubles.append(Trouble(str(error)))
        return None
    note_rounded(name, column.dtype, float(np.nanmax(np.abs(values))), found)
    if discrete is not True:
        gaps = sentinel(values)
        if gaps is not None:
            found.note(
                name,
                f"{int(gaps.sum())} cells of {name!r} hold {values[gaps][0]:g}, far below all others, and are read as missing",
                told=True,
            )
            values = np.where(gaps, np.nan, values)
            column, missing = pd.Series(values), np.isnan(values)
        mark = suspect(values)
        if mark is not None:
            found.note(
                name,
                f"{int((values == mark).sum())} cells of {name!r} hold {mark:g}, far above all others: does it mean missing?",
                told=True,
                python=f"then pass missing=[{mark:g}]",
                shell=f"then --missing {mark:g}",
            )
    flag = pd.api.types.is_bool_dtype(column.dtype)
    guessed = discrete is None and not flag
    if discrete is None:
        discrete = flag or few_levels(values, FEW_LEVELS) is not None
    if not discrete:
        return values, None
    codes, labels = code(column).sorted()
    if guessed:
        note_levels(name, len(labels), found)
    return (np.where(missing, np.nan, codes) if missing.any() else codes), labels


def note_rounded(name: str, kind: Any, largest: float, found: Findings) -> None:
    """Note that whole numbers are beyond those of which float64 holds every one."""
    if getattr(kind, "kind", "") in "iu" and largest > EXACT:
        found.note(
            name,
            f"column {name!r} holds whole numbers beyond 2^53, which numbers of 64 bits round",
            told=True,
            python=f"subtract their least, frame[{name!r}] - frame[{name!r}].min(), or make them texts",
            shell="subtract their least, or put a letter in front",
        )


def note_levels(name: str, count: int, found: Findings) -> None:
    """Note that whole numbers of few levels are read as categories."""
    found.note(
        name,
        f"column {name!r} holds {count} whole numbers and is read as categories",
        python=f"continuous=[{name!r}] reads it as numbers",
        shell=f"--continuous {shlex.quote(name)} reads it as numbers",
    )


def _categories(words: Coded, name: str, missing: Bools, found: Findings) -> tuple[AnyArray, Labels] | None:
    try:
        codes, labels = words.sorted()
    except TypeError:
        kinds = ", ".join(sorted({type(label).__name__ for label in words.labels}))
        found.troubles.append(Trouble(f"column {name!r} mixes values of the types {kinds}; write all as texts"))
        return None
    return (np.where(missing, np.nan, codes) if missing.any() else codes), labels


def _read_texts(
    column: pd.Series, words: Coded, name: str, discrete: bool | None, found: Findings
) -> Array | Coded | None:
    """Floats of texts that are numbers, the words of those that are not; None where they are left out or wrong."""
    plain = words.numbers
    if found.decimals == ",":  # 1.037 is 1037
        plain = np.where(
            [isinstance(v, str) and bool(POINTED.fullmatch(v.strip())) for v in words.labels], np.nan, plain
        )
    odd_labels = np.isnan(plain)
    if not odd_labels.any():
        return words.cells
    marks = np.array([is_mark(label) for label in words.labels]) & odd_labels
    numbers, how, units = plain, tuple[str, ...](), tuple[str, ...](("",))
    if (odd_labels & ~marks).any():
        there = np.flatnonzero(~marks)
        read = read_numerals([_text(words.labels[k]) for k in there], found.decimals)
        better = np.full(len(plain), np.nan)
        better[there] = read.numbers
        if np.isnan(better).sum() < odd_labels.sum():
            numbers, how, units = better, read.how, read.units
    left = np.isnan(numbers) & ~marks
    rows = np.bincount(words.codes[words.codes >= 0], minlength=len(plain))
    n = int(rows.sum())
    distinct = len(np.unique(numbers[~np.isnan(numbers)]))
    real = distinct > FEW_LEVELS or bool(np.nanmax(np.abs(numbers - np.rint(numbers)), initial=0.0) > 0)
    as_numbers = bool((~np.isnan(numbers)).any()) and (real or discrete is False or not how)
    if not left.any() and as_numbers and len(units) == 1:
        if marks.any():
            shown = ", ".join(repr(words.labels[k]) for k in np.flatnonzero(marks))
            found.note(
                name, f"{int(rows[marks].sum())} cells of {name!r} hold {shown} and are read as missing", told=True
            )
        if how:
            found.note(name, f"column {name!r} is read as numbers: {', '.join(how)}", told=True, **_as_words(name))
        return spread(numbers, words.codes)
    if len(units) > 1 and len(units) <= MOST_UNITS and not left.any() and real:
        shown = " and ".join(repr(unit) if unit else "none" for unit in units)
        found.troubles.append(
            Trouble(f"column {name!r} holds numbers of different units ({shown}); write all in one", **_as_words(name))
        )
        return None
    odd = int(rows[left].sum())
    if (~np.isnan(numbers)).any() and odd <= 0.5 * (n - rows[marks].sum()) and (real or not how):
        wrong = left[words.codes] & (words.codes >= 0)
        there = np.flatnonzero(wrong if wrong.any() else np.isnan(plain)[words.codes])
        odd = len(there)
        others = f"; also rows {shown_rows(there[1:])}" if odd > 1 else ""
        found.troubles.append(
            Trouble(
                f"column {name!r} holds numbers, but row {there[0] + 1} has the text {column.iloc[there[0]]!r} "
                f"({odd} such row{'s' if odd != 1 else ''}{others}); correct {'them' if odd > 1 else 'it'}",
                **_as_words(name),
            )
        )
        return None
    return _read_words(words, name, rows, n, found)


def _text(label: Any) -> Any:
    return label if isinstance(label, str) else str(label) if isinstance(label, int | float | np.number) else label


def _as_words(name: str) -> dict[str, str]:
    return {
        "python": f"if the column holds categories, pass discrete=[{name!r}]",
        "shell": f"if the column holds categories, add --discrete {shlex.quote(name)}",
    }


def _read_words(words: Coded, name: str, rows: AnyArray, n: int, found: Findings) -> Coded | None:
    """Categories with their marks of missing values taken out; None, with a note, for dates and identifiers."""
    labels = [label for label in words.labels if isinstance(label, str)]
    if len(labels) == len(words.labels) > 2 and all(DATE.fullmatch(label) for label in labels):
        found.note(
            name,
            f"column {name!r} holds dates as text and is left out",
            told=True,
            left_out=True,
            **keep_by(name, "discrete"),
        )
        return None
    if len(words.labels) == n > MANY:
        found.note(
            name,
            f"column {name!r} has another text in every row ({str(words.labels[0])!r:.40}) and is left out",
            told=True,
            left_out=True,
            **keep_by(name, "discrete"),
        )
        return None
    if len(words.labels) > max(MANY, 0.5 * n):
        found.note(
            name,
            f"column {name!r} has {len(words.labels)} categories in {n} rows",
            told=True,
            **{key: f"{text}, if it names the rows" for key, text in without([name]).items()},
        )
    _note_spellings(name, labels, found)
    marks = [k for k, label in enumerate(words.labels) if isinstance(label, str) and label.strip() in CATEGORY_MARKS]
    if not marks or len(marks) == len(words.labels):
        return words
    shown = ", ".join(repr(words.labels[k]) for k in marks)
    found.note(
        name,
        f"{int(rows[marks].sum())} cells of {name!r} hold {shown} and are read as missing",
        told=True,
        **_as_words(name),
    )
    kept = np.array([k for k in range(len(words.labels)) if k not in marks])
    place = np.full(len(words.labels), -1)
    place[kept] = np.arange(len(kept))
    return Coded(np.where(words.codes >= 0, place[words.codes], -1), words.labels.take(kept))


def _note_spellings(name: str, labels: Sequence[str], found: Findings) -> None:
    """Note the categories that differ by case and blanks alone."""
    alike: dict[str, list[str]] = {}
    for label in sorted(labels):
        alike.setdefault(" ".join(label.split()).casefold(), []).append(label)
    twice = [" and ".join(map(repr, group)) for group in alike.values() if len(group) > 1]
    if twice:
        text = f"column {name!r} has categories that differ by case or blanks alone: {'; '.join(twice[:5])}; write each in one way"
        found.note(name, text, told=True)


def too_many_cells(names: Sequence[str], levels: Sequence[Labels], n: int) -> str:
    """A sentence about two columns of so many categories that their table has more degrees of freedom than rows, or ""."""
    many = sorted(((len(level), name) for name, level in zip(names, levels, strict=True) if level), reverse=True)[:2]
    if len(many) < 2 or many[1][0] <= MANY or (many[0][0] - 1) * (many[1][0] - 1) <= n:
        return ""
    (k, a), (m, b) = many
    return (
        f"{a!r} has {k} categories and {b!r} {m}: a test of the two has {(k - 1) * (m - 1)} degrees of freedom for {n} rows, "
        "and may call them independent whatever they are; put categories together"
    )
