"""``"auto"``: the native method for the data at hand, and why that one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..data import Data
from ..errors import CausalnetError, NotApplicable, nearest
from .contract import Backend

AUTO = "auto"
# most accurate first, on simulated data of each kind; the first that takes the data is chosen
PREFERRED = ("order", "pc", "thp", "pcmci", "granger", "att-bic")


def choose(data: Data, known: Mapping[str, Backend], check: Callable[[Backend], None]) -> tuple[Backend, str]:
    """The first of PREFERRED that takes the data, and the reason in a sentence.

    check: raises the sentence that says why a method cannot take the data, the knowledge or the parameters. Where
    every method for the kind refuses, the first refusal is raised.
    """
    passed: list[tuple[str, CausalnetError]] = []
    for method in (known[name] for name in PREFERRED if name in known and data.kind in known[name].takes):
        try:
            check(method)
        except CausalnetError as error:
            passed.append((method.name, error))
        else:
            why = f"{method.name} was chosen: the most accurate native method for {data.kind} data"
            if passed:
                refused = [f"not {name}: {str(error).removesuffix('.')}" for name, error in passed]
                why += f" here ({'; '.join(refused)})"
            return method, why
    if passed:
        raise passed[0][1]
    raise NotApplicable(f"no native method takes {data.kind} data; those of other packages: {takers(data.kind, known)}")


def takers(kind: str, known: Mapping[str, Backend], handling: frozenset[str] = frozenset()) -> str:
    """Every method that takes data of that kind, native ones first, with what is to be installed for those that lack it."""
    able = [b for b in known.values() if kind in b.takes and handling <= b.handles]
    if not able:
        return f"none.{nearest(kind, {kind for b in known.values() for kind in b.takes})}" if not handling else "none"
    able.sort(key=lambda b: ("/" in b.name, b.name))
    return ", ".join(b.name if b.installed else f"{b.name} ({b.how_to_install})" for b in able)
