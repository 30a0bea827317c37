"""gcastle's gradient methods, which compute with torch: one thread, seeded."""

from __future__ import annotations

from typing import ClassVar

from ...base.arrays import Array
from ...data import Table
from ...discovery.guests import param, words
from .machine import Machine, offer


@offer("golem", "continuous", "digraph")
class Golem(Machine):
    """Gaussian likelihood with soft sparsity and acyclicity penalties (GOLEM, Ng et al. 2020).

    iterations: of Adam (the package's default is 100,000, which takes minutes). equal_variances: GOLEM-EV or -NV.
    """

    caveat = "Acyclicity is a penalty, not a constraint; cycles can remain."
    assumes = "sufficiency, acyclicity, linearity, Gaussian noise, equal noise variances (unless equal_variances=False)"
    algorithm, seed_as, weighted = "GOLEM", "seed", True
    fixed: ClassVar = {"checkpoint_iter": None}
    l1 = param("lambda_1", 2e-2)
    acyclicity = param("lambda_2", 5.0)
    equal_variances = param("equal_variances", True)
    learning_rate = param("learning_rate", 1e-3)
    iterations = param("num_iter", 20_000)
    threshold = param("graph_thres", 0.3)

    def values(self, data: Table) -> Array:
        """Centred: its likelihood has no intercept."""
        return data.values - data.values.mean(axis=0)


class Nonlinear(Machine):
    """NOTEARS with non-linear functions: the parameters that both kinds share."""

    caveat = "max_iter bounds only the outer loop: six variables take minutes; a run cut short can leave cycles."
    algorithm, weighted = "NotearsNonlinear", True
    l1 = param("lambda1", 0.01)
    l2 = param("lambda2", 0.01)
    max_iter = param("max_iter", 100)
    h_tol = param("h_tol", 1e-8)
    rho_max = param("rho_max", 1e16)
    threshold = param("w_threshold", 0.3)


@offer("notears-mlp", "continuous", "digraph")
class NotearsMLP(Nonlinear):
    """Each variable a small neural network of the others, under an acyclicity constraint (Zheng et al. 2020).

    hidden: units of each network. rho_max: the penalty at which it gives up; a smaller one ends it sooner.
    """

    assumes = "sufficiency, acyclicity, additive noise, equal noise variances"
    fixed: ClassVar = {"model_type": "mlp"}
    hidden = param("hidden_layers", 10, lambda name, units, data: (units, 1))


@offer("notears-sobolev", "continuous", "digraph")
class NotearsSobolev(Nonlinear):
    """Each variable a sum of basis expansions of the others, under an acyclicity constraint (Zheng et al. 2020).

    expansions: basis functions a variable.
    """

    assumes = "sufficiency, acyclicity, additive effects, additive noise, equal noise variances"
    fixed: ClassVar = {"model_type": "sob"}
    expansions = param("expansions", 10)


@offer("dag-gnn", "continuous", "digraph")
class DagGNN(Machine):
    """A variational autoencoder whose layers share one acyclic graph (DAG-GNN, Yu et al. 2019).

    encoder, decoder: "mlp" or "sem". penalty_max: of the acyclicity penalty, which grows tenfold a step.
    """

    caveat = "Its defaults take minutes; a run cut short can leave cycles."
    assumes = "sufficiency, acyclicity, Gaussian noise, equal noise variances"
    algorithm, seed_as = "DAG_GNN", "seed"
    encoder = param("encoder_type", "mlp", words("mlp", "sem"))
    decoder = param("decoder_type", "mlp", words("mlp", "sem"))
    hidden = param("encoder_hidden decoder_hidden", 64)
    epochs = param("epochs", 300)
    max_iter = param("k_max_iter", 100, lambda name, rounds, data: int(rounds))
    batch_size = param("batch_size", 100, lambda name, rows, data: min(rows, data.n))
    learning_rate = param("lr", 3e-3)
    penalty_max = param("c_a_thresh", 1e20)
    h_tol = param("h_tolerance", 1e-8)
    threshold = param("graph_threshold", 0.3)


@offer("gae", "continuous", "digraph")
class GAE(Machine):
    """A graph autoencoder under an acyclicity constraint (Ng et al. 2019).

    steps: of Adam for each value of the penalty; rho_max: the penalty (doubled each time) at which it gives up.
    """

    caveat = "Its defaults take many minutes; a run cut short can leave cycles."
    assumes = "sufficiency, acyclicity, additive noise, equal noise variances"
    algorithm, seed_as, weighted = "GAE", "seed", True
    hidden = param("hidden_dim", 4)
    layers = param("hidden_layers", 1)
    epochs = param("epochs", 10)
    steps = param("update_freq", 3000)
    learning_rate = param("lr", 1e-3)
    rho_max = param("rho_thresh", 1e30)
    h_tol = param("h_thresh", 1e-8)
    l1 = param("penalty_lambda", 0.0)
    threshold = param("graph_thresh", 0.3)


@offer("mcsl", "continuous", "digraph")
class MCSL(Machine):
    """Learn a binary mask over the inputs of each variable's network by Gumbel-sigmoid sampling (MCSL, Ng et al. 2022).

    model: "nn" or "qr" (quadratic regression). steps: of Adam in each of max_iter rounds. threshold: mask probability.
    """

    caveat = (
        "Resets its seed at every step, so that its masks are never sampled: on three-variable colliders it points "
        "the edges the wrong way, even with its own defaults (minutes)."
    )
    assumes = "sufficiency, acyclicity, additive noise, equal noise variances"
    algorithm, seed_as = "MCSL", "random_seed"
    model = param("model_type", "nn", words("nn", "qr"))
    layers = param("num_hidden_layers", 4)
    hidden = param("hidden_dim", 16)
    l1 = param("l1_graph_penalty", 2e-3)
    learning_rate = param("learning_rate", 3e-2)
    max_iter = param("max_iter", 25)
    steps = param("iter_step", 1000)
    rho_max = param("rho_thresh", 1e14)
    temperature = param("temperature", 0.2)
    threshold = param("graph_thresh", 0.5)


@offer("gran-dag", "continuous", "dag")
class GranDAG(Machine):
    """Neural networks whose path products form an acyclic graph, by augmented Lagrangian (GraN-DAG, Lachapelle 2020).

    model: "NonLinGaussANM" or "NonLinGauss". normalize: standardise the columns first.
    """

    assumes = "sufficiency, acyclicity, additive noise, Gaussian noise"
    algorithm, seed_as = "GraNDAG", "random_seed"
    model = param("model_name", "NonLinGaussANM", words("NonLinGaussANM", "NonLinGauss"))
    layers = param("hidden_num", 2)
    hidden = param("hidden_dim", 10)
    batch_size = param("batch_size", 64)
    learning_rate = param("lr", 1e-3)
    iterations = param("iterations", 10_000)
    h_tol = param("h_threshold", 1e-8)
    normalize = param("normalize", False)

    def adapt(self, data: Table) -> None:
        """Tell it the number of variables."""
        self.theirs["input_dim"] = data.d
