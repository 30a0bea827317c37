"""What the command line reads: options, knowledge files, tables and event logs told apart by their columns."""

from __future__ import annotations

import contextlib
import json
import shlex
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.text import read_value, split, writable
from ..errors import CausalnetError, DataError, KnowledgeError, NotApplicable, UnknownNameError, nearest
from .reading_options import NOT_OF_SERIES, OF_LOGS, OF_SERIES, OF_TABLES, Options
from .terminal import say

if TYPE_CHECKING:
    from ..data import Counts, Events, Moments, Series, Table
    from ..datasets import Dataset
    from ..discovery.contract import Backend
    from ..graph import Graph, Knowledge


LARGE = 1 << 26  # bytes of a file from which it is asked whether its table is large


def parse_settings(pairs: Iterable[str], option: str = "--set") -> dict[str, Any]:
    """``["alpha=0.05", "hops=[0,1]"]`` -> parameters; values are JSON where they can be, text otherwise."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise DataError(f"{option} {pair!r} is no setting; write {option} name=value, as in {option} alpha=0.05")
        if name.strip() in found:
            raise DataError(f"{option} gives {name.strip()!r} twice; keep one")
        found[name.strip()] = read_value(text)
    return found


def refuse_options(params: Collection[str]) -> None:
    """What has an option of its own is no parameter of a method."""
    for name in set(params) & {"seed", "knowledge", "max_seconds", "data", "backend"}:
        raise UnknownNameError(
            f"{name} is no parameter of a method; use the option --{name.replace('_', '-')} instead of --set"
        )


def parse_backend_settings(pairs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """``["pc.alpha=0.05"]`` -> ``{"pc": {"alpha": 0.05}}``."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in parse_settings(pairs).items():
        backend, dot, parameter = name.rpartition(".")
        if not dot or not backend or not parameter:
            raise DataError(
                f"--set {name}={value!r} names no backend; write --set backend.{name}=..., as in --set pc.alpha=0.05"
            )
        found.setdefault(backend, {})[parameter] = value
    return found


def parse_seeds(text: str) -> int | list[int]:
    """``"5"`` is how many; ``"0,3,7"`` (or ``"3,"``) is which."""
    try:
        if "," not in text:
            return int(text)
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise DataError(f"--seeds takes how many (5) or which (0,3,7), got {text!r}") from None


