"""Softmax and maximum over the allowed actions only: a forbidden action has probability and gradient exactly zero.

The mask is applied to logits (never to probabilities after the softmax), see arXiv 2006.14171, section 2.
"""

from __future__ import annotations

import torch

from ...errors import DataError


def _hide(values: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """values with the lowest finite number at the forbidden places; an all-False row is an error."""
    if mask is None:
        return values
    if not bool(mask.any(dim=-1).all()):
        row = int((~mask.any(dim=-1)).nonzero()[0, 0]) if mask.dim() > 1 else 0
        raise DataError(f"row {row} of the action mask allows no action; every state needs at least one")
    return torch.where(mask, values, torch.finfo(values.dtype).min)


def masked_log_softmax(logits: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """log softmax over the allowed actions. logits, mask: (..., A); forbidden ones get the lowest finite number.

    exp of it is exactly 0 there, and so is the gradient. ``mask=None`` allows everything.
    """
    return torch.log_softmax(_hide(logits, mask), dim=-1)


def masked_max(values: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """max over the allowed actions, (..., A) -> (...)."""
    return _hide(values, mask).amax(dim=-1)


def masked_argmax(values: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The allowed action with the highest value, the first of several; (..., A) -> (...) int64."""
    return _hide(values, mask).argmax(dim=-1)
