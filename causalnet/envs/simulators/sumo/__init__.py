"""Traffic lights in SUMO, the road simulator (Lopez et al., ITSC 2018), as a network of agents."""

from __future__ import annotations

from .controls import fixed_time, greedy, max_pressure
from .env import Sumo
from .network import RoadNetwork
from .picture import draw_roads
from .scenarios import resco, resco_scenarios
from .settings import Signals
