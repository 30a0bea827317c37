"""The arrows of the design: who may import whom, and that the door stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "causalnet"
# what each layer may not import (prefixes below causalnet.)
FORBIDDEN = {
    "graph": ["knowledge", "data", "stats", "backends", "metrics", "compare", "report", "cli"],
    "knowledge": ["data", "stats", "backends", "metrics", "compare", "report", "cli"],
    "data": ["stats", "backends", "metrics", "compare", "report", "cli", "datasets"],
    "stats": ["backends", "metrics", "compare", "report", "cli", "datasets", "agents", "envs"],
    "backends": ["compare", "report", "cli", "agents", "envs", "metrics", "datasets"],
    "envs": ["backends", "agents"],
    "agents": ["backends", "compare", "report", "cli"],
    "representation": ["backends", "agents", "envs"],
}
# imported by nobody but each other and the engine that writes its report
LEAVES = {"report", "cli", "_cli_compare", "_cli_train"}


def imports(path: Path) -> set[str]:
    """Names below causalnet that a module imports, at any depth of its code."""
    package = list(path.relative_to(ROOT.parent).with_suffix("").parts)
    if package[-1] == "__init__":
        package = package[:-1]
        here = package
    else:
        here = package[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            if module and module[0] == "causalnet":
                found.add(".".join(module[1:]))
                found.update(".".join([*module[1:], alias.name]) for alias in node.names)
        elif isinstance(node, ast.Import):
            found.update(a.name.removeprefix("causalnet.") for a in node.names if a.name.startswith("causalnet."))
    return {name for name in found if name}


MODULES = sorted(p for p in ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0].removesuffix(".py")
    tops = {name.split(".")[0] for name in imports(path)}
    assert not tops & set(FORBIDDEN.get(layer, [])), f"{path.name} reaches up"
    if layer not in {*LEAVES, "compare", "results", "__main__"} and path.name != "__init__.py":
        assert not tops & LEAVES


def test_importing_is_light() -> None:
    code = (
        "import time, sys; t = time.process_time(); import causalnet; s = time.process_time() - t;"
        "heavy = {'torch', 'pandas', 'numba', 'castle', 'pgmpy', 'causallearn', 'matplotlib'} & set(sys.modules);"
        "print(s, heavy); sys.exit(s > 0.5 or bool(heavy))"
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
    if path.name not in {"_foreign.py", "worker.py"}:  # these own their process, or put the state back
        assert not found & {"np.random.seed", "random.seed", "torch.manual_seed"}


def test_the_walk_sees_what_it_should(tmp_path: Path) -> None:
    sample = tmp_path / "bad.py"
    sample.write_text("import pickle\ndef f(x):\n    print(pickle.loads(x))\n")
    assert {"print", "pickle.loads"} <= calls(sample)
