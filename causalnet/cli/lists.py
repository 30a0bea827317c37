"""``causalnet backends`` and ``causalnet datasets``: what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import UnknownNameError, nearest
from .inputs import available
from .terminal import say_json, show_table

HANDLES = {
    "missing": "missing cells",
    "few rows": "fewer rows than columns",
    "regimes": "rows of several experiments",
    "streamed": "streamed tables",
}


def list_backends(
    kind: Annotated[
        str | None, typer.Option(help="Only those for this kind: continuous, discrete, mixed, events.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False,
) -> None:
    """List the discovery methods."""
    from ..discovery.register import backends as known
    from ..discovery.register import kinds

    if kind is not None and kind not in kinds():
        raise UnknownNameError(
            f"there is no kind {kind!r}; the kinds are {', '.join(kinds())}.{nearest(kind, kinds())}"
        )
    found = [info for info in known() if kind is None or kind in info.takes]
    if json_:
        say_json([info._asdict() for info in found])
        return
    rows = []
    for info in found:
        assumes = f"assumes: {', '.join(info.assumes)}" if info.assumes else ""
        copes = f"also takes: {', '.join(HANDLES.get(word, word) for word in info.handles)}" if info.handles else ""
        absent = "" if info.installed else f"not installed: {info.how_to_install}"
        notes = [note for note in (info.summary, copes, assumes, info.caveat, absent) if note]
        rows.append((info.name, ", ".join(info.takes), info.gives, "\n".join(notes)))
    show_table(["name", "takes", "gives", "what it does"], rows)


def list_datasets(json_: Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")] = False) -> None:
    """List the data sets."""
    from ..datasets import cards

    found = [{**card, "available": available(name, card)} for name, card in cards().items()]
    if json_:
        say_json(found)
        return
    rows = [(str(c["name"]), str(c["kind"]), str(c["available"]), str(c.get("title", ""))) for c in found]
    show_table(["name", "kind", "available", "what it is"], rows)
