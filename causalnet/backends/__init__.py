"""Discovery backends: one file each, found by its name; no other package's algorithms are imported before use.

A backend module holds ``TAKES`` (kinds of data), ``GIVES`` (kind of graph), ``KNOWLEDGE`` (what it honours),
``REQUIRES`` (packages), ``CAVEAT``, ``ASSUMES`` (what must hold for its answer to be true) and
``learn(data, *, knowledge, rng, **params) -> Graph``; the first line of its docstring is its summary. A module with ``ALGORITHMS`` (a mapping of names to :class:`Backend`) is a family: its
members are called ``family/member``. Other packages register through the entry-point group ``causalnet.backends``,
with a module of either form, or a :class:`Backend`.
"""

from __future__ import annotations

from ..base.doors import make_callable
from ..discovery.contract import Backend, BackendInfo
from ..discovery.dispatch import discover
from ..discovery.register import backends, get, registry

make_callable(__name__)
