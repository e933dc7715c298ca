"""Benchmarks are run by hand; that they can still be run is looked at here."""

import importlib
import sys
from pathlib import Path

import pandas as pd
import pytest

from pprl.linkage import people_of
from pprl.schema import parse_schema

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_a_benchmark_finds_what_it_imports(name, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", [name])
    importlib.import_module(name)


@pytest.fixture
def hardening(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("hardening")


def test_foreign_hardenings_do_what_they_say(hardening):
    """Each against a slow definition or a bound: what is beaten in a benchmark must be the real thing."""
    schema = parse_schema(
        'format = 1\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
        '[fields.birth_date]\ntype = "date"\n'
    )
    born = ["1980-01-02", "1980-05-06", "1981-01-02", "1985"] * 25
    frame = pd.DataFrame({"surname": ["Lugov"] * 100, "given": ["Lev"] * 100, "birth_date": born})
    people = people_of(frame, schema, None, None, "list", any_age=True)
    key = bytes(32)
    bits = {name: hardening.bools(scheme.encode(people, key)) for name, scheme in hardening.schemes(schema).items()}
    plain = bits["plain"]
    assert (bits["balanced"].sum(axis=1) == plain.shape[1]).all()
    assert [row.tolist() for row in bits["XOR-folded"]] == [
        [bool(row[at]) != bool(row[at + 512]) for at in range(512)] for row in plain
    ]
    assert [row.tolist() for row in bits["Rule 90"]] == [
        [bool(row[at - 1]) != bool(row[(at + 1) % 1024]) for at in range(1024)] for row in plain
    ]
    for name, share in (("BLIP .05", 0.05), ("BLIP .1", 0.1)):
        flips = (bits[name] != plain).sum()
        assert abs(flips - share * plain.size) < 5 * (plain.size * share * (1 - share)) ** 0.5
    salted = bits["salted by year"].astype(int)
    same_year, other_year = salted[0] @ salted[1], salted[0] @ salted[2]
    assert same_year > 0.6 * salted[0].sum() > other_year
    tokens = hardening.schemes(schema)["salted by year"].bits_of_tokens(people)
    assert (tokens[[0]] @ tokens[[1]].T).sum() > 0
    assert (tokens[[0]] @ tokens[[2]].T).sum() == 0
