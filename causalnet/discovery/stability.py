"""How sure is an edge? What its frequency over resamples of the data says, for any backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import delayed

from ..base.asked import asks
from ..base.checks import file_name, one_of, whole
from ..base.clusters import check_engine, processes, side_by_side
from ..base.progress import Estimate, Watcher, watcher
from ..data import Data, Table, as_series
from ..data.kinds import Divisible
from ..datasets import Dataset
from ..errors import NotApplicable
from ..graph import Graph, Knowledge
from ..graph.confidence import Confidence
from ..graph.knowledge import as_knowledge
from ..storage.folder import RunFolder, alone_in
from ..storage.rows import RowFile
from .choice import AUTO
from .dispatch import discover
from .provenance import fingerprint
from .register import registry

SHARES = {"part": 3 / 4, "half": 1 / 2}  # of the rows, drawn without repeats
MOST = 1_000_000  # resamples
DRAWS = ("auto", "bootstrap", *SHARES)
BY_TESTS = frozenset({"pc", "fci"})


class Reading(NamedTuple):
    """How frequencies over resamples are read (:meth:`Confidence.calibrate`).

    Settled on simulated tables, series and logs of other sizes, densities and strengths than those on which
    pipelines.structure_learning measures the calibration. Tests at a small level miss more in a part than in the whole.
    mixed: a pair's probability in mixed tables at most, whose tests and scores take effects to add up: where they do not, false
    edges return in every part.
    """

    weight: float
    worth: float = 1.0
    turn: float = 1.0
    mixed: float = 1.0


SCORES, TESTS, SERIES, LOGS = Reading(3.0, 5.0, 2.0, 0.99), Reading(2.0, 30.0, 2.0, 0.98), Reading(5.0), Reading(1.0)
WHOLE = 0  # in place of a seed; those of parts are 1, 2, ...
FORMAT, COLUMNS = "causalnet.confidence/1", ("seed", "graph")


@asks("backend", "n_jobs", "engine")
def edge_confidence(
    data: Any,
    backend: str = AUTO,
    *,
    n: int = 50,
    seed: int = 0,
    n_jobs: int = 1,
    draw: str = "auto",
    engine: str = "local",
    progress: bool | Watcher | None = None,
    out: str | Path | None = None,
    **kwargs: Any,
) -> Confidence:
    """How probable each edge is: the graph is learned on ``n`` resamples, and the frequency of each edge read by Bayes' rule.

    draw: "part" draws three quarters of the rows of a table, or of the devices or time blocks of an event log, without repeats;
    "half" one half; "bootstrap" as many as there are, with repeats, as each kind of data says (``resample``). "auto" is
    "part" where the kind of data can be divided, and "bootstrap" elsewhere; methods for time series get blocks of consecutive
    rows, some 63 % of them. "auto" gives probabilities (:meth:`Confidence.calibrate`; ``frequency`` has the shares), a draw
    that is asked for by its name the shares as they are. Repeats count as evidence: to a score, each edge that is not there gains about two chi-squares in
    place of one, against an unchanged penalty, and edges of no meaning recur in a fifth of the resamples. Halves hide what
    the whole shows: z of the whole is z / sqrt(2) in a half. Stability selection and its bound ask for halves
    (Meinshausen and Bühlmann 2010; :meth:`Confidence.expected_false`).

    n_jobs: resamples at once, in processes of their own. engine: "local", or "dask:ADDRESS" of a running scheduler.
    progress: True for a bar, or a callback. out: a folder that keeps every finished resample, so that the same call goes on
    where it was stopped, and one with more resamples adds them.
    kwargs: the backend's parameters, ``max_seconds`` of a resample, and ``knowledge``. Every resample counts; one that fails
    raises.
    """
    n_jobs = processes(n_jobs)
    n, seed, engine = whole("the number of resamples n", n, 1, MOST), whole("seed", seed, 0), check_engine(engine)
    if not isinstance(data, Dataset | Data) and _in_time(backend):
        data = as_series(data)
    source = data if isinstance(data, Dataset) else Dataset("data", data)
    wanted, draw = one_of("draw", draw, DRAWS), _drawn(source, backend, draw)
    seeds = np.random.default_rng(seed).integers(1, 2**31, n).tolist()  # more of them begin with the same
    also_whole = wanted == "auto" and draw == "part" and source.data.kind != "events"
    told = {"data": fingerprint(source), "backend": backend, "draw": draw, "seed": seed}
    told["params"] = {name: value if name != "knowledge" else repr(value) for name, value in sorted(kwargs.items())}
    with _shelf(out, told) as (graphs, keep), watcher(progress, "resampling", "resamples") as tell:
        left = [s for s in (*seeds, *([WHOLE] * also_whole)) if s not in graphs]
        with side_by_side(engine, n_jobs) if left else nullcontext((iter, 1)) as (run, lanes):
            estimate = Estimate([backend] * len(left), n + also_whole - len(left), 0, lanes)
            tell(estimate.now(""))
            for s, graph in run(delayed(_one)(source, s, backend, draw, kwargs) for s in left):
                keep(s, graph)
                estimate.finish(backend, graph.meta.get("seconds"), failed=False)
                tell(estimate.now(""))
    found = Confidence.count([graphs[s] for s in seeds], draw=draw)
    if wanted != "auto" or (draw != "part" and not _in_time(backend)):
        return found
    reading = _reading(source.data.kind, backend)
    if not also_whole:  # in time and in logs a pair may be linked both ways
        return found.calibrate(reading.weight)
    known = as_knowledge(kwargs.get("knowledge", source.knowledge)) or Knowledge()
    return _read(found, reading, graphs[WHOLE], known, source.data.kind == "mixed")


def _read(found: Confidence, reading: Reading, whole: Graph, known: Knowledge, mixed: bool) -> Confidence:
    """The probabilities of a table's edges, by its parts and as a whole; pairs that are known to be joined stay certain."""
    allowed, required = known.compile(found.nodes)
    most = np.where(required | required.T, 1.0, reading.mixed if mixed else 1.0)
    weight, worth, turn, _ = reading
    return found.calibrate(weight, allowed & allowed.T, whole=whole, worth=worth, turn=turn, most=most)


