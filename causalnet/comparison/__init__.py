"""Methods x data sets x seeds: what to run, where it runs, what is kept of it, and what it says."""

from __future__ import annotations

from ..base.progress import Progress
from .grid import compare
from .results import Results
