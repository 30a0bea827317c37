"""Environments to act in; importing this package registers ``causalnet/FaultAlarm-v0`` with Gymnasium.

The names below load on first use, so that the import itself compiles nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium

from ..base.doors import door

_HOMES = {
    "fault_alarm": "FaultAlarm FaultAlarmEnv Instance Rules generate_instance load_instance observational_log save_instance",
    "networked": "CodedEnv CodedNetwork ContinuousEnv Epidemic Line Machines NetworkedEnv SysAdmin TabularEnv TabularNetwork Traffic exact from_parallel_env policy_returns reboot_worst to_parallel_env traffic_grid uniform_policy",
    "networked.wireless": "Wireless action_places collision_free_ceiling dedicated_access_points gsac_grid lin_grid localized_aloha true_masks utility_grid wireless_network",
    "operations": "Inventory MachineRoom Services Supply machine_network service_network supply_network",
    "simulators": "Signals Sumo draw_roads fixed_time greedy max_pressure resco resco_scenarios",
}
__getattr__, __dir__, __all__ = door(__name__, _HOMES)

if TYPE_CHECKING:
    from .fault_alarm import *  # noqa: F403
    from .networked import *  # noqa: F403
    from .networked.wireless import *  # noqa: F403
    from .operations import *  # noqa: F403
    from .simulators import *  # noqa: F403

FAULT_ALARM = "causalnet/FaultAlarm-v0"
if FAULT_ALARM not in gymnasium.registry:  # the environment truncates by itself (max_steps): no TimeLimit on top
    gymnasium.register(FAULT_ALARM, entry_point="causalnet.envs.fault_alarm:FaultAlarmEnv")
