"""Imports go one way, and everything from `source` to `turn` is handed what it needs: no clock, no chance, no network."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ivr"

ORDER: tuple[tuple[str, ...], ...] = (
    ("errors",), ("clock",), ("jsontext",), ("phone",),
    ("problems",), ("source",), ("kinds",), ("shape",), ("config",),
    ("flow",), ("speech",), ("personal",), ("engine",), ("handoff",), ("reports",), ("ports",), ("given",), ("turn",),
    ("lookups", "telephony", "store", "project"),
    ("simulate",), ("outgoing",), ("worker",), ("web",), ("cli",),
)  # fmt: skip
"""Each room imports only from rooms before it. Rooms of one group do not know each other."""

PLACE = {room: number for number, rooms in enumerate(ORDER) for room in rooms}

ONLY = {
    "phonenumbers": {"phone"},
    "twilio": {"telephony"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "flask": {"web"},
    "werkzeug": {"web"},
    "gunicorn": {"cli"},
    "waitress": {"cli"},
    "structlog": {"web"},
    "prometheus_client": {"web", "worker", "cli"},
    "click": {"cli"},
    "rich": {"cli"},
    "rapidfuzz": {"speech"},
    "babel": {"flow"},
    "jinja2": {"flow"},
    "yaml": {"source"},
    "pydantic": {"shape", "config", "flow", "simulate", "cli"},
}
"""Who may import what we did not write."""

PURE = (
    "source",
    "problems",
    "kinds",
    "shape",
    "flow",
    "speech",
    "personal",
    "engine",
    "handoff",
    "reports",
    "given",
    "turn",
)
IMPURE = {
    "time", "random", "secrets", "uuid", "socket", "ssl", "http", "urllib", "requests", "httpx", "subprocess", "threading",
    "asyncio", "multiprocessing", "sqlite3", "os", "tempfile", "shutil", "logging", "select", "signal",
}  # fmt: skip
NOW = {"now", "today", "utcnow", "time_ns", "perf_counter", "monotonic"}
FILES = {"ivr.flow.bundle", "ivr.flow.checks.examples"}
"""Read what ships inside the package: the engine's own words, and the examples of the checks."""


class Import(NamedTuple):
    """`module` imports `what`, in this line."""

    module: str
    what: str
    line: int


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if "migrations" not in path.parts:
            yield name, ast.parse(path.read_text("utf-8"))


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def only_for_types(tree: ast.Module) -> set[ast.AST]:
    """What stands under `if TYPE_CHECKING:` never runs."""
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return {inner for block in blocks for inner in ast.walk(block)}


def imports(module: str, tree: ast.Module) -> Iterator[Import]:
    unused = only_for_types(tree)
    for node in ast.walk(tree):
        if node in unused:
            continue
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} is a relative import"
            if node.module == "ivr":
                yield from (Import(module, f"ivr.{alias.name}", node.lineno) for alias in node.names)
            elif node.module:
                yield Import(module, node.module, node.lineno)


MODULES = dict(modules())
IMPORTS = [found for name, tree in MODULES.items() for found in imports(name, tree)]


def test_every_room_has_its_place():
    rooms = {room(name) for name in MODULES} - {"", "__main__"}
    assert rooms <= set(PLACE)
    assert len(IMPORTS) > 400


def test_imports_go_one_way():
    wrong = []
    for each in IMPORTS:
        here, there = room(each.module), room(each.what) if each.what.startswith("ivr.") else ""
        if not here or not there or there == here or there == "__version__":
            continue
        if PLACE[there] >= PLACE[here]:
            wrong.append(f"{each.module}:{each.line} imports {each.what}")
    assert wrong == []


def test_what_we_did_not_write_comes_in_by_one_door():
    wrong = [
        f"{each.module}:{each.line} imports {each.what}"
        for each in IMPORTS
        if (top := each.what.split(".")[0]) in ONLY and room(each.module) not in ONLY[top]
    ]
    assert wrong == []


def test_only_the_phone_module_reads_numbers():
    assert {each.module for each in IMPORTS if each.what.startswith("phonenumbers")} == {"ivr.phone"}


def pure() -> list[str]:
    return [name for name in MODULES if room(name) in PURE]


def test_from_source_to_turn_nothing_does_io():
    wrong = [
        f"{each.module}:{each.line} imports {each.what}"
        for each in IMPORTS
        if each.module in pure() and each.what.split(".")[0] in IMPURE
    ]
    assert wrong == []


@pytest.mark.parametrize("module", pure())
def test_from_source_to_turn_nothing_asks_for_the_time_or_opens_a_file(module):
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id: node.lineno
        for node in ast.walk(MODULES[module])
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name))
    }
    # turn.py calls the clock that it is handed; a name `now` elsewhere would be the clock's own function.
    assert not {name: line for name, line in called.items() if name in NOW}
    files = {
        name: line
        for name, line in called.items()
        if name in ("open", "read_text", "read_bytes", "write_text", "print", "input")
    }
    assert not files or module in FILES, files


def test_only_the_clock_reads_the_time():
    readers = {
        each.module for each in IMPORTS if each.what == "time" and room(each.module) not in ("cli", "lookups", "store")
    }
    assert readers == {"ivr.clock"}
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and name != "ivr.clock"
        and ast.unparse(node) in ("time.time", "datetime.now", "datetime.utcnow", "date.today", "time.time_ns")
    ]
    assert wrong == []


def test_the_engine_never_imports_the_checks_or_the_simulator():
    wrong = [
        each
        for each in IMPORTS
        if room(each.module) in ("engine", "personal", "speech", "turn") and "checks" in each.what
    ]
    assert wrong == []
