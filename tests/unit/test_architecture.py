"""Data flows one way: each module imports only what the design lets it, and heavy libraries stay in their rooms."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "mailer"

ALL_BUT_CLI = {
    "model", "errors", "config", "event", "contacts", "protocol", "audience", "render", "message", "status", "ledger",
    "smtp", "sandbox", "deliver", "answers", "bounces", "report", "web",
}  # fmt: skip

# module -> what of ours it may import (itself always)
MAY_IMPORT = {
    "__init__": set(),
    "__main__": {"cli"},
    "model": set(),
    "errors": set(),
    "config": {"errors"},
    "event": {"model", "errors"},
    "contacts": {"model", "errors"},
    "protocol": {"model"},
    "audience": {"model"},
    "render": {"model", "errors"},
    "message": {"model", "errors"},
    "status": {"model"},
    "ledger": {"model", "errors"},
    "smtp": {"model", "errors", "status"},
    "sandbox": {"model"},
    "deliver": {"model", "errors", "status", "ledger", "smtp"},
    "answers": {"model", "errors", "contacts"},
    "bounces": {"model", "errors", "status"},
    "report": {"model"},
    "web": ALL_BUT_CLI,
    "cli": ALL_BUT_CLI,
}

# library -> the only module that may import it
HOME_OF = {"pandas": "contacts", "jinja2": "render"}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """Absolute names of all that the file imports, at any depth of it; `mailer.x` for ours."""
    package = ".".join(("mailer", *path.relative_to(PACKAGE).with_suffix("").parts[:-1]))
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_import_only_what_the_design_allows(path: Path) -> None:
    """Nothing flows back: a module reaches only the modules that stand before it."""
    mine = room(path)
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("mailer.")}
    ours = {name if (PACKAGE / name).exists() or (PACKAGE / f"{name}.py").exists() else "__init__" for name in ours}
    assert ours - {mine} <= MAY_IMPORT[mine]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_pandas_and_jinja2_have_one_home(path: Path) -> None:
    """pandas is imported by `contacts` alone, jinja2 by `render` alone."""
    libraries = {name.split(".")[0] for name in imported(path)}
    for library, home in HOME_OF.items():
        assert library not in libraries or room(path) == home


def test_every_module_opens_with_one_sentence() -> None:
    """Each module says what it is in the first line of its docstring, which is a sentence."""
    for path in SOURCES:
        first = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
        assert first.endswith("."), path


def test_no_function_is_longer_than_fifty_lines() -> None:
    """What is longer does more than one thing."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno and node.end_lineno - node.lineno < 50, f"{path}: {node.name}"
