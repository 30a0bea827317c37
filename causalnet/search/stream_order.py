"""In which order events of a stream are counted: by time, each once, late ones set aside, those far ahead kept waiting.

A clock that is wrong once must not make all that follows late. So the last events, a FEW at most, that lie further ahead
of the others than LEAP events take on average do not count until more than a FEW lie there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .stream_state import State, Waiting

LEAP = 1000.0  # mean gaps
FEW = 4
SEEN = 100  # events that tell a mean gap


def arrived(state: State, new: Waiting) -> State:
    """The state with events that came, in whatever order, among those that wait, are late or are ahead."""
    late = np.zeros(len(new.time), dtype=bool)
    if state.n + len(state.waiting.time):
        late = new.time < state.newest - state.settings.patience
    waiting, twice = _ordered(state.waiting.joined(state.ahead).joined(new.taken(~late)))
    here = len(waiting.time) - _ahead(state, waiting.time)
    return replace(
        state,
        waiting=waiting.taken(slice(None, here)),
        ahead=waiting.taken(slice(here, None)),
        aside=state.aside.joined(new.taken(late)),
        newest=max(state.newest, float(waiting.time[:here].max(initial=0.0))),
        twice=state.twice + twice,
    )


def remarks(state: State) -> list[str]:
    """What there is to say of events that do not count."""
    says, n = [], len(state.ahead.time)
    if n:
        by = float(state.ahead.time[0]) - state.newest
        says.append(
            f"{n} {'event carries a time' if n == 1 else 'events carry times'} {by:,.0f} s and more ahead of all others; "
            "not counted until the stream gets there: was a clock wrong?"
        )
    if len(state.aside.time):
        behind = state.newest - float(state.aside.time.max())
        says.append(
            f"{len(state.aside.time):,} events came late, the last of them {behind:,.0f} s behind the newest, and were set "
            "aside; a patience of more seconds waits for them, unless a clock ran ahead"
        )
    return says


def _ordered(waiting: Waiting) -> tuple[Waiting, int]:
    """By time, each event once, and how many there were twice."""
    order = np.lexsort((waiting.device, waiting.kind, waiting.time))
    w = waiting.taken(order)
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (np.diff(w.time) == 0) & (np.diff(w.kind) == 0) & (np.diff(w.device) == 0)
    return w.taken(~same), int(same.sum())


def _ahead(state: State, time: np.ndarray) -> int:
    """How many of ascending times, the last ones, are too far ahead to be believed."""
    for k in range(min(FEW, len(time)), 0, -1):
        seen, before = state.n + len(time) - k, float(time[-k - 1]) if k < len(time) else state.newest
        if seen >= SEEN and time[-k] - max(before, state.newest) > LEAP * max(before, state.newest) / seen:
            return k
    return 0