def _read_object(path: Path, what: str, error: type[CausalnetError], example: str) -> dict[str, Any]:
    """The JSON object that a file of ``what`` holds."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise error(f"the {what} file {path} cannot be read: {cause.strerror or cause}") from cause
    except (ValueError, RecursionError) as cause:
        raise error(f"the {what} file {path.name} is not valid JSON ({cause}); {example}") from cause
    if not isinstance(raw, dict):
        raise error(f"the {what} file {path.name} must hold one JSON object; {example}")
    return raw


def read_knowledge(path: Path) -> Knowledge:
    """Knowledge from a JSON file with the keys required, forbidden, tiers, roots and leaves."""
    from ..graph import Knowledge

    known = ("required", "forbidden", "tiers", "roots", "leaves")
    example = 'write {"required": [["cause", "effect"]], "forbidden": [], "tiers": [["early"], ["late"]]}'
    raw = _read_object(path, "knowledge", KnowledgeError, example)
    for key, value in raw.items():
        if key not in known:
            raise KnowledgeError(f"the knowledge file {path.name} has the unknown key {key!r}.{nearest(key, known)}")
        if not isinstance(value, list):
            raise KnowledgeError(f"in the knowledge file {path.name}, {key!r} must be a list; {example}")
    try:
        return Knowledge(**raw)
    except TypeError as error:
        raise KnowledgeError(f"the knowledge file {path.name} is not as expected ({error}); {example}") from error


def read_data(path: Path, method: Backend | None, how: Options) -> Table | Moments | Counts | Events | Series:
    """The file as the kind of data that the method takes (None: any); where both would do, the choice is told on stderr."""
    from ..data import as_table, outline, stream_table
    from ..data.logs import hint_of_log
    from ..data.reading import read_frame, stored, table_format

    takes_events = method is None or "events" in method.takes
    takes_tables = method is None or bool(method.takes - {"events"})
    wants_log = how.given(*OF_LOGS)
    if wants_log and method is not None and not takes_events:
        raise NotApplicable(
            f"{', '.join(wants_log)} belongs to an event log, and {method.name} takes {', '.join(sorted(method.takes))} data"
        )
    path = stored(path)
    if not path.is_dir():
        require_file(path)
    if how.given(*OF_SERIES):
        return read_series(path, how, method)
    if takes_tables and not wants_log and (path.is_dir() or path.stat().st_size > LARGE):
        found = outline(path) if path.is_dir() or table_format(path) not in ("json", "jsonl") else None
        if found is not None and (found.large or path.is_dir()) and not _is_log(found.columns):
            say(found.told(path.name) if found.large else f"the parts in {path.name} are streamed", stderr=True)
            if how.given("continuous", "missing", "regime", "targets"):
                raise NotApplicable(
                    "--continuous, --missing, --regime and --targets belong to tables that fit in memory; use --discrete"
                )
            kept = [name for name in found.columns if name not in _unwanted(how.drop, found.columns)]
            return stream_table(path, kept, _listed(how.discrete))
    frame = read_frame(path)
    log = _is_log(frame.columns)
    if takes_events and (wants_log or log or not takes_tables):
        if how.given(*OF_TABLES):
            raise NotApplicable(
                f"{', '.join(how.given(*OF_TABLES))} belongs to a table, and {path.name} is read as an event log"
            )
        if takes_tables and log:
            say(f"{path.name} is read as an event log (it has event, timestamp and device columns)", stderr=True)
        return read_log(path, how)
    if log and method is not None:
        say(
            f"{path.name} looks like an event log, but {method.name} takes tables: it is read as a table",
            style="yellow",
            stderr=True,
        )
    elif takes_events and (hint := hint_of_log(frame.columns)):
        say(f"{path.name}: {hint}", style="yellow", stderr=True)
    frame = frame.drop(columns=_unwanted(how.drop, frame.columns))
    if method is not None and method.in_time:
        _tell_times(frame)
    return as_table(
        frame,
        discrete=_listed(how.discrete),
        continuous=_listed(how.continuous),
        missing=_listed(how.missing) or (),
        regime=how.regime,
        targets=None if how.targets is None else read_targets(how.targets),
    )


def _tell_times(frame: Any) -> None:
    """Where a column seems to hold times, how the rows are put in their order."""
    from ..data.steps import time_columns

    for name in time_columns(frame)[:1]:
        say(
            f"column {name!r} seems to hold the times of the rows, which are taken in the order of the file; --time "
            f"{shlex.quote(str(name))} puts them in that of their times",
            style="yellow",
            stderr=True,
        )


def read_series(path: Path, how: Options, method: Backend | None = None) -> Series:
    """The file as rows in order of time, for a method that looks back (None: any)."""
    from ..data import Series
    from ..data.reading import read_frame

    asked = ", ".join(how.given(*OF_SERIES))
    if method is not None and "series" not in method.takes:
        raise NotApplicable(
            f"{asked} makes a series of the rows, and {method.name} takes {', '.join(sorted(method.takes))} data; "
            "pcmci and granger take series"
        )
    if odd := how.given(*NOT_OF_SERIES, *OF_LOGS):
        raise NotApplicable(f"{', '.join(odd)} belongs to a table or a log, and {asked} makes a series of the rows")
    frame = read_frame(path)
    frame = frame.drop(columns=_unwanted(how.drop, frame.columns))
    return Series(frame, how.time, how.segment, missing=_listed(how.missing) or ())


def read_targets(path: Path) -> dict[str, Any]:
    """{regime: variables acted on there, or None} from a JSON file."""
    example = 'write {"a regime": ["a variable"], "another": null}'
    raw = _read_object(path, "targets", DataError, example)
    if not all(on is None or isinstance(on, list) for on in raw.values()):
        raise DataError(f"the targets file {path.name} must hold one JSON object of lists; {example}")
    return raw


def read_log(path: Path, how: Options) -> Events:
    """The file as an event log."""
    from ..data import read_events

    return read_events(
        path,
        how.topology,
        columns=how.roles,
        unit=how.unit,
        duration_unit=how.duration_unit,
        skip_bad_rows=how.skip_bad_rows or 0,
    )


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else split(names, ",")


def _unwanted(drop: str | None, columns: Collection[str]) -> list[str]:
    names = _listed(drop) or []
    for name in names:
        if name not in columns:
            raise UnknownNameError(f"--drop names {name!r}, which is not a column.{nearest(name, columns)}")
    return names


def require_file(path: Path) -> None:
    if path.is_file():
        return
    from ..datasets import names

    if str(path).partition(":")[0] in names():
        raise DataError(
            f"no such file: {path}; that is the name of a data set, which `causalnet compare --data {path}` takes"
        )
    beside = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
    raise DataError(f"no such file: {path}.{nearest(path.name, beside)}")


def _is_log(columns: Any) -> bool:
    from ..data.logs import is_log

    return is_log(columns)


def read_sets(items: Sequence[str], how: Options, scored: bool = False) -> list[str | Dataset]:
    """Data sets by name, and files as data sets without truth, read as the options say; scored: a truth is given beside them."""
    with _warnings_said():
        found = [_named_or_file(item, how, scored) for item in items]
    if how.written() and all(isinstance(one, str) for one in found):
        raise NotApplicable(f"{', '.join(how.written())} says how a file is read, and --data names no file")
    return found


def _named_or_file(item: str, how: Options, scored: bool) -> str | Dataset:
    """A data set by name, or a file as a data set without truth."""
    from ..data import Events, Series
    from ..data.reading import STDIN
    from ..datasets import Dataset, names

    if item.partition(":")[0] in names():
        return item
    path = Path(item)
    if not path.suffix and item != STDIN:
        hint = nearest(item, names()) or " See `causalnet datasets`, or give a file such as my.csv."
        raise UnknownNameError(f"there is no data set {item!r}.{hint}")
    data = read_data(path, None, how)
    name = "stdin" if item == STDIN else writable(path.name)
    what = {Events: "an event log", Series: "a series"}.get(type(data), "a table")
    unknown = "" if scored else "; its truth is unknown, so it is not scored (--truth FILE gives it)"
    say(f"{name} is read as {what}{unknown}", stderr=True)
    card = {"title": f"The file {name}", "path": writable(item)}
    written = {option: str(value) for option, value in how.written().items()}
    return Dataset(name, data, card={**card, **({"options": written} if written else {})})


@contextlib.contextmanager
def _warnings_said() -> Iterator[None]:
    """What is warned of inside is said on stderr, each once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(getattr(w.message, "in_shell", str(w.message)) for w in caught):
        say(f"warning: {text}", style="yellow", stderr=True)


def read_graph(path: Path) -> Graph:
    from ..graph import Graph
    from ..graph.forms import READ

    require_file(path)
    with _warnings_said():
        if path.suffix.lower() in READ and path.suffix.lower() != ".json":
            return Graph.load(path)
        try:
            return Graph.from_json(path.read_text(encoding="utf-8"))
        except DataError as error:
            raise error.within(str(path)) from error
        except (UnicodeDecodeError, OSError) as error:
            raise DataError(f"{path}: {error}") from error


def on_disk(name: str) -> bool:
    """True when every file that a data set needs is there already (nothing is downloaded to find out)."""
    from ..datasets import cards
    from ..datasets.files import search_path

    folders = list(search_path())
    return all(
        any((folder / entry["path"]).is_file() for folder in folders) for entry in cards()[name].get("files", [])
    )


def available(name: str, card: Any) -> str:
    import importlib.util

    if card["kind"] == "bayesian-network":
        return "yes" if importlib.util.find_spec("pgmpy") else "no: pip install pgmpy"
    if card["kind"] == "alarms":
        return "yes" if on_disk(name) else "not on disk"
    if card["kind"] == "fault-alarm":
        return "official sample" if on_disk(name) else "simulated"
    return "yes"
