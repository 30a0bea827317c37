"""What the fault-alarm network writes down while nobody repairs it: the log that discovery may start from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ...base.asked import asks
from ...base.checks import whole
from ...data import Events
from ...errors import CausalnetError
from .core import FaultAlarm
from .instance import MOST_ALARMS, Instance

MAX_WINDOWS = 10_000


@asks()
def observational_log(instance: Instance, n_events: int = 4000, *, seed: int = 0) -> Events:
    """The first ``n_events`` alarms (type, whole second of the start, device) of a network that is left alone.

    An episode is started and never repaired, without the limits on alarms that a step of it has; alarms that end by
    themselves stay in the log. Start times are those that the network shows, so polled on a hard instance.
    """
    whole("n_events", n_events, 1, MOST_ALARMS // 2 - 1)
    rules = instance.rules._replace(max_alarms=2 * n_events, cell_limit=2 * n_events)
    core = FaultAlarm(replace(instance, rules=rules), max_steps=MAX_WINDOWS, seed=seed)
    _, info = core.reset()
    alarms = _alive(core)
    for _ in range(MAX_WINDOWS):
        if len(alarms) >= n_events:
            break
        empty = np.flatnonzero(info["counts"].ravel() == 0)
        if not len(empty):
            raise CausalnetError(f"every cell has an alarm before {n_events} alarms started; ask for fewer events")
        _, _, over, _, info = core.step(empty[:1])  # acting where nothing is wrong changes nothing
        alarms = np.unique(np.concatenate([alarms, _alive(core)]), axis=0)
        if over[0]:
            break
    if len(alarms) < n_events:
        raise CausalnetError(f"the network went quiet after {len(alarms)} alarms; another seed may give {n_events}")
    first = alarms[np.lexsort((alarms[:, 1], alarms[:, 0]))][:n_events]
    device, kind = np.divmod(first[:, 1].astype(int), instance.n_types)
    names, places = np.array(instance.types)[kind], np.array(instance.devices)[device]
    frame = pd.DataFrame({"event": names, "timestamp": first[:, 0], "device": places})
    return Events(frame, instance.topology, list(instance.types))


def _alive(core: FaultAlarm) -> np.ndarray:
    """(N, 3) start as seen, cell, and which of equal ones it is: alarms alive now."""
    state = core.state_dict()
    n = int(state["n"][0])
    table = pd.DataFrame({"start": state["seen"][0, :n], "cell": state["cell"][0, :n]})
    table["which"] = table.groupby(["start", "cell"]).cumcount()
    return table.to_numpy(dtype=float)
