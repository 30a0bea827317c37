"""What frozen data have in common: nothing can be set once built, and arrays cannot be written, copies included."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np


class Sealed:
    """Open while it is built; after ``_seal`` setting anything is refused, ``_frozen`` says what it is and what to do."""

    _frozen: ClassVar[tuple[str, str]]  # "an event log is", "build another with Events(frame)"

    def _seal(self) -> None:
        self.__dict__["_sealed"] = True

    def __setattr__(self, name: str, value: Any) -> None:
        if "_sealed" in self.__dict__:
            what, instead = self._frozen
            raise AttributeError(f"{what} frozen; {name} cannot be set: {instead}")
        super().__setattr__(name, value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)


def settle(array: Any) -> Any:
    """An array that was made for this and is nobody else's: as it is, and not to be written from now on."""
    array.setflags(write=False)
    return array


def freeze(array: Any) -> Any:
    """A contiguous copy that cannot be written."""
    array = np.array(array, order="C", ndmin=1)
    array.setflags(write=False)
    return array
