"""gcastle's gradient methods, which compute with torch: one thread, seeded."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...data import Table
from ...discovery.contract import Backend
from ...discovery.guests import choose, family, guest, of_causes
from ...graph import Graph, Knowledge

ALGORITHMS: dict[str, Backend] = {}
offer = family("gcastle", ALGORITHMS, ("castle", "torch"), "gcastle torch==2.13.0")


@offer(
    "golem",
    "continuous",
    "digraph",
    caveat="Acyclicity is a penalty, not a constraint; cycles can remain.",
    assumes="sufficiency, acyclicity, linearity, Gaussian noise, equal noise variances (unless equal_variances=False)",
)
def golem(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    l1: float = 2e-2,
    acyclicity: float = 5.0,
    equal_variances: bool = True,
    learning_rate: float = 1e-3,
    iterations: int = 20_000,
    threshold: float = 0.3,
) -> Graph:
    """Gaussian likelihood with soft sparsity and acyclicity penalties (GOLEM, Ng et al. 2020).

    iterations: of Adam (the package's default is 100,000, which takes minutes). equal_variances: GOLEM-EV or -NV.
    """
    with guest("gcastle/golem", rng, tensors=True) as seed:
        from castle.algorithms import GOLEM

        model = GOLEM(
            lambda_1=l1,
            lambda_2=acyclicity,
            equal_variances=equal_variances,
            learning_rate=learning_rate,
            num_iter=iterations,
            checkpoint_iter=None,
            seed=seed,
            graph_thres=threshold,
        )
        values = data.values - data.values.mean(axis=0)  # its likelihood has no intercept
        model.learn(values)
    return of_causes(data, model.causal_matrix, model.weight_causal_matrix)


def _nonlinear(
    kind: str,
    data: Table,
    rng: np.random.Generator,
    l1: float,
    l2: float,
    max_iter: int,
    h_tol: float,
    rho_max: float,
    threshold: float,
    **network: Any,
) -> Graph:
    """NOTEARS with the functions of ``kind``, "mlp" or "sobolev"."""
    with guest(f"gcastle/notears-{kind}", rng, tensors=True):
        from castle.algorithms import NotearsNonlinear

        model = NotearsNonlinear(
            lambda1=l1,
            lambda2=l2,
            max_iter=max_iter,
            h_tol=h_tol,
            rho_max=rho_max,
            w_threshold=threshold,
            model_type=kind[:3],
            **network,
        )
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix, model.weight_causal_matrix)


@offer(
    "notears-mlp",
    "continuous",
    "digraph",
    caveat="max_iter bounds only the outer loop: six variables take minutes; a run cut short can leave cycles.",
    assumes="sufficiency, acyclicity, additive noise, equal noise variances",
)
def notears_mlp(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    l1: float = 0.01,
    l2: float = 0.01,
    max_iter: int = 100,
    h_tol: float = 1e-8,
    rho_max: float = 1e16,
    threshold: float = 0.3,
    hidden: int = 10,
) -> Graph:
    """Each variable a small neural network of the others, under an acyclicity constraint (Zheng et al. 2020).

    hidden: units of each network. rho_max: the penalty at which it gives up; a smaller one ends it sooner.
    """
    return _nonlinear("mlp", data, rng, l1, l2, max_iter, h_tol, rho_max, threshold, hidden_layers=(hidden, 1))


@offer(
    "notears-sobolev",
    "continuous",
    "digraph",
    caveat="max_iter bounds only the outer loop: six variables take minutes; a run cut short can leave cycles.",
    assumes="sufficiency, acyclicity, additive effects, additive noise, equal noise variances",
)
def notears_sobolev(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    l1: float = 0.01,
    l2: float = 0.01,
    max_iter: int = 100,
    h_tol: float = 1e-8,
    rho_max: float = 1e16,
    threshold: float = 0.3,
    expansions: int = 10,
) -> Graph:
    """Each variable a sum of basis expansions of the others, under an acyclicity constraint (Zheng et al. 2020).

    expansions: basis functions a variable.
    """
    return _nonlinear("sobolev", data, rng, l1, l2, max_iter, h_tol, rho_max, threshold, expansions=expansions)


@offer(
    "dag-gnn",
    "continuous",
    "digraph",
    caveat="Its defaults take minutes; a run cut short can leave cycles.",
    assumes="sufficiency, acyclicity, Gaussian noise, equal noise variances",
)
def dag_gnn(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    encoder: str = "mlp",
    decoder: str = "mlp",
    hidden: int = 64,
    epochs: int = 300,
    max_iter: int = 100,
    batch_size: int = 100,
    learning_rate: float = 3e-3,
    penalty_max: float = 1e20,
    h_tol: float = 1e-8,
    threshold: float = 0.3,
) -> Graph:
    """A variational autoencoder whose layers share one acyclic graph (DAG-GNN, Yu et al. 2019).

    encoder, decoder: "mlp" or "sem". penalty_max: of the acyclicity penalty, which grows tenfold a step.
    """
    kinds = ("mlp", "sem")
    with guest("gcastle/dag-gnn", rng, tensors=True) as seed:
        from castle.algorithms import DAG_GNN

        model = DAG_GNN(
            encoder_type=choose("encoder", encoder, kinds),
            decoder_type=choose("decoder", decoder, kinds),
            encoder_hidden=hidden,
            decoder_hidden=hidden,
            epochs=epochs,
            k_max_iter=int(max_iter),
            batch_size=min(batch_size, data.n),
            lr=learning_rate,
            c_a_thresh=penalty_max,
            h_tolerance=h_tol,
            graph_threshold=threshold,
            seed=seed,
        )
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix)


@offer(
    "gae",
    "continuous",
    "digraph",
    caveat="Its defaults take many minutes; a run cut short can leave cycles.",
    assumes="sufficiency, acyclicity, additive noise, equal noise variances",
)
def gae(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    hidden: int = 4,
    layers: int = 1,
    epochs: int = 10,
    steps: int = 3000,
    learning_rate: float = 1e-3,
    rho_max: float = 1e30,
    h_tol: float = 1e-8,
    l1: float = 0.0,
    threshold: float = 0.3,
) -> Graph:
    """A graph autoencoder under an acyclicity constraint (Ng et al. 2019).

    steps: of Adam for each value of the penalty; rho_max: the penalty (doubled each time) at which it gives up.
    """
    with guest("gcastle/gae", rng, tensors=True) as seed:
        from castle.algorithms import GAE

        model = GAE(
            hidden_layers=layers,
            hidden_dim=hidden,
            epochs=epochs,
            update_freq=steps,
            lr=learning_rate,
            rho_thresh=rho_max,
            h_thresh=h_tol,
            penalty_lambda=l1,
            graph_thresh=threshold,
            seed=seed,
        )
        model.learn(data.values.copy())
    return of_causes(data, model.causal_matrix, model.weight_causal_matrix)


@offer(
    "mcsl",
    "continuous",
    "digraph",
    caveat="Resets its seed at every step, so that its masks are never sampled: on three-variable colliders it points "
    "the edges the wrong way, even with its own defaults (minutes).",
    assumes="sufficiency, acyclicity, additive noise, equal noise variances",
)
def mcsl(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    model: str = "nn",
    layers: int = 4,
    hidden: int = 16,
    l1: float = 2e-3,
    learning_rate: float = 3e-2,
    max_iter: int = 25,
    steps: int = 1000,
    rho_max: float = 1e14,
    temperature: float = 0.2,
    threshold: float = 0.5,
) -> Graph:
    """Learn a binary mask over the inputs of each variable's network by Gumbel-sigmoid sampling (MCSL, Ng et al. 2022).

    model: "nn" or "qr" (quadratic regression). steps: of Adam in each of max_iter rounds. threshold: mask probability.
    """
    kind = choose("model", model, ("nn", "qr"))
    with guest("gcastle/mcsl", rng, tensors=True) as seed:
        from castle.algorithms import MCSL

        machine = MCSL(
            model_type=kind,
            num_hidden_layers=layers,
            hidden_dim=hidden,
            graph_thresh=threshold,
            l1_graph_penalty=l1,
            learning_rate=learning_rate,
            max_iter=max_iter,
            iter_step=steps,
            rho_thresh=rho_max,
            temperature=temperature,
            random_seed=seed,
        )
        machine.learn(data.values.copy())
    return of_causes(data, machine.causal_matrix)


@offer("gran-dag", "continuous", "dag", assumes="sufficiency, acyclicity, additive noise, Gaussian noise")
def gran_dag(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    model: str = "NonLinGaussANM",
    layers: int = 2,
    hidden: int = 10,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    iterations: int = 10_000,
    h_tol: float = 1e-8,
    normalize: bool = False,
) -> Graph:
    """Neural networks whose path products form an acyclic graph, by augmented Lagrangian (GraN-DAG, Lachapelle 2020).

    model: "NonLinGaussANM" or "NonLinGauss". normalize: standardise the columns first.
    """
    kind = choose("model", model, ("NonLinGaussANM", "NonLinGauss"))
    with guest("gcastle/gran-dag", rng, tensors=True) as seed:
        from castle.algorithms import GraNDAG

        machine = GraNDAG(
            input_dim=data.d,
            hidden_num=layers,
            hidden_dim=hidden,
            batch_size=batch_size,
            lr=learning_rate,
            iterations=iterations,
            model_name=kind,
            h_threshold=h_tol,
            normalize=normalize,
            random_seed=seed,
        )
        machine.learn(data.values.copy())
    return of_causes(data, machine.causal_matrix)
