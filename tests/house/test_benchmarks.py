"""Benchmarks are run by hand; these tests check that they still can be."""

import importlib
import sys

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT

from pprl.core.randomness import RandomStream, seed_from
from pprl.core.schema_file import parse_schema
from pprl.preflight.attacks.scheme import CandidatePool, signs
from pprl.roster.load import load

SCHEMA = parse_schema(
    'format = 1\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
    '[fields.birth_date]\ntype = "date"\n'
)
FOLDER = ROOT / "benchmarks"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_a_benchmark_can_be_imported(name, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", [name])
    importlib.import_module(name)


@pytest.fixture
def hardening(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("hardening")


def test_foreign_hardenings_do_what_they_say(hardening):
    """Each against a slow definition or a bound: a benchmark must compare with the real thing."""
    born = ["1980-01-02", "1980-05-06", "1981-01-02", "1985"] * 25
    frame = pd.DataFrame({"surname": ["Lugov"] * 100, "given": ["Lev"] * 100, "birth_date": born})
    people = load(frame, SCHEMA, "list", any_age=True).people
    key = bytes(32)
    bits = {name: hardening.bools(scheme.encode(people, key)) for name, scheme in hardening.schemes(SCHEMA).items()}
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
    tokens = hardening.schemes(SCHEMA)["salted by year"].bits_of_tokens(people)
    assert (tokens[[0]] @ tokens[[1]].T).sum() > 0
    assert (tokens[[0]] @ tokens[[2]].T).sum() == 0


def test_the_attacker_knows_how_foreign_hardenings_treat_similarity(hardening):
    """The mean over 40 keys, within 5 standard deviations of independent bits: balancing has half as many of these."""
    frame = pd.DataFrame(
        {
            "surname": ["Lugov", "Lugova", "Belov"] * 6,
            "given": ["Lev", "Lina"] * 9,
            "birth_date": ["1980-01-02"] * 5 + ["1980-05-06"] * 5 + ["1981-01-02"] * 5 + [""] * 3,
        }
    )
    people = load(frame, SCHEMA, "list", any_age=True).people
    schemes = hardening.schemes(SCHEMA)
    foreign = {name: scheme for name, scheme in schemes.items() if getattr(scheme, "t", None) == 0}
    for name, scheme in foreign.items():
        pool = CandidatePool(people, None, SCHEMA, RandomStream(seed_from(1), "test"))
        everyone = np.arange(len(pool))
        seen = [signs(scheme.encode(pool.people, bytes([number] * 32))) for number in range(40)]
        length = seen[0].shape[1]
        similarity = np.mean([rows @ rows.T / length for rows in seen], axis=0)
        mean = np.mean([rows.mean(axis=1) for rows in seen], axis=0)
        tolerance = 5 / np.sqrt(40 * (length // 2 if name == "balanced" else length))
        assert np.abs(similarity - pool.agreement(everyone, everyone, scheme)).max() < tolerance, name
        assert np.abs(mean - pool.mean(everyone, scheme)).max() < tolerance, name
