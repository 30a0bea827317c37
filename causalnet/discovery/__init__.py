"""The front desk: what a method promises, where methods are found, how one is run, and how sure its answer is."""

from __future__ import annotations

from ..data import KINDS
from .contract import Backend, BackendInfo
from .dispatch import check_applicable, discover
from .register import backends, get, registry
