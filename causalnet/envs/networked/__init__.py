"""Networks of agents as array environments: what an agent does is felt by its neighbours."""

from __future__ import annotations

from . import exact
from .base import CodedNetwork
from .epidemic import Epidemic
from .foreign import from_parallel_env
from .line import Line
from .model import TabularNetwork
from .parallel import to_parallel_env
from .policies import policy_returns, uniform_policy
from .protocols import CodedEnv, ContinuousEnv, NetworkedEnv
from .sysadmin import Machines, SysAdmin, reboot_worst
from .tabular import TabularEnv
from .traffic import Traffic, traffic_grid