def _drawn(source: Dataset, backend: str, draw: str) -> str:
    """How the data are drawn; NotApplicable where there is nothing to divide."""
    if draw in SHARES and _in_time(backend):
        raise NotApplicable(f"{backend} reads rows as consecutive times, which a {draw} would tear; write 'bootstrap'")
    if draw in SHARES and not isinstance(source.data, Divisible):
        raise NotApplicable(f"draw={draw!r} divides rows or devices, and this is {source.data.kind}; write 'bootstrap'")
    if draw != "auto":
        return draw
    return "part" if isinstance(source.data, Divisible) and not _in_time(backend) else "bootstrap"


def _reading(kind: str, backend: str) -> Reading:
    """How the frequencies of such a method with such data are read, peers' included."""
    if kind == "events":
        return LOGS
    if _in_time(backend):
        return SERIES
    return TESTS if backend.rpartition("/")[2] in BY_TESTS else SCORES


def _in_time(backend: str) -> bool:
    """Does a method read the rows of a table as consecutive times?"""
    method = registry().get(backend)
    return method is not None and method.in_time


@contextmanager
def _shelf(out: str | Path | None, told: Mapping[str, Any]) -> Iterator[tuple[dict[int, Graph], Any]]:
    """The graphs of resamples that are done, by seed, and a function that keeps one more: in a folder where one is given."""
    graphs: dict[int, Graph] = {}
    if out is None:
        yield graphs, graphs.__setitem__
        return
    folder = file_name(out, "runs/confidence")
    with alone_in(folder):
        kept, file = RunFolder(folder, "confidence.json", FORMAT), RowFile(folder / "graphs.csv", COLUMNS, ["graph"])
        if not kept.holds(told):
            kept.tell(told)
        graphs |= {row["seed"]: Graph.from_json(row["graph"]) for row in file.read().rows}

        def keep(seed: int, graph: Graph) -> None:
            file.append({"seed": seed, "graph": graph.replace(evidence={}).to_json()})
            graphs[seed] = graph

        yield graphs, keep


def _one(source: Dataset, seed: int, backend: str, draw: str, kwargs: dict[str, Any]) -> tuple[int, Graph]:
    data = source.data
    if seed == WHOLE:
        return seed, discover(data, backend, **{"knowledge": source.knowledge, **kwargs})
    if isinstance(data, Table) and _in_time(backend):
        data = as_series(data).resample(np.random.default_rng([seed, 0xB10C]))
    elif draw in SHARES and isinstance(data, Divisible):
        data = data.part(np.random.default_rng([seed, 0xB007]), SHARES[draw])
    else:
        data = source.resample(seed).data
    return seed, discover(data, backend, seed=seed, **{"knowledge": source.knowledge, **kwargs})
