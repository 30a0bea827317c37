"""Networks of agents as array environments: what an agent does is felt by its neighbours."""

from __future__ import annotations

from . import exact
from .base import NetworkedEnv
from .epidemic import Epidemic
from .line import Line
from .model import TabularNetwork
from .parallel import to_parallel_env
from .policies import policy_returns, uniform_policy
from .protocols import Networked
from .tabular import TabularEnv
from .traffic import Traffic, traffic_grid
