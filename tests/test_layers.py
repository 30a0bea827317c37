"""The house: who may import whom, what stays private, how large a part may be, and that the door stays light."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

from causalnet.base import doors

ROOT = Path(__file__).parent.parent / "causalnet"
# from the ground up: a folder imports what stands above it in this list, and itself
FLOORS = [
    "errors", "base", "data", "stats", "storage", "graph", "search", "datasets", "report", "envs", "representation",
    "discovery", "effects", "locality", "backends", "incidents", "comparison", "agents", "training", "cli",
]  # fmt: skip
MODULES = sorted(p for p in ROOT.rglob("*.py"))


def dotted(path: Path) -> str:
    """causalnet/graph/order.py as causalnet.graph.order; a folder's __init__ as the folder."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def known() -> frozenset[str]:
    return frozenset(dotted(path) for path in MODULES)


def imports(path: Path) -> set[tuple[str, str]]:
    """(module, name) of all that a module imports from the package, at any depth of its code."""
    package = path.relative_to(ROOT.parent).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found |= {(module, alias.name) for alias in node.names if module.split(".")[0] == "causalnet"}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names if alias.name.split(".")[0] == "causalnet"}
    return found


@cache
def arrows() -> nx.DiGraph:
    """Which module imports which; a name that is a module is that module."""
    graph = nx.DiGraph()
    graph.add_nodes_from(known())
    for path in MODULES:
        for module, name in imports(path):
            target = f"{module}.{name}" if f"{module}.{name}" in known() else module
            if target != dotted(path):
                graph.add_edge(dotted(path), target)
    return graph


def room(module: str) -> str:
    """The folder of a module, below causalnet; empty for the door itself."""
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nobody_reaches_up(path: Path) -> None:
    mine = room(dotted(path))
    if mine:  # the package's own door hands out everything, on first use
        above = set(FLOORS[: FLOORS.index(mine) + 1])
        odd = {
            target
            for target in arrows().successors(dotted(path))
            if room(target) in FLOORS and room(target) not in above
        }
        assert not odd, f"{dotted(path)} reaches up to {sorted(odd)}"


def test_there_is_no_circle() -> None:
    lazy = {name for name in known() if (ROOT.parent / name.replace(".", "/") / "__init__.py").exists()}
    inner = arrows().subgraph(known() - lazy)  # a folder's door imports what it hands out
    assert not list(nx.simple_cycles(inner, length_bound=8))
    rooms = nx.DiGraph((room(a), room(b)) for a, b in arrows().edges if room(a) != room(b) and room(a) and room(b))
    assert nx.is_directed_acyclic_graph(rooms)
    chain = nx.dag_longest_path(rooms)
    assert len(chain) <= 10, " -> ".join(chain)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_private_names_stay_in_their_file(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [f"{m}.{n}" for m, n in imports(path) if n.startswith("_") and n != "__version__"]
    modules = {n for m, n in imports(path) if f"{m}.{n}" in known()}
    reached = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)]
    assert not [ast.unparse(n) for n in reached if n.value.id in modules and n.attr.startswith("_")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_are_nouns_and_functions_verbs(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    assert dotted(path).rpartition(".")[2] not in functions


UPWARD = {  # the only methods whose code stands on a higher floor; base/doors.py has the table
    "Graph._repr_html_": "report.portrait:to_html",
    "Graph.to_svg": "report.portrait:to_svg",
}


BY_NAME = {  # the doors themselves, plug-ins, what a method requires, what a user names
    "causalnet.base.doors",
    "causalnet.comparison.worker",
    "causalnet.discovery.register",
    "causalnet.training.environment",
}


def test_only_these_methods_reach_up() -> None:
    assert dict(doors.UPWARD) == UPWARD
    for method, home in UPWARD.items():
        module, function = home.split(":")
        assert callable(getattr(importlib.import_module(f"causalnet.{module}"), function)), method
    names = {path for path in MODULES if {"importlib.import_module", "__import__"} & calls(path)}
    assert {dotted(path) for path in names} <= BY_NAME, "imports by name hide from the floors"


def test_importing_is_light() -> None:
    code = (
        "import time, sys; t = time.process_time(); import causalnet; s = time.process_time() - t;"
        "heavy = {'numpy', 'torch', 'pandas', 'numba', 'castle', 'pgmpy', 'causallearn', 'matplotlib'} & set(sys.modules);"
        "print(s, heavy); sys.exit(s > 0.1 or bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_listing_backends_imports_no_peer() -> None:
    code = (
        "import sys, causalnet as cn; cn.backends();"
        "heavy = {'torch', 'castle', 'pgmpy', 'causallearn'} & set(sys.modules); print(heavy); sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def calls(path: Path) -> set[str]:
    """Dotted names of everything that a module calls."""
    return {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_print_no_unpickling_no_global_state(path: Path) -> None:
    found = calls(path)
    assert not found & {"print", "logging.basicConfig", "eval", "exec"}
    assert "allow_pickle=True" not in path.read_text(encoding="utf-8")
    if path.name != "worker.py":  # it reads what its own parent sent down a private pipe
        assert not found & {"pickle.load", "pickle.loads", "joblib.load", "torch.load", "pd.read_pickle"}
    if path.name not in {"guests.py", "worker.py"}:  # these own their process, or put the state back
        assert not found & {"np.random.seed", "random.seed", "torch.manual_seed"}


def test_the_walk_sees_what_it_should(tmp_path: Path) -> None:
    sample = tmp_path / "bad.py"
    sample.write_text("import pickle\ndef f(x):\n    print(pickle.loads(x))\n")
    assert {"print", "pickle.loads"} <= calls(sample)
