"""Scoreboard: every data set with a trusted truth, native methods and installed peers, each beside its chance, on one page.

``python -m pipelines.scoreboard --out runs/scoreboard`` (some hours; run it again to finish or extend it); ``--readme`` prints the
table of a finished folder again. Tables, experiments, series and logs: simulated ones and networks draw a sample a seed; sachs and
the public logs are fixed data, scored on the data itself, of which the other seeds are resamples. Controls are in every table and
never ranked. Methods with hidden causes (PAGs) are left out: beside one of them only pairs can rank; ``pipelines.hidden_causes``
is theirs. Defaults everywhere, for peers as for us: what a method does untuned, in at most ``--max-seconds`` a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import causalnet as cn
from causalnet.comparison.standing import Place
from causalnet.discovery.register import registry
from causalnet.report.publish import METRIC_NAMES, p_text
from causalnet.report.values import number
from causalnet.storage.files import write_atomic
from pipelines.common import in_a_sentence, options
from pipelines.compare_discovery import available

TABLES = ["linear-fair", "linear-uniform", "nonlinear-gaussian", "random-categorical", "random-mixed", "sachs:truth=17"]
NETWORKS = ["asia", "child", "insurance", "alarm", "hailfinder"]
REGIMES = ["linear-interventional", "linear-interventional:known=false", "sachs-interventional"]
SERIES = ["lagged-series", "lagged-series:n=300", "lagged-series:nonlinear=true"]
LOGS = ["hawkes", "fault-alarm", "pcic-18v", "pcic-24v"]
DATA = [*TABLES, *NETWORKS, *REGIMES, *SERIES, *LOGS]
NATIVE = ["order", "pc", "lingam", "notears", "pcmci", "granger", "thp"]
PEERS = [
    *(
        "flopsearch/flop",
        "andrey/boss",
        "andrey/pc",
        "causal-learn/ges",
        "causal-learn/direct-lingam",
        "gcastle/notears",
    ),
    *("pgmpy/hill-climb", "pyagrum/miic", "gies/gies", "tigramite/pcmci-plus", "gcastle/ttpm"),
]
CONTROLS = ["random", "empty"]
QUICK = [
    *("random-categorical:d=5:n=200", "linear-interventional:d=5:n=100:rows=30:targets=2"),
    *("lagged-series:d=4:n=150", "hawkes:n_types=4:n_events=300"),
]
HEADINGS = ("data", "ranked by", "best native", "", "chance, p", "best peer", "", "seconds")


def write_board(results: cn.Results) -> str:
    """Markdown: a row a data set with the best native method beside the best peer, their intervals, and chance at its size."""
    seconds = results.summary().set_index(["dataset", "backend"])["seconds_mean"]
    lines = [HEADINGS, ("---",) * 4 + ("---",) * 4]
    for name, places in results.places.items():
        ranked = [place for place in places if not place.control]
        if not ranked:
            continue
        native, peer = _best(ranked, lambda b: "/" not in b), _best(ranked, lambda b: "/" in b)
        chance, spent = "", []
        for place in filter(None, (native, peer)):
            spent.append(number(float(seconds[name, place.backend]), 3))
        if native is not None:
            chance = f"{number(native.chance, 3)}, {p_text(native.p)}"
        both = [cell for place in (native, peer) for cell in _told(place)]
        lines.append((f"`{name}`", METRIC_NAMES[ranked[0].metric], *both[:2], chance, *both[2:], " / ".join(spent)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _best(places: Iterable[Place], wanted: Callable[[str], bool]) -> Place | None:
    """The first of the methods wanted, which stand best first."""
    return next((place for place in places if wanted(place.backend)), None)


def _told(place: Place | None) -> tuple[str, str]:
    """Name and value with its interval; ★ where it is better than chance and not told apart from the best."""
    if place is None:
        return "–", ""
    spread = f" [{number(place.low, 3)}, {number(place.high, 3)}]" if place.low == place.low else ""
    star = " ★" if place.better and (place.tied or place.rank == 1) else ""
    return f"`{place.backend}`", f"{number(place.value, 3)}{spread}{star}"


def methods(quick: bool) -> list[str]:
    """Those that are installed; in a quick run four native ones and a control."""
    if quick:
        return ["order", "pc", "pcmci", "thp", "random"]
    known = registry()
    return [name for name in (*NATIVE, *PEERS, *CONTROLS) if name in known and known[name].installed]


@in_a_sentence()
def main(argv: Sequence[str] | None = None) -> cn.Results:
    """Run or resume the scoreboard, write scoreboard.md beside the report, and print it."""
    parser = options(__doc__, "runs/scoreboard")
    add = parser.add_argument
    add("--max-seconds", type=float, default=60.0, help="bound on one cell (default 60)")
    add("--jobs", type=int, default=1, help="cells at once")
    add("--engine", default="local", help="local, or dask:ADDRESS of a running scheduler")
    add("--data", type=lambda text: text.split(","), default=None, metavar="NAMES", help="some of the data sets")
    add("--readme", action="store_true", help="run nothing: print the table of what the folder holds")
    args = parser.parse_args(argv)
    out: Path = args.out
    if args.readme:
        results = cn.Results(out)
    else:
        data = args.data or (QUICK if args.quick else DATA)
        how = {"max_seconds": args.max_seconds, "n_jobs": args.jobs, "engine": args.engine, "progress": True}
        seeds = args.seeds or (1 if args.quick else 5)
        results = cn.compare(available(data), methods(args.quick), seeds=seeds, out=out, **how)
    board = write_board(results)
    write_atomic(out / "scoreboard.md", board)
    print(board)
    print(out / "report.html")
    return results


if __name__ == "__main__":
    main()
