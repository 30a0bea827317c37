"""What every page is made of: templates and one style sheet, tables of typed values, drawn pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ..errors import CausalnetError
from .values import heading, number, short


@dataclass(frozen=True)
class Grid:
    """A table of values as they are; a column of numbers stands to the right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def numeric(self) -> tuple[bool, ...]:
        """For each column: are there numbers, and nothing else?"""
        columns = [[v for v in column if v is not None] for column in zip(*self.rows, strict=True)]
        return tuple(all(isinstance(v, Real) and not isinstance(v, bool) for v in column) for column in columns)


def grid(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Rows of one kind as a table, without the columns that are empty in all of them."""
    columns = [c for c in dict.fromkeys(c for row in rows for c in row) if any(short(row.get(c)) for row in rows)]
    return Grid(tuple(columns), tuple(tuple(row.get(c) for c in columns) for row in rows))


def render(template: str, **context: Any) -> str:
    """The page of a template; every text in ``context`` is escaped, and Markup is not."""
    return environment().get_template(template).render(**context)


@cache
def script() -> Markup:
    """What a comparison's page can do: sort, filter, hand out files, draw graph against graph."""
    try:
        return Markup((Path(__file__).parent / "comparison.js").read_text(encoding="utf-8"))
    except OSError as error:
        raise CausalnetError(f"the report's script is missing from the installation: {error}") from error


@cache
def environment() -> jinja2.Environment:
    """The templates beside this file, with the style sheet and the ways to write a value."""
    folder = Path(__file__).parent
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"short": short, "number": number, "heading": heading}
    try:
        found.globals["style"] = Markup((folder / "style.css").read_text(encoding="utf-8"))
    except OSError as error:
        raise CausalnetError(f"the report's style sheet is missing from the installation: {error}") from error
    return found
