"""Environments to act in; importing this package registers ``causalnet/FaultAlarm-v0`` with Gymnasium.

The names below load on first use, so that the import itself compiles nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium

_HOME = {
    "FaultAlarm": "fault_alarm",
    "FaultAlarmEnv": "fault_alarm",
    "Instance": "fault_alarm",
    "Rules": "fault_alarm",
    "generate_instance": "fault_alarm",
    "load_instance": "fault_alarm",
    "save_instance": "fault_alarm",
    "Wireless": "wireless",
    "gsac_grid": "wireless",
    "lin_grid": "wireless",
    "utility_grid": "wireless",
    "wireless_network": "wireless",
    "collision_free_ceiling": "wireless_policies",
    "dedicated_access_points": "wireless_policies",
    "localized_aloha": "wireless_policies",
    "Traffic": "traffic",
    "traffic_grid": "traffic",
    "Epidemic": "epidemic",
    "Line": "line",
    "TabularEnv": "tabular",
    "TabularNetwork": "tabular",
    "policy_returns": "policies",
    "uniform_policy": "policies",
    "to_parallel_env": "parallel",
}
__all__ = [*_HOME]

FAULT_ALARM = "causalnet/FaultAlarm-v0"
if FAULT_ALARM not in gymnasium.registry:  # the environment truncates by itself (max_steps): no TimeLimit on top
    gymnasium.register(FAULT_ALARM, entry_point="causalnet.envs.fault_alarm:FaultAlarmEnv")


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'causalnet.envs' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
