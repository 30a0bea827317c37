"""PPO's objective for the plain network with its gradient written out: no graph of operations to build and to walk.

A minibatch of 64 states costs some 40 small products; recorded and walked backward by torch, the bookkeeping costs more
than the arithmetic. Equal to :func:`causalnet.agents.single.ppo.ppo_loss` and its gradient up to rounding (tested).
An action may have several parts (MultiDiscrete): the policy is then one softmax a part, and log-probabilities add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import AnyArray, Array, Bools, Floats, Ints
from .networks import ActorCritic

LOWEST = np.finfo(np.float32).min


@dataclass(frozen=True)
class Choices:
    """Where the parts of an action begin among the A columns of its logits; one part for Discrete."""

    begins: Ints
    "(m,) first column of each part"
    part: Ints
    "(A,) the part of each column"

    @staticmethod
    def of(part: Ints) -> Choices:
        """From the part of each column, (A,), in order; every part has a column at least."""
        return Choices(np.flatnonzero(np.diff(part, prepend=-1)), part)

    def log_softmax(self, logits: Floats, mask: Bools | None) -> Floats:
        """log pi of every choice within its part, (B, A); the lowest number where forbidden, whose exp is exactly 0."""
        if mask is not None:
            logits = np.where(mask, logits, LOWEST)
        if len(self.begins) == 1:
            shifted = logits - logits.max(axis=1, keepdims=True)
            return np.maximum(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), LOWEST)
        shifted = logits - np.maximum.reduceat(logits, self.begins, axis=1)[:, self.part]
        total = np.add.reduceat(np.exp(shifted), self.begins, axis=1)
        return np.maximum(shifted - np.log(total)[:, self.part], LOWEST)

    def spread(self, one_each: Floats) -> Floats:
        """A number a part (B, m), as one a column (B, A)."""
        return one_each if one_each.shape[1] == 1 else one_each[:, self.part]


@dataclass
class Rollout:
    """The transitions of a rollout as arrays, a row each."""

    x: Floats
    "(B, c) scaled states, in the columns in use"
    columns: Ints | None
    "those columns; None: all"
    mask: Bools | None
    "(B, A) over the actions in use"
    actions: Ints | None
    "those actions; None: all"
    choices: Choices
    taken: Ints
    "(B, m) the columns of the action, one a part"
    advantage: Floats
    target: Floats
    old: Floats | None = None
    "(B,) log pi_old(a | s, mask), of before the first gradient step"


def forward(w: dict[str, AnyArray], network: ActorCritic, data: Rollout, rows: Any) -> tuple[list[Floats], Floats]:
    """The layers' outputs, (2, B, h) each, and the logits (B, A) of the rows."""
    first = w["first"] if data.columns is None else w["first"][data.columns]
    x = data.x[rows]
    z = x @ first
    z += w["first_bias"]
    np.tanh(z, out=z)
    layers = [x, z.reshape(len(z), 2, network.width).transpose(1, 0, 2)]
    for k in range(network.depth):
        z = layers[-1] @ w[f"layer{k}"]
        z += w[f"layer{k}_bias"]
        layers.append(np.tanh(z, out=z))
    head, bias = w["policy"], w["policy_bias"]
    if data.actions is not None:
        head, bias = head[data.actions], bias[data.actions]
    return layers, layers[-1][0] @ head.T + bias


def log_taken(network: ActorCritic, data: Rollout) -> Floats:
    """(B,) log pi(a | s, mask) of the actions taken, in all rows."""
    _, logits = forward(network.arrays, network, data, slice(None))
    logp = data.choices.log_softmax(logits, data.mask)
    return logp[np.arange(len(logp))[:, None], data.taken].sum(axis=1)


