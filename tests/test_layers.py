"""Imports point downwards only. The order below is the architecture, from the ground up."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "pprl"

LAYERS = (
    {"errors", "intervals"},
    {"files", "places"},
    {"bits", "schema", "draws"},
    {"normalize"},
    {"tables"},
    {"parts"},
    {"tokens", "keys"},
    {"harden"},
    {"encode"},
    {"decoys", "rows", "invented"},
    {"match", "exchange"},
    {"estimate"},
    {"linkage", "demo", "ledger", "audit"},
    {"preview", "owner", "unit", "report", "sent"},
    {"risk", "interop"},
    {"transcript"},
    {"cli"},
)
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
#: The linkage unit has neither key nor rosters, and what is sealed is made elsewhere.
PURE = {
    "match": {"normalize", "tables", "encode", "rows", "decoys", "keys"},
    "exchange": {"normalize", "tables", "encode", "rows", "decoys", "keys", "match"},
    "unit": {"normalize", "tables", "encode", "decoys", "keys", "linkage"},
    "transcript": {"normalize", "tables", "encode", "decoys", "keys", "linkage"},
}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pprl":
            names = [node.module] if "." in node.module else [f"pprl.{alias.name}" for alias in node.names]
            found |= {name.split(".")[1] for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("pprl.")}
    return found


def graph() -> dict[str, set[str]]:
    edges: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if here != "__init__":
            edges.setdefault(here, set()).update(imports(path) - {here})
    return edges


def test_every_module_has_its_place():
    assert set(graph()) == set(HEIGHT)


def test_imports_point_downwards():
    upward = {(here, there) for here, used in graph().items() for there in used if HEIGHT[there] >= HEIGHT[here]}
    assert not upward


def test_a_page_is_made_of_its_file_and_nothing_else():
    assert graph()["report"] <= {"errors", "files", "places"}


def test_whoever_matches_reaches_neither_names_nor_keys():
    edges = graph()
    for start, forbidden in PURE.items():
        reached, todo = set(), [start]
        while todo:
            for there in edges[todo.pop()] - reached:
                reached.add(there)
                todo.append(there)
        assert not reached & forbidden
