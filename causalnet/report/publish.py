"""The ranking of a comparison as tables for a paper (LaTeX) and for a page (Markdown): values, chance, p, ties, the rule."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from .values import number

HEADINGS = ("Rank", "Method", "{}", "95 % interval", "Chance", "p", "p pairs", "p directions", "Seconds")
NOTE = (
    "Chance: mean and 95 % point of random graphs with as many edges as the answer. p: of doing as well by chance, against those "
    "graphs and against the answer with shuffled names, the larger one; of the pairs alone; of the directions, given the pairs, "
    "against random orders. ★: better than chance (p <= .05, and above 95 % of complete random orders). =: not told apart from "
    "the first. Controls look at no data and have no rank."
)
METRIC_NAMES = {"f1": "F1", "cpdag_f1": "CPDAG F1", "skeleton_f1": "Skeleton F1", "arrowhead_f1": "Arrowhead F1"}
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"{\ttfamily\char34}", "«": r"$\ll$", "»": r"$\gg$", "–": "--", "—": "---", "★": r"$\ast$", "≤": r"$\leq$", "…": r"\ldots{}", "−": "$-$",
}  # fmt: skip


def p_text(value: float) -> str:
    """A p-value of a thousand draws: '< .002' at its floor, '–' where there is none."""
    if not math.isfinite(value):
        return "–"
    if value < 0.0015:
        return "≤ .001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def ranking_rows(results: Any, dataset: str) -> list[tuple[str, ...]]:
    """The cells of one data set's table, best first."""
    rows: list[tuple[str, ...]] = []
    seconds = results.summary().set_index(["dataset", "backend"])["seconds_mean"]
    for p in results.places[dataset]:
        rank = "control" if p.control else f"{p.rank}{'=' if p.tied and p.rank != 1 else ''}"
        spread = f"{number(p.low, 3)} – {number(p.high, 3)}" if math.isfinite(p.low) and math.isfinite(p.high) else "–"
        chance = f"{number(p.chance, 3)}, {number(p.chance_high, 3)}" if math.isfinite(p.chance) else "–"
        value = number(p.value, 3) + (" ★" if p.better else "")
        told = (p_text(p.p), p_text(p.p_skeleton), p_text(p.p_orientation))
        rows.append((rank, p.backend, value, spread, chance, *told, number(float(seconds[dataset, p.backend]), 3)))
    return rows


def write_markdown(results: Any) -> str:
    """A table a data set with truth, what ranks above it, what the columns mean below."""
    parts = []
    for dataset, rule in results.rules.items():
        heads = [h.format(METRIC_NAMES[results.places[dataset][0].metric]) for h in HEADINGS]
        lines = [[_bar(cell) for cell in row] for row in (heads, *ranking_rows(results, dataset))]
        lines.insert(1, ["---", "---", *["--:"] * (len(heads) - 2)])
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts.append(f"### {_bar(dataset)}\n\nRanked by {rule}. {_basis(results, dataset)}\n\n{table}\n")
    return "\n".join([*parts, NOTE, "", f"Repeat: `{results.command}`", ""]) if parts else "No data set has a truth.\n"


def write_latex(results: Any) -> str:
    """A table environment a data set with truth; no package is needed."""
    parts = []
    for k, (dataset, rule) in enumerate(results.rules.items()):
        heads = [h.format(METRIC_NAMES[results.places[dataset][0].metric]) for h in HEADINGS]
        rows = "\n".join(_line(row) for row in ranking_rows(results, dataset))
        caption = f"{dataset}. Ranked by {rule}. {_basis(results, dataset)} {NOTE}"
        parts.append(
            "\\begin{table}\n\\centering\n\\footnotesize\n\\setlength{\\tabcolsep}{4pt}\n"
            f"\\caption{{{escape_latex(caption)}}}\n\\label{{tab:compare-{k + 1}}}\n"
            f"\\begin{{tabular}}{{ll{'r' * (len(heads) - 2)}}}\n\\hline\n{_line(heads)}\n\\hline\n{rows}\n\\hline\n"
            "\\end{tabular}\n\\end{table}\n"
        )
    command = " ".join(str(results.command).split())
    return f"% {command}\n" + "\n".join(parts)


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it is; characters that its plain fonts lack (ðþ, all beyond Latin-1) by their code point."""
    told = "".join(_ESCAPES.get(c, c if c.isprintable() or c == " " else "?") for c in text)
    return re.sub(r"[^\x20-\xff]|[ÐÞðþ]", lambda found: f"U+{ord(found.group()):04X}", told)


def _line(cells: Sequence[str]) -> str:
    return " & ".join(map(escape_latex, cells)) + r" \\"


def _bar(text: str) -> str:
    """Text inside a cell of a Markdown table."""
    return re.sub(r"([\\|`*_<>\[\]])", r"\\\1", " ".join(text.split()))


def _basis(results: Any, dataset: str) -> str:
    """What the values are of, and which methods have none."""
    n = results.places[dataset][0].n
    frame = results.frame[results.frame["dataset"] == dataset]
    lost = [b for b in dict.fromkeys(frame["backend"]) if b not in {p.backend for p in results.places[dataset]}]
    missing = f" Without a value (failed, refused or out of time): {', '.join(lost)}." if lost else ""
    if results.data(dataset)["sampled"]:
        return f"Means over {n} seed{'s' * (n != 1)}, each of which draws a sample.{missing}"
    return f"Values of the data itself (seed 0); resamples tell stability alone.{missing}"
