"""gcastle's reinforcement-learning methods, which compute with torch: one thread, seeded."""

from __future__ import annotations

from ...data import Table
from ...discovery.guests import param, words
from ...errors import DataError
from .machine import Machine, offer


@offer("corl", "continuous", "dag")
class CORL(Machine):
    """Reinforcement learning of a causal order that maximises BIC, then pruning by regression (CORL, Wang et al. 2021).

    iterations: episodes in batches (the package's default is 10,000). prune_every: the best order so far is read off
    at multiples of this (500 in the package). score: "BIC" or "BIC_different_var". reward: "episodic" or "dense".
    """

    caveat = "A second an iteration with 10 variables: its own 10,000 take hours; 100 are the default here."
    assumes = "sufficiency, acyclicity, linearity, Gaussian noise, equal noise variances (BIC)"
    algorithm, seed_as = "CORL", "random_seed"
    batch_size = param("batch_size", 64)
    input_dim = param("input_dim", 100, lambda name, width, data: min(width, data.n))
    embed_dim = param("embed_dim", 256)
    encoder = param("encoder_name", "transformer", words("transformer", "lstm", "mlp"))
    decoder = param("decoder_name", "lstm", words("lstm", "mlp"))
    reward = param("reward_mode", "episodic", words("episodic", "dense"))
    score = param("reward_score_type", "BIC", words("BIC", "BIC_different_var"))
    iterations = param("iteration", 100)
    prune_every = param("lambda_iter_num", 50)
    normalize = param("normalize", False)

    def adapt(self, data: Table) -> None:
        """Read off within the iterations there are; a batch has at least as many graphs as there are variables."""
        if data.d > self.batch_size:
            raise DataError(f"batch_size must be at least the number of variables ({data.d}), got {self.batch_size}")
        self.theirs["lambda_iter_num"] = min(self.prune_every, self.iterations)


@offer("rl", "continuous", "digraph")
class RL(Machine):
    """Reinforcement learning of a graph that maximises BIC with a penalty on cycles (RL-BIC, Zhu et al. 2020).

    epochs: batches of graphs (the package's default is 20,000). update_every: at multiples of this the penalty on
    cycles grows and the best graph so far is read off (1,000 in the package). regression: "LR" or "QR".
    """

    caveat = "Its own 20,000 epochs take an hour with 10 variables; 500 are the default here; cycles can remain."
    assumes = "sufficiency, acyclicity, linearity (LR), Gaussian noise, equal noise variances (BIC)"
    algorithm, seed_as = "RL", "seed"
    batch_size = param("batch_size", 64)
    input_dim = param("input_dimension", 64, lambda name, width, data: min(width, data.n))
    hidden = param("hidden_dim", 64)
    heads = param("num_heads", 16)
    stacks = param("num_stacks", 6)
    decoder = param(
        "decoder_type",
        "SingleLayerDecoder",
        words("SingleLayerDecoder", "TransformerDecoder", "BilinearDecoder", "NTNDecoder"),
    )
    score = param("score_type", "BIC", words("BIC", "BIC_different_var"))
    regression = param("reg_type", "LR", words("LR", "QR"))
    epochs = param("nb_epoch", 500)
    update_every = param("lambda_iter_num", 25)
    learning_rate = param("lr1_start", 1e-3)
    normalize = param("normalize", False)

    def adapt(self, data: Table) -> None:
        """Read off within the epochs there are."""
        self.theirs["lambda_iter_num"] = min(self.update_every, self.epochs)
