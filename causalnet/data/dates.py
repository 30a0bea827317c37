"""Dates and spans as programs and people write them, in texts: ISO, day or month first, with names of months, in one number."""

from __future__ import annotations

import re
import warnings
from datetime import timedelta

import pandas as pd

from ..errors import DataError

SPAN = re.compile(
    r"\s*[+-]?(\d+ days?,? ?)?[+-]?(\d+:\d{2}:\d{2}(\.\d+)?)?\s*|\s*P[\dDTHMS.]+\s*"
)  # with a sign that tells
SLASHED = re.compile(
    r"\s*(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|(?<=\.)\d{2})(?:,?[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)( ?[AaPp][Mm])?)?\s*"
)
DAY = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\.0)?")
COMPACT = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d(\.0)?")
OFFSET = r":\d\d(?:\.\d+)?\s*(Z|[+-]\d\d(?::?\d\d)?)\s*$"
ZONE = re.compile(r"\s*(UTC|GMT|Z|DST)\s*$")  # Greenwich; or, of some alarm systems, a summer time that all rows share
FORMATS = """
%b %d %Y %H:%M:%S
%b %d %Y %H:%M:%S.%f
%b %d, %Y @ %H:%M:%S.%f
%b %d, %Y %H:%M:%S
%b %d, %Y, %I:%M:%S %p
%b %d, %Y %I:%M:%S %p
%a, %d %b %Y %H:%M:%S %z
%a, %d %b %Y %H:%M:%S
%a %b %d %H:%M:%S %Y
%d/%b/%Y:%H:%M:%S %z
%d/%b/%Y:%H:%M:%S
%d-%b-%Y %H:%M:%S
%d-%b-%Y %H:%M:%S.%f
%d-%b-%Y %H:%M
%d %b %Y %H:%M:%S
%d %b %Y %H:%M
%d-%b-%y %I.%M.%S.%f %p
%Y年%m月%d日 %H:%M:%S
%Y年%m月%d日 %H时%M分%S秒
%Y年%m月%d日 %H:%M
%Y.%m.%d %H:%M:%S
""".strip().splitlines()  # each of all texts of a column
YEARLESS = "%b %d %H:%M:%S"  # as syslog writes it
LEAP = "2000 "  # a year with all days


def written_times(column: pd.Series) -> pd.Series | None:
    """The dates or spans of a column that holds no numbers; None where its texts are neither."""
    for read in (_dates, _slashed, _named, _spans):
        stamps = read(column)
        if stamps is not None and (stamps.notna() | column.isna()).all():
            return stamps
    return None


def in_one_number(column: pd.Series) -> pd.Series | None:
    """The dates of a column of numbers or texts such as 20240131 or 20240131120000; None where one of them is no such date."""
    texts = column.dropna().astype(str)
    if len(texts) > 1 and texts.str.fullmatch(DAY.pattern).all():
        found = pd.to_datetime(texts.str[:8], format="%Y%m%d", errors="coerce")
        return found.reindex(column.index) if found.notna().all() else None
    if not len(texts) or not texts.str.fullmatch(COMPACT.pattern).all():
        return None
    found = pd.to_datetime(texts.str[:14], format="%Y%m%d%H%M%S", errors="coerce")
    return found.reindex(column.index) if found.notna().all() else None


def _dates(column: pd.Series) -> pd.Series:
    found = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
    texts = column.dropna()
    if not all(isinstance(v, str) for v in texts):
        return found
    if (found.notna() | column.isna()).all():
        zones = texts.str.extract(OFFSET)[0]
        if zones.isna().any() and not zones.dropna().str.fullmatch("Z|[+-]00:?(00)?").all():
            raise DataError(
                f"column {column.name!r} holds times with a zone ({texts[zones.notna()].iloc[0]}) and times without one "
                f"({texts[zones.isna()].iloc[0]}); write all of them with it"
            )
        return found
    if len({v.strip().endswith("DST") for v in texts}) > 1:  # some in summer: an hour apart
        return found
    return pd.to_datetime(column.str.replace(ZONE, "", regex=True), format="ISO8601", errors="coerce", utc=True)


def _named(column: pd.Series) -> pd.Series | None:
    """Dates with names of months, and those of other scripts."""
    texts = column.dropna()
    if not all(isinstance(v, str) for v in texts):
        return None
    plain = column.str.strip().str.replace(ZONE, "", regex=True).str.replace(r"\s+", " ", regex=True)
    for form in FORMATS:
        if len(texts) and pd.isna(
            pd.to_datetime(plain.dropna().iloc[:1], format=form, errors="coerce", utc=True).iloc[0]
        ):
            continue
        stamps = pd.to_datetime(plain, format=form, errors="coerce", utc=True)
        if (stamps.notna() | column.isna()).all():
            return stamps
    stamps = pd.to_datetime(LEAP + plain, format=f"%Y {YEARLESS}", errors="coerce", utc=True)
    if (stamps.notna() | column.isna()).all():
        if {1, 12} <= set(stamps.dt.month.dropna()):
            raise DataError(
                f"column {column.name!r} holds dates without a year, such as {texts.iloc[0]!r}, of December and of January: which "
                "came first is not told; write the year"
            )
        _warn(f"column {column.name!r} holds dates without a year ({texts.iloc[0]}): all are taken to be of one year")
    return stamps


def _spans(column: pd.Series) -> pd.Series | None:
    """Spans that say so (00:01:30, 2 days): what else pandas would take for one, as 1,5 or 31.12.2024, is none."""
    texts = column.dropna()
    if not all(isinstance(v, timedelta) or (isinstance(v, str) and SPAN.fullmatch(v)) for v in texts):
        return None
    return pd.to_timedelta(texts.astype("string").reindex(column.index), errors="coerce")


def _slashed(column: pd.Series) -> pd.Series | None:
    """Dates as 31.12.2024 or 12/31/2024 10:00 PM, with a warning that says which part was taken for the day."""
    texts = column.dropna()
    parts = [SLASHED.fullmatch(text) if isinstance(text, str) else None for text in texts]
    if not all(parts):
        return None
    first, second = ({int(part[k]) for part in parts if part} for k in (1, 3))
    marks = {part[2] for part in parts if part}
    day_first = max(first, default=0) > 12 or marks == {"."}
    if not day_first and max(second, default=0) <= 12:
        raise DataError(
            f"column {column.name!r} holds dates such as {texts.iloc[0]!r}, in which nothing tells the day from the month; "
            "write them as 2024-01-31 12:00:00"
        )
    d, m = (1, 3) if day_first else (3, 1)
    iso = [
        f"{p[4] if len(p[4]) == 4 else '20' + p[4]}-{int(p[m]):02d}-{int(p[d]):02d} {p[5] or '00:00'}{(p[6] or '').strip().upper()}"
        for p in parts
        if p
    ]
    stamps = pd.to_datetime(pd.Series(iso, index=texts.index), format="mixed", errors="coerce")
    if stamps.notna().all():
        shown = stamps.iloc[0].isoformat(sep=" ")
        _warn(
            f"column {column.name!r} is read with the {'day' if day_first else 'month'} first ({texts.iloc[0]} is {shown})"
        )
    return stamps.reindex(column.index)


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=6)
