"""The search on a Dask cluster gives the answer of one machine, bit for bit, whatever happens to the workers."""

import os
import signal
import sys
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
from helpers.encodings import encodings, random_rows
from helpers.exchange import attempt
from hypothesis import given, settings
from hypothesis import strategies as st

from pprl.core.bits import BitMatrix
from pprl.core.errors import PprlError
from pprl.core.scores import Scores
from pprl.match import dask as cluster
from pprl.match import search
from pprl.match.encodings import match_encodings

distributed = pytest.importorskip("distributed")


def same(found, expected):
    return all(
        np.array_equal(getattr(found, name), getattr(expected, name)) for name in vars(expected) if name != "kernel"
    )


@pytest.fixture(scope="module")
def workers():
    """Two worker processes on the loopback interface."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as made:
        made.wait_for_workers(2)
        yield made


def test_the_answer_is_that_of_one_machine(workers):
    ours, theirs = random_rows(1, 300), random_rows(2, 5_000)
    theirs.words[4_000:4_020] = theirs.words[:20]  # identical rows are ordered by number
    theirs.words[100:120] = ours.words[:20]
    steps = []
    with cluster.connected(workers.scheduler_address) as client:
        found = cluster.best(client, ours, theirs, keep=4, stretch=700, progress=steps.append)
        pieces = (BitMatrix(theirs.words[top : top + 999]) for top in range(0, 5_000, 999))
        assert same(cluster.best(client, ours, pieces, keep=4, stretch=512), found)
        pairs = cluster.all_pairs(client, ours, theirs, Fraction(54, 100), stretch=700)
        nobody = cluster.best(client, ours, BitMatrix(theirs.words[:0]), keep=4)
    assert sum(steps) == 300 * 5_000
    assert same(found, search.best(ours, theirs, keep=4))
    assert same(pairs, search.all_pairs(ours, theirs, Fraction(54, 100)))
    assert (nobody.theirs == -1).all()


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed the way of other systems")
def test_a_worker_that_is_killed(workers):
    ours, theirs = random_rows(3, 200), random_rows(4, 6_000)
    killed = []

    def kill(_pairs):
        if not killed:
            killed.append(next(iter(workers.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with cluster.connected(workers.scheduler_address) as client:
        found = cluster.best(client, ours, theirs, keep=5, stretch=128, progress=kill)
    assert killed
    assert same(found, search.best(ours, theirs, keep=5))


def test_the_command(workers, tmp_path):
    for side, seed, rows in (("list", 5, 50), ("registry", 6, 400)):
        encodings(side, seed, rows).write(tmp_path / side)
    files = [tmp_path / "list", tmp_path / "registry"]
    where = ["--engine", "dask", "--scheduler", workers.scheduler_address]
    attempt("match", *files, "-o", tmp_path / "scores", *where)
    expected = match_encodings(encodings("list", 5, 50), encodings("registry", 6, 400))
    assert Scores.read(tmp_path / "scores").to_bytes() == expected.to_bytes()
    attempt("match", *files, "--threshold", "0.55", "-o", tmp_path / "local.csv")
    attempt("match", *files, "--threshold", "0.55", "-o", tmp_path / "cluster.csv", *where)
    assert (tmp_path / "local.csv").read_bytes() == (tmp_path / "cluster.csv").read_bytes()


def test_no_scheduler_answers(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    for side in ("list", "registry"):
        encodings(side, 7, 20).write(tmp_path / side)
    with pytest.raises(PprlError, match="no Dask scheduler answers at tcp") as refused:
        attempt(
            *("match", tmp_path / "list", tmp_path / "registry", "-o", tmp_path / "scores"),
            *("--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"),
        )
    assert "dask scheduler" in refused.value.hint
    assert not (tmp_path / "scores").exists()


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ({}, "has no workers"),
        (
            {"tcp://a:1": version("pprl"), "tcp://b:2": PackageNotFoundError("pprl")},
            "pprl is not installed on the worker tcp://b:2",
        ),
        ({"tcp://a:1": version("pprl"), "tcp://b:2": "0.0.1"}, "the worker tcp://b:2 has pprl 0.0.1, and this is"),
    ],
)
def test_unsuitable_workers_are_refused_before_any_work(workers, monkeypatch, versions, message):
    monkeypatch.setattr(distributed.Client, "run", lambda *_, **__: versions)
    with pytest.raises(PprlError, match=message) as refused, cluster.connected(workers.scheduler_address):
        pass
    assert refused.value.hint


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PprlError, match="needs the package distributed"), cluster.connected("tcp://127.0.0.1:9"):
        pass


@settings(max_examples=30)
@given(st.data())
def test_results_can_be_merged_in_any_order(data):
    """Few bits, so that scores are equal and rows identical."""
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    ours = BitMatrix(draw.integers(0, 8, (5, 1), dtype="<u8"))
    theirs = BitMatrix(draw.integers(0, 8, (data.draw(st.integers(1, 40)), 1), dtype="<u8"))
    keep, stretch = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 12))
    merged = cluster.PartialBest.empty(5, keep, 64)
    pieces = list(search.chunks(theirs, 64, stretch))
    for base, chunk in data.draw(st.permutations(pieces)):
        merged = merged.merged(cluster.best_in_stretch(ours.words, chunk.words, keep=keep)[1], base)
    expected = search.best(ours, theirs, keep=keep, kernel="numpy")
    assert np.array_equal(merged.row_numbers(), expected.theirs)
    assert np.array_equal(merged.common, expected.common)
