"""The page of a run: its figures, notes, charts and rows in one file."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import Any

from ..storage.rows import Row
from .curves import Chart
from .summary import met, shown

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums;font-size:.9rem}th,td{padding:.3rem .7rem;
border-bottom:1px solid #ccc;text-align:right}th:first-child,td:first-child{text-align:left}figure{margin:2rem 0}thead th{border-bottom:2px solid #555}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181a1b}th,td{border-color:#444}}"""


def render(
    title: str, figures: dict[str, Row], notes: Sequence[str], rows: Sequence[Row], charts: Sequence[Chart]
) -> str:
    e = html.escape
    words = {True: "reached", False: "not reached", None: ""}
    top = [
        {"figure": k, "mean [95 % interval]": shown(v), "n": v["n"], "published": v["published"], "goal": v["goal"],
         " ": words[met(v)]}
        for k, v in figures.items()
    ]  # fmt: skip
    kinds: dict[str, list[Row]] = {}
    for row in rows:  # a table for each value of the first column
        first, *rest = [(k, v) for k, v in row.items() if k != "cell"]
        kinds.setdefault(str(first[1]), []).append(dict(rest))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{e(title)}</title><style>{_STYLE}</style><h1>{e(title)}</h1>"
        + "".join(f"<p>{e(note)}</p>" for note in notes)
        + "".join(f"<figure>{c.svg}</figure>" for c in charts)
        + "<h2>Figures</h2><p>n: the values behind a mean and its interval; 1 where all runs give one number, "
        f"such as the worst or a count.</p>{_table(top, str)}<h2>Runs</h2>"
        + "".join(f"<h3>{e(kind)}</h3>{_table(found, _short)}" for kind, found in kinds.items())
    )


def _table(rows: Sequence[Row], show: Callable[[Any], str]) -> str:
    """Rows as a table, without the columns that are empty in all of them."""
    cells = [{k: "" if v is None else show(v) for k, v in row.items()} for row in rows]
    columns = [k for k in (cells[0] if cells else {}) if any(row[k] for row in cells)]
    head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(row[c])}</td>" for c in columns) + "</tr>" for row in cells)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    try:
        return "" if math.isnan(float(value)) else f"{float(value):.5g}"
    except (TypeError, ValueError):
        return str(value)
