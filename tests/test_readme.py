"""What the README writes is there: its length, its commands and their options, its Python, its pipelines and folders."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import typer.main

import causalnet
from causalnet.cli.app import app

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")
MODULES = {path.stem for path in (TOP / "pipelines").glob("*.py")} | {
    path.parent.name for path in (TOP / "pipelines").glob("*/__main__.py")
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 200


def test_its_python_parses_and_imports_what_is_there() -> None:
    for node in (node for block in blocks("python") for node in ast.walk(ast.parse(block))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("causalnet"):
            exec(compile(ast.Module([node], []), "README.md", "exec"), {})
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cn":
            assert getattr(causalnet, node.attr) is not None


def test_its_commands_take_the_options_it_writes() -> None:
    commands = typer.main.get_command(app).commands
    lines = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("causalnet ")]
    assert len(lines) >= 10
    for line in lines:
        name, *words = shlex.split(line, comments=True)[1:]
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_its_pipelines_are_there() -> None:
    table = README[README.index("## Measured") :]
    named = re.findall(r"\| `([a-z_]+)(?: --only ([a-z]+))?` \|$", table, re.M)
    assert len(named) >= 10
    assert {name for name, _ in named} <= MODULES


def test_the_package_tells_of_every_folder() -> None:
    told = re.findall(r"^([a-z]+) {2,}\S", causalnet.__doc__, re.M)
    assert set(told) == {path.parent.name for path in (TOP / "causalnet").glob("*/__init__.py")}
