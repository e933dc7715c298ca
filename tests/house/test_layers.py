"""Imports point downwards only, from room to room: the picture in CONTRIBUTING.md is the table that is held here."""

import ast
import re
from pathlib import Path

import pytest
from helpers import ROOT

PACKAGE = ROOT / "pprl"
#: Folders within folders that are rooms of their own.
INNER = ("exchange/protocol", "exchange/parties")


def floors() -> list[set[str]]:
    """The rooms of each floor, from the roof down, as CONTRIBUTING.md draws them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = re.search(r"```text\n(.*?)```", text, re.S)
    assert drawn, "CONTRIBUTING.md has no picture"
    return [set(re.split(r" {2,}", line.partition("|")[0].strip())) for line in drawn[1].splitlines()]


HEIGHT = {room: -height for height, rooms in enumerate(floors()) for room in rooms}

#: Modules that must not be reached, however many imports lie between: the linkage unit has no key, no rows, no roster.
NEVER = {
    "match": ("core.private_rows", "core.key", "normalize", "roster", "encode"),
    "exchange.protocol": ("core.private_rows", "core.key", "normalize", "roster", "encode", "match", "judge"),
    "exchange.parties.linkage_unit": ("core.key", "normalize", "roster", "encode"),
    "exchange.parties.auditor": ("core.key", "normalize", "roster", "encode"),
    "report": ("core.private_rows", "core.key", "core.scores", "core.encodings"),
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


def imports(path: Path, modules: set[str]) -> set[str]:
    """The modules of ours that a file imports, at any depth of it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pprl":
            above = node.module.removeprefix("pprl").removeprefix(".")
            for alias in node.names:
                inner = f"{above}.{alias.name}".removeprefix(".")
                found.add(inner if inner in modules else above)
        elif isinstance(node, ast.Import):
            found |= {each.name.removeprefix("pprl.") for each in node.names if each.name.startswith("pprl.")}
    return found


def graph() -> dict[str, set[str]]:
    paths = {name_of(path): path for path in PACKAGE.rglob("*.py")}
    return {name: imports(path, set(paths)) for name, path in paths.items()}


def room_of(module: str) -> str:
    inner = next((room for room in INNER if f"{module}.".startswith(room.replace("/", ".") + ".")), None)
    return inner or module.split(".")[0]


def inside(module: str, places: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{place}.") for place in places)


GRAPH = graph()


def test_every_room_is_in_the_picture():
    assert {room_of(name) for name in GRAPH if name} == set(HEIGHT)


def test_imports_point_downwards():
    """Those of the tour, `pprl/__init__.py`, are for readers and are not followed."""
    rooms = {(room_of(name), room_of(there)) for name, used in GRAPH.items() if name for there in used if there}
    assert not {(here, there) for here, there in rooms if here != there and HEIGHT[there] >= HEIGHT[here]}


@pytest.mark.parametrize("start", NEVER)
def test_what_is_never_reached(start):
    todo = [name for name in GRAPH if inside(name, (start,))]
    reached = set(todo)
    while todo:
        new = {there for there in GRAPH[todo.pop()] if there} - reached
        reached |= new
        todo += new
    assert len(reached) > 2
    assert not {name for name in reached if inside(name, NEVER[start])}


def private_names(path: Path) -> set[str]:
    """Names with an underscore that a file takes from another module of ours."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {}
    taken = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pprl":
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                if alias.name.startswith("_"):
                    taken.add(f"{node.module}.{alias.name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match(r"_(?!_)", node.attr) and isinstance(node.value, ast.Name):
            where = modules.get(node.value.id, "").removeprefix("pprl.")
            if where and where in GRAPH:
                taken.add(f"{where}.{node.attr}")
    return taken


@pytest.mark.parametrize("folder", ["pprl"])
def test_nobody_takes_what_is_private_elsewhere(folder):
    taken = {path.name: private_names(path) for path in (ROOT / folder).rglob("*.py")}
    assert not {name: names for name, names in taken.items() if names}
