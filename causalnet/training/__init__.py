"""Policies learned on graphs and graphs learned by acting: sessions, learning by doing, evaluation beside controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "by_doing": "OnlineRun learn_by_doing",
        "collecting": "collect",
        "evaluation": "evaluate",
        ".envs.masks": "mask_of",
        "controls": "greedy random_graph uniform",
        "session": "train",
    },
)

if TYPE_CHECKING:
    from ..envs.masks import mask_of
    from .by_doing import OnlineRun, learn_by_doing
    from .collecting import collect
    from .controls import greedy, random_graph, uniform
    from .evaluation import evaluate
    from .session import train
