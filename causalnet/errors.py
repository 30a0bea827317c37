"""Every error causalnet raises on purpose. Each message says what was wrong, where, and what to write instead."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable


class CausalnetError(Exception):
    """Base class: catch this to catch everything causalnet raises on purpose.

    python, shell: what to do about it, where that differs between a program and the command line; ``str(error)`` ends
    with the first, ``error.in_shell`` with the second, and ``error.parts`` are the message and the two.
    """

    def __init__(self, message: str = "", *, python: str = "", shell: str = "") -> None:
        super().__init__(f"{message}; {python}" if python else message)
        self.parts = message, python, shell
        self.in_shell = f"{message}; {shell}" if shell else str(self)

    def within(self, where: str) -> DataError:
        """The same after words that say where, with what to do about it in a program and on the command line."""
        message, python, shell = self.parts
        return DataError(f"{where}: {message}", python=python, shell=shell)


class DataError(CausalnetError, ValueError):
    """The data cannot be used as given; the message names the column or row."""


class KnowledgeError(CausalnetError, ValueError):
    """Background knowledge contradicts itself, or a result contradicts the knowledge."""


class UnknownNameError(CausalnetError, ValueError):
    """A backend, data set or parameter that does not exist; the message names the nearest one."""


class NotApplicable(CausalnetError, TypeError):
    """The method does not take this kind of data, or cannot honour what was asked of it."""


class NotInstalled(CausalnetError, ImportError):
    """The method needs a package that is missing; the message says what to install."""


class TimeLimit(CausalnetError, TimeoutError):
    """``max_seconds`` ran out before there was a result."""


class Crashed(CausalnetError, RuntimeError):
    """A program outside this one ended or fell silent; the message says what it last said. What was finished before stays."""


class ReadingWarning(UserWarning):
    """What the reader of a table changed. in_shell: the same with what to do about it on the command line."""

    def __init__(self, message: str, in_shell: str) -> None:
        super().__init__(message)
        self.in_shell = in_shell


def warned(sentences: list[str]) -> list[str]:
    """What ``meta["warnings"]`` of a graph holds: each sentence raised as a UserWarning where the caller's caller stands."""
    for sentence in sentences:
        warnings.warn(sentence, UserWarning, stacklevel=3)
    return sentences


def nearest(name: str, known: Iterable[str]) -> str:
    """``' Did you mean ...?'`` for a misspelt name, or an empty string when nothing is close."""
    known = sorted(known)
    lower = {k.lower(): k for k in known}
    close = difflib.get_close_matches(str(name).lower(), lower, n=1, cutoff=0.5)
    return f" Did you mean {lower[close[0]]!r}?" if close else ""
