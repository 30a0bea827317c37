"""The fault-alarm network: faults cause alarms, alarms cause alarms, and a repair removes what its root cause caused."""

from __future__ import annotations

from .core import FaultAlarm
from .env import FaultAlarmEnv
from .files import load_instance, save_instance
from .generate import generate_instance, table_3
from .instance import Instance
from .log import observational_log
from .state import Rules
