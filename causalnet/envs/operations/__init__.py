"""Operations of one decision maker: parts of a network fail and make one another fail; an action repairs one of them, or none."""

from __future__ import annotations

from .base import Operations
from .inventory import Inventory, Supply, supply_network
from .machines import MachineRoom, machine_network
from .services import Services, service_network
