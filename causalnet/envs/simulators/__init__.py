"""Simulators of other people as environments: road traffic with SUMO."""

from __future__ import annotations

from .sumo import *  # noqa: F403
