"""One question to the data: tests, local scores, likelihoods, intervals. No search."""

from __future__ import annotations

from .intervals import bootstrap_interval, iqm, student_interval, summarize, wilson_interval
