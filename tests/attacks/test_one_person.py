"""A report answers about many people, and not about one.

The owner of a registry asks about one person: they fill the registry with noise, two people whom they know to be on
the list, and the one they ask about. In the first edition the histogram of the report then said 5 in its highest bin if
that person is listed, and 0 if not.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.offices import SCHEMA, offices

from pprl.core.bits import BitMatrix
from pprl.core.key import LinkageKey
from pprl.core.randomness import Randomness
from pprl.encode.list import encode_list
from pprl.encode.registry import encode_registry
from pprl.judge.assessment import judge
from pprl.match.encodings import match_encodings
from pprl.report import disclosure
from pprl.report.disclosure import disclose

NOISE, SEEDS = 1_500, (1, 2, 3)


def probed(listed, seed):
    """The exact figures for a list with or without the person of row 0, against rows 0, 1 and 2 and noise."""
    people = offices(1, 302, 10, 0).leaked
    ours = people.drop(index=301 if listed else 0)
    key, randomness = LinkageKey.make(seed), Randomness.make(seed)
    encodings, rows = encode_list(ours, SCHEMA, key, randomness=randomness)
    asked, _ = encode_registry(people.head(3), SCHEMA, key, randomness=randomness, allow_weak=True)
    draw = np.random.default_rng(seed)
    noise = draw.integers(0, 1 << 63, (NOISE, SCHEMA.length // 64), dtype=np.uint64)
    words = np.concatenate([asked.bits.words, noise & np.roll(noise, 1, axis=0)])  # as many bits as people have
    handles = draw.bytes(16 * len(words))
    registry = replace(
        asked, bits=BitMatrix(words), handles=np.frombuffer(handles, dtype="V16"), rows_read=len(words), decoys=None
    )
    return judge(match_encodings(encodings, registry), rows, encodings=encodings).audit


def flat(value, path=""):
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(each, f"{path}.{key}")
    else:
        yield path, json.dumps(value)


def separating(reports):
    """The figures that tell a list with the person from one without in every run."""
    seen = {listed: [dict(flat(report)) for report in found] for listed, found in reports.items()}
    paths = {path for found in seen.values() for report in found for path in report}
    return {
        path
        for path in paths
        if not {report.get(path) for report in seen[True]} & {report.get(path) for report in seen[False]}
    }


@pytest.fixture(scope="module")
def audits():
    return {listed: [probed(listed, seed) for seed in SEEDS] for listed in (True, False)}


@pytest.mark.parametrize("small_cells", ["round", "suppress"])
def test_a_registry_made_to_ask_about_one_person_gets_no_answer(audits, small_cells, monkeypatch):
    def reports():
        return {
            listed: [disclose(audit, 5, small_cells=small_cells) for audit in found] for listed, found in audits.items()
        }

    assert separating(reports()) == set()
    monkeypatch.setattr(disclosure, "FEWEST_MATCHED", 0)
    told = separating(reports())
    if small_cells == "round":
        assert any(path.startswith(".scores.real.") for path in told), "the attack no longer works"
