"""Numbers as people write them: separators, percent, currencies, units, other digits and Fortran's exponents.

A column is read as a whole, so that one reading holds for all of its cells, and the reading is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..base.arrays import Array

MOST_UNITS = 3  # units in one column up to which it is taken for numbers of different units rather than for names
MARKS = frozenset(
    ("*", "?", ".", "-", "--", "...", "na", "n/a", "#n/a", "nan", "null", "none", "missing", "<na>", "#value!", "#div/0!",
     "#num!", "#ref!", "#name?", "nil", "n.a.", "n/d", "n.d.", "nd", "(blank)", "(empty)", "(null)", "\\n", "unknown", "",
     "#null!", ":", "–", "—", *(f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"))  # .a to .z: of Stata
)  # fmt: skip

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'’_]+")
_NUMBER = r"[+-]?(?:\d[\d.,\s'’\u00a0\u202f\u2009]*|[.,]\d+)(?:[eEdD][+-]?\d+)?"
_WHOLE = re.compile(
    rf"^(?P<open>\()?(?P<before>[^\d.,+\-()]*)\s*(?P<number>{_NUMBER})\s*(?P<after>[^\d.,+\-()][^\d]*)?\)?$"
)
_SPACED = re.compile(r"[+-]?\d{1,3}((?P<mark>[\s'’_\u00a0\u202f\u2009])\d{2,3})*[\s'’_\u00a0\u202f\u2009]\d{3}(?!\d).*")
_QUOTED = re.compile(r"=?\"([^\"]*)\"|'([^']*)'")  # ="1.5", as spreadsheets write a text
_POWER = re.compile(r"^([+-]?[\d.,]+)\s*[×x*·]\s*10\s*\^?\s*\{?([+-]?\d+)\}?$")  # 1.5×10^3
_FORTRAN = re.compile(r"^([+-]?\d*\.\d+)([+-]\d{3})$")  # 1.5+003: no room was left for the letter
_CURRENCY = re.compile(r"^[+-]?\s*(?:[$€£¥₹₽₩₺฿₫₪]|USD|EUR|GBP|CHF|JPY|CNY|INR|US\$|A\$|C\$|kr)?\s*$", re.IGNORECASE)


class Reading(NamedTuple):
    """numbers (k,), nan where a text is none; how: what was read, in words; units: those met."""

    numbers: Array
    how: tuple[str, ...]
    units: tuple[str, ...]


def is_mark(text: Any) -> bool:
    """Is a text a usual mark of a missing value, for a column of numbers?"""
    return isinstance(text, str) and text.strip().lower() in MARKS


def decimal_sign(texts: Sequence[Any]) -> str:
    """ "," or "." where the texts show which of them stands before the decimals, else ""."""
    parts = (_parts(text) for text in texts if isinstance(text, str))
    return _shown_sign([part.body for part in parts if part is not None])


def read_numerals(texts: Sequence[Any], sign: str = "") -> Reading:
    """The numbers that distinct texts stand for; all must have the same unit, and the same sign of decimals.

    sign: "," or ".", which stands before the decimals where these texts do not show it (1,234).
    """
    parts = [_parts(text) if isinstance(text, str) else None for text in texts]
    bodies = [part.body for part in parts if part is not None]
    units = tuple(sorted(Counter(part.unit for part in parts if part is not None)))
    point, how = _decimal_sign(bodies, sign)
    numbers = np.array([np.nan if part is None else _value(part, point) for part in parts], dtype=np.float64)
    told = list(how)
    if any(part is not None and part.foreign for part in parts):
        told.append("digits of another script")
    if any(part is not None and re.search(r"\d[dD][+-]?\d", part.body) for part in parts):
        told.append("Fortran exponents (1D3 is 1000)")
    if any(part is not None and part.negative for part in parts):
        told.append("brackets as minus")
    if any(isinstance(text, str) and _QUOTED.fullmatch(text.strip()) for text in texts):
        told.append("quotation marks left off")
    if any(isinstance(text, str) and (_POWER.match(text.strip()) or _FORTRAN.match(text.strip())) for text in texts):
        told.append("powers of ten (1.5×10^3, 1.5+003)")
    told += [f"the unit {unit!r} left off" for unit in units if unit]
    return Reading(numbers, tuple(told), units)


class _Part(NamedTuple):
    body: str
    unit: str
    negative: bool
    foreign: bool


def _parts(text: str) -> _Part | None:
    bare = _QUOTED.fullmatch(text.strip())
    plain = "".join(_latin(letter) for letter in (bare[1] or bare[2] or "" if bare else text).strip())
    plain = _POWER.sub(r"\1e\2", _FORTRAN.sub(r"\1e\2", plain))
    foreign = any(letter.isdigit() and not letter.isascii() for letter in text)
    sign = ""
    if plain[:1] in "+-" and len(plain) > 1 and not plain[1].isdigit() and plain[1] not in ".,":  # -$5
        sign, plain = plain[0], plain[1:]
    found = _WHOLE.match(plain)
    if not found or bool(found["open"]) != plain.endswith(")"):
        return None
    if _SPACES.search(found["number"].strip()) and not _SPACED.fullmatch(found["number"].strip()):
        return None  # a telephone number
    before, after = found["before"].strip(), (found["after"] or "").strip()
    if before and not _CURRENCY.match(before):
        return None
    if len(after) > 12 or (before and after):
        return None
    unit = after or before
    body = sign + found["number"].strip() if found["number"][0] not in "+-" else found["number"].strip()
    return _Part(body, unit, bool(found["open"]), foreign)


def _latin(letter: str) -> str:
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    return {
        "−": "-",
        "–": "-",
        "﹣": "-",
        "－": "-",
        "＋": "+",
        "٫": ".",
        "٬": "'",
        "，": ",",
        "．": ".",
        "％": "%",
        "٪": "%",
    }.get(letter, letter)


_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{2,3})*,\d{3}(\.\d*)?([eEdD][+-]?\d+)?")


POINTED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")


def _shown_sign(bodies: Sequence[str]) -> str:
    """What the numbers themselves show: 3,14 and 0,125 have commas before decimals, 1,234,567 and 1,234.5 between thousands."""
    commas = [body for body in bodies if "," in body]
    last = Counter("," if body.rindex(",") > body.rindex(".") else "." for body in commas if "." in body)
    if last:
        return "," if last[","] else "."
    if any(not _GROUPED.fullmatch(_SPACES.sub("", body)) for body in commas):
        return ","
    if any(body.count(",") > 1 for body in commas):
        return "."
    dots = [_SPACES.sub("", body) for body in bodies if "." in body]
    if any(body.count(".") == 1 and not POINTED.fullmatch(body) for body in dots):  # with two points it is a date
        return "."
    return "," if any(body.count(".") > 1 and POINTED.fullmatch(body) for body in dots) else ""


def _decimal_sign(bodies: Sequence[str], sign: str) -> tuple[str, tuple[str, ...]]:
    """ "." or ",": what stands before the decimals, in all numbers alike; and what that means, in words."""
    commas = [body for body in bodies if "," in body]
    dots = [body for body in bodies if "." in body]
    spaced = [body for body in bodies if _SPACES.search(body.strip())]
    how = ["spaces or apostrophes between thousands"] if spaced else []
    if not commas:
        many = [body for body in dots if body.count(".") > 1]
        grouped = dots and all(POINTED.fullmatch(body) for body in dots)
        if grouped and (many or sign == ","):
            example = (many or dots)[0]
            return ",", (*how, f"points between thousands ({example} is {example.replace('.', '')})")
        return ".", tuple(how)
    example = commas[0]
    if (_shown_sign(bodies) or sign) == ",":
        return ",", (*how, f"commas before decimals ({example} is {example.replace('.', '').replace(',', '.')})")
    return ".", (*how, f"commas between thousands ({example} is {example.replace(',', '')})")


def _value(part: _Part, point: str) -> float:
    body = _SPACES.sub("", part.body)
    other = "," if point == "." else "."
    lead, decimal, rest = body.partition(point)
    if other in rest or point in rest:
        return float("nan")
    if other in lead and not re.fullmatch(rf"[+-]?\d{{1,3}}(\{other}\d{{2,3}})*\{other}\d{{3}}", lead):
        return float("nan")
    text = (lead.replace(other, "") + ("." if decimal else "") + rest).replace("D", "e").replace("d", "e")
    try:
        return -float(text) if part.negative else float(text)
    except ValueError:
        return float("nan")


def to_numbers(column: pd.Series) -> pd.Series:
    """The numbers of a column, nan where a cell holds none, or one beyond float64."""
    try:
        return pd.to_numeric(column, errors="coerce")
    except OverflowError:
        return column.map(_number).astype(np.float64)


def _number(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
    return found if np.isfinite(found) else np.nan
