"""What every kind of data answers, and which kinds there are. A new kind is one class in a file of its own.

Nothing has to be inherited: whatever has the members of :class:`Data` can be learnt from, resampled, compared and
fingerprinted, and a backend takes it by naming its kind in ``TAKES``. The decorator :func:`data_kind` lets the kind be
known before there are data of it, so that ``causalnet backends --kind`` lists it and a misspelling of it is told:

    @data_kind
    class Spectra:
        kind = "spectra"
        ...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from ..errors import DataError

if TYPE_CHECKING:
    import numpy as np

KINDS: dict[str, type] = {}  # every kind that a loaded class declares, with the class
Class = TypeVar("Class", bound=type)


@runtime_checkable
class Data(Protocol):
    """Observations of named variables, validated and frozen; ``repr`` says in a line what and how many they are."""

    @property
    def kind(self) -> str:
        """The word that backends name in ``TAKES``, such as "discrete" or "events"."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The variables that a graph is learnt over: its nodes, in this order."""

    @property
    def n(self) -> int:
        """Number of observations: rows, events, actions."""

    def resample(self, rng: np.random.Generator) -> Data:
        """A bootstrap resample of what is independent in the data; NotApplicable, in a sentence, where nothing is."""

    def fingerprint_parts(self) -> Iterable[Any]:
        """All that decides a score, part by part: an array counts by its bytes, anything else by its ``repr``.

        Folders of comparisons keep the digest, so the parts stay the same between versions; real numbers go in as
        float32, since machines differ in the last bits. Kind and columns are digested for all data alike.
        """


@runtime_checkable
class Demanding(Protocol):
    """Data that not every method for its kind can take, such as a table with missing cells."""

    @property
    def demands(self) -> Mapping[str, str]:
        """The words that a backend must name in ``HANDLES``, each with the facts in a sentence."""


@runtime_checkable
class Divisible(Protocol):
    """Data of which a share can be drawn without repeats, in place of a bootstrap with them."""

    def part(self, rng: np.random.Generator, share: float) -> Data:
        """A share, between 0 and 1, of what is independent in the data, each at most once, in its order."""


MEMBERS = ("kind", "columns", "n", "resample", "fingerprint_parts")


def data_kind(cls: Class) -> Class:
    """Class decorator: the class holds data of its ``kind``, or of its ``kinds`` where the values decide which."""
    names = getattr(cls, "kinds", None) or (getattr(cls, "kind", None),)
    for name in names:
        if not isinstance(name, str) or not name:
            raise DataError(f"{cls.__name__} declares the kind {name!r}; write kind = 'a-word' in the class")
        other = KINDS.setdefault(name, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise DataError(
                f"the kind {name!r} is declared by {other.__module__}.{other.__qualname__} and again by "
                f"{cls.__module__}.{cls.__qualname__}; give the new one another name"
            )
        KINDS[name] = cls
    return cls


def is_data(data: Any) -> bool:
    """Has an object all members of :class:`Data`? Strangers are not asked for more than their kind."""
    kind = getattr(data, "kind", None)
    return isinstance(kind, str) and (KINDS.get(kind) is type(data) or isinstance(data, Data))


def refuse_unfinished(data: Any) -> None:
    """DataError for an object that names its kind but lacks other members of :class:`Data`; it lists all of them."""
    if isinstance(getattr(data, "kind", None), str):
        lacking = [name for name in MEMBERS if getattr(data, name, None) is None]
        raise DataError(
            f"{type(data).__name__} calls itself data of the kind {data.kind!r}, but lacks {', '.join(lacking)}; "
            "causalnet.data.Data says what every kind of data answers"
        )