def loss_and_gradient(network: ActorCritic, data: Rollout, rows: Ints, s: Any) -> tuple[Array, dict[str, AnyArray]]:
    """Five numbers to log (loss, policy, value, entropy, kl) of the rows, and the loss's gradient by weight.

    L = mean[-min(r A, clip(r) A)] + v mean (V - G)^2 - e mean H,  r = pi(a | s) / pi_old(a | s).
    """
    w, n = network.arrays, len(rows)
    layers, logits = forward(w, network, data, rows)
    hidden = layers[-1]
    logp = data.choices.log_softmax(logits, None if data.mask is None else data.mask[rows])
    p, taken = np.exp(logp), (np.arange(n)[:, None], data.taken[rows])
    assert data.old is not None
    log_ratio = logp[taken].sum(axis=1) - data.old[rows]
    ratio, advantage = np.exp(log_ratio), data.advantage[rows]
    if n > 1:
        advantage = advantage - advantage.sum() / np.float32(n)
        advantage /= np.float32((float(advantage @ advantage) / (n - 1)) ** 0.5 + 1e-8)
    gain, clipped = ratio * advantage, np.clip(ratio, 1 - s.clip, 1 + s.clip) * advantage
    value = hidden[1] @ w["value"][0] + w["value_bias"]
    error = value - data.target[rows]
    plogp = p * logp
    entropy = -np.add.reduceat(plogp, data.choices.begins, axis=1)  # (B, m), one a part
    # dL/dlogits: the chosen columns' share minus each part's probabilities, and e p (log p + H)
    push = np.where(gain <= clipped, -gain, np.float32(0)) / np.float32(n)
    dlogits: Any = p * -push[:, None]
    dlogits[taken] += push[:, None]
    dlogits += (plogp + p * data.choices.spread(entropy)) * np.float32(s.entropy / n)
    dvalue: Any = error * np.float32(2.0 * s.value / n)
    grads = _backward(w, network, data, layers, dlogits, dvalue)
    policy, squared, bits = (
        -float(np.minimum(gain, clipped).sum()) / n,
        float(error @ error) / n,
        float(entropy.sum()) / n,
    )
    loss = policy + s.value * squared - s.entropy * bits
    return np.array((loss, policy, squared, -bits, float((ratio - 1 - log_ratio).sum()) / n)), grads


def _backward(
    w: dict[str, AnyArray], network: ActorCritic, data: Rollout, layers: list[Floats], dlogits: Floats, dvalue: AnyArray
) -> dict[str, AnyArray]:
    """The gradient of every weight from those of the logits (B, A) and of the values (B,)."""
    hidden, grads = layers[-1], dict[str, AnyArray]()
    head = w["policy"] if data.actions is None else w["policy"][data.actions]
    grads["policy"], grads["policy_bias"] = dlogits.T @ hidden[0], dlogits.sum(axis=0)
    if data.actions is not None:
        for name in ("policy", "policy_bias"):
            grads[name] = scattered(w[name], data.actions, grads[name])
    grads["value"], grads["value_bias"] = (dvalue @ hidden[1])[None], dvalue.sum(keepdims=True)
    d: Any = np.empty(hidden.shape, np.float32)  # (2, B, h)
    np.matmul(dlogits, head, out=d[0])
    np.multiply(dvalue[:, None], w["value"], out=d[1])
    for k in reversed(range(network.depth)):
        z, below = layers[k + 2], layers[k + 1]
        d *= 1 - z * z  # tanh' = 1 - tanh^2
        grads[f"layer{k}"] = below.transpose(0, 2, 1) @ d
        grads[f"layer{k}_bias"] = d.sum(axis=1, keepdims=True)
        d = d @ w[f"layer{k}"].transpose(0, 2, 1)
    z = layers[1]
    d = (d * (1 - z * z)).transpose(1, 0, 2).reshape(len(z[0]), -1)  # (B, 2 h)
    first, bias = layers[0].T @ d, d.sum(axis=0)
    return {**grads, "first": scattered(w["first"], data.columns, first), "first_bias": bias}


def scattered(weight: AnyArray, rows: Ints | None, grad: AnyArray) -> AnyArray:
    """The gradient of a weight of which only some rows (None: all) were in use."""
    if rows is None:
        return grad
    whole = np.zeros_like(weight)
    whole[rows] = grad
    return whole
