"""Imports between folders point downwards only, as the picture in CONTRIBUTING.md shows them."""

import ast
import re
from pathlib import Path

import pytest
from helpers import ROOT

PACKAGE = ROOT / "pprl"
#: Inner folders that count as rooms.
INNER = ("exchange/protocol", "exchange/parties", "roster/files")


def floors() -> list[set[str]]:
    """The rooms of each floor, from the top down, as CONTRIBUTING.md draws them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = re.search(r"```text\n(.*?)```", text, re.S)
    assert drawn, "CONTRIBUTING.md has no picture"
    return [set(re.split(r" {2,}", line.partition("|")[0].strip())) for line in drawn[1].splitlines()]


HEIGHT = {room: -height for height, rooms in enumerate(floors()) for room in rooms}

#: Modules that must not be reached even indirectly: the linkage unit has no key, no private rows, no roster.
FORBIDDEN = {
    "match": ("core.private_rows", "core.key", "normalize", "roster", "encode"),
    "exchange.protocol": ("core.private_rows", "core.key", "normalize", "roster", "encode", "match", "judge"),
    "exchange.parties.linkage_unit": ("core.key", "normalize", "roster", "encode"),
    "exchange.parties.auditor": ("core.key", "normalize", "roster", "encode"),
    "report": ("core.private_rows", "core.key", "core.scores", "core.encodings"),
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


def imports(path: Path, modules: set[str]) -> set[str]:
    """The modules of the package that a file imports, at the top or inside functions."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pprl":
            above = node.module.removeprefix("pprl").removeprefix(".")
            for alias in node.names:
                inner = f"{above}.{alias.name}".removeprefix(".")
                imported.add(inner if inner in modules else above)
        elif isinstance(node, ast.Import):
            imported |= {alias.name.removeprefix("pprl.") for alias in node.names if alias.name.startswith("pprl.")}
    return imported


def graph() -> dict[str, set[str]]:
    paths = {name_of(path): path for path in PACKAGE.rglob("*.py")}
    return {name: imports(path, set(paths)) for name, path in paths.items()}


def room_of(module: str) -> str:
    inner = next((room for room in INNER if f"{module}.".startswith(room.replace("/", ".") + ".")), None)
    return inner or module.split(".")[0]


def inside(module: str, folders: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{folder}.") for folder in folders)


GRAPH = graph()


def test_every_room_is_in_the_picture():
    assert {room_of(name) for name in GRAPH if name} == set(HEIGHT)


def test_imports_point_downwards():
    """Those of the tour, `pprl/__init__.py`, are for readers and do not count."""
    rooms = {(room_of(name), room_of(used)) for name, imported in GRAPH.items() if name for used in imported if used}
    assert not {(room, below) for room, below in rooms if room != below and HEIGHT[below] >= HEIGHT[room]}


@pytest.mark.parametrize("start", FORBIDDEN)
def test_forbidden_modules_are_never_reached(start):
    todo = [name for name in GRAPH if inside(name, (start,))]
    reached = set(todo)
    while todo:
        new = {module for module in GRAPH[todo.pop()] if module} - reached
        reached |= new
        todo += new
    assert len(reached) > 2
    assert not {name for name in reached if inside(name, FORBIDDEN[start])}


def test_only_owners_reach_rosters_in_an_exchange():
    """The record of rosters sent before is kept on their machines too."""
    owners = {"list_owner", "registry_owner", "owners", "resubmission"}
    readers = {
        name.rpartition(".")[2]
        for name, imported in GRAPH.items()
        if inside(name, ("exchange",)) and any(inside(used, ("roster", "encode", "normalize")) for used in imported)
    }
    assert readers <= owners


def test_no_module_imports_itself_in_a_circle():
    done, trail = set(), []

    def visit(name):
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            trail.append(name)
            for imported in sorted(GRAPH[name] - {""}):
                visit(imported)
            done.add(trail.pop())

    for name in filter(None, GRAPH):
        visit(name)


def private_names(path: Path) -> set[str]:
    """Names with an underscore that a file takes from a module of the package, also by `monkeypatch.setattr`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {}
    taken = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pprl":
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}".removeprefix("pprl.")
                if is_private(alias.name):
                    taken.add(f"{node.module}.{alias.name}".removeprefix("pprl."))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner, name = node.value, node.attr
        elif isinstance(node, ast.Call) and called(node) in BY_NAME and len(node.args) > 1:
            owner, name = node.args[0], getattr(node.args[1], "value", "")
        else:
            continue
        module = modules.get(ast.unparse(owner), ast.unparse(owner).removeprefix("pprl."))
        if is_private(str(name)) and module in GRAPH:
            taken.add(f"{module}.{name}")
    return taken


BY_NAME = ("setattr", "getattr", "delattr")


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("folder", ["pprl", "tests", "benchmarks"])
def test_nobody_takes_what_is_private_elsewhere(folder):
    taken = {path.relative_to(ROOT).as_posix(): private_names(path) for path in (ROOT / folder).rglob("*.py")}
    assert not {name: names for name, names in taken.items() if names}


def test_a_private_name_is_seen_however_it_is_taken(tmp_path):
    ways = {
        "from pprl.core.bits import _x": "core.bits._x",
        "from pprl.core import bits\nbits._x": "core.bits._x",
        "import pprl.core.bits\npprl.core.bits._x": "core.bits._x",
        "from pprl.core import bits\nmonkeypatch.setattr(bits, '_x', 1)": "core.bits._x",
        "from pprl.core import bits\nbits.x, bits.__name__": None,
    }
    for code, name in ways.items():
        (tmp_path / "a.py").write_text(code, encoding="utf-8")
        assert private_names(tmp_path / "a.py") == ({name} if name else set()), code
