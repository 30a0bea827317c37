"""gcastle's reinforcement-learning methods, which compute with torch: one thread, seeded."""

from __future__ import annotations

import numpy as np

from ...data import Table
from ...discovery.contract import Backend
from ...discovery.guests import choose, family, guest, of_causes
from ...errors import DataError
from ...graph import Graph, Knowledge

ALGORITHMS: dict[str, Backend] = {}
offer = family("gcastle", ALGORITHMS, ("castle", "torch"), "gcastle torch==2.13.0")


@offer(
    "corl",
    "continuous",
    "dag",
    caveat="A second an iteration with 10 variables: its own 10,000 take hours; 100 are the default here.",
    assumes="sufficiency, acyclicity, linearity, Gaussian noise, equal noise variances (BIC)",
)
def corl(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    batch_size: int = 64,
    input_dim: int = 100,
    embed_dim: int = 256,
    encoder: str = "transformer",
    decoder: str = "lstm",
    reward: str = "episodic",
    score: str = "BIC",
    iterations: int = 100,
    prune_every: int = 50,
    normalize: bool = False,
) -> Graph:
    """Reinforcement learning of a causal order that maximises BIC, then pruning by regression (CORL, Wang et al. 2021).

    iterations: episodes in batches (the package's default is 10,000). prune_every: the best order so far is read off
    at multiples of this (500 in the package). score: "BIC" or "BIC_different_var". reward: "episodic" or "dense".
    """
    if data.d > batch_size:
        raise DataError(f"batch_size must be at least the number of variables ({data.d}), got {batch_size}")
    with guest("gcastle/corl", rng, tensors=True) as seed:
        from castle.algorithms import CORL

        model = CORL(
            batch_size=batch_size,
            input_dim=min(input_dim, data.n),
            embed_dim=embed_dim,
            normalize=normalize,
            encoder_name=choose("encoder", encoder, ("transformer", "lstm", "mlp")),
            decoder_name=choose("decoder", decoder, ("lstm", "mlp")),
            reward_mode=choose("reward", reward, ("episodic", "dense")),
            reward_score_type=choose("score", score, ("BIC", "BIC_different_var")),
            iteration=iterations,
            lambda_iter_num=min(prune_every, iterations),
            random_seed=seed,
        )
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix)


@offer(
    "rl",
    "continuous",
    "digraph",
    caveat="Its own 20,000 epochs take an hour with 10 variables; 500 are the default here; cycles can remain.",
    assumes="sufficiency, acyclicity, linearity (LR), Gaussian noise, equal noise variances (BIC)",
)
def rl(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    batch_size: int = 64,
    input_dim: int = 64,
    hidden: int = 64,
    heads: int = 16,
    stacks: int = 6,
    decoder: str = "SingleLayerDecoder",
    score: str = "BIC",
    regression: str = "LR",
    epochs: int = 500,
    update_every: int = 25,
    learning_rate: float = 1e-3,
    normalize: bool = False,
) -> Graph:
    """Reinforcement learning of a graph that maximises BIC with a penalty on cycles (RL-BIC, Zhu et al. 2020).

    epochs: batches of graphs (the package's default is 20,000). update_every: at multiples of this the penalty on
    cycles grows and the best graph so far is read off (1,000 in the package). regression: "LR" or "QR".
    """
    decoders = ("SingleLayerDecoder", "TransformerDecoder", "BilinearDecoder", "NTNDecoder")
    with guest("gcastle/rl", rng, tensors=True) as seed:
        from castle.algorithms import RL

        model = RL(
            hidden_dim=hidden,
            num_heads=heads,
            num_stacks=stacks,
            decoder_type=choose("decoder", decoder, decoders),
            batch_size=batch_size,
            input_dimension=min(input_dim, data.n),
            normalize=normalize,
            score_type=choose("score", score, ("BIC", "BIC_different_var")),
            reg_type=choose("regression", regression, ("LR", "QR")),
            lambda_iter_num=min(update_every, epochs),
            nb_epoch=epochs,
            lr1_start=learning_rate,
            seed=seed,
        )
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix)
