"""An interrupted search resumes where it stopped and ends with the same answer, or says why it cannot."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from helpers import ROOT
from helpers.encodings import encodings, random_rows
from helpers.exchange import attempt, run
from hypothesis import given, settings
from hypothesis import strategies as st

from pprl.core.bits import BitMatrix
from pprl.core.encodings import Encodings
from pprl.core.errors import FileError, MismatchError
from pprl.core.scores import Scores
from pprl.match import checkpoint, search
from pprl.match.checkpoint import Checkpoint
from pprl.match.encodings import match_encodings
from pprl.match.search import SearchState

CHECKOUT = ROOT


def same(found, expected):
    return all(np.array_equal(getattr(found, name), getattr(expected, name)) for name in vars(expected))


@settings(max_examples=60)
@given(st.data())
def test_a_search_can_resume_after_any_chunk(data):
    """Few bits, so that scores are equal and rows identical; chunks differ before and after."""
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    kernel = data.draw(st.sampled_from(["numba", "numpy"]))
    ours = BitMatrix(draw.integers(0, 8, (7, 2), dtype="<u8"))
    theirs = BitMatrix(draw.integers(0, 8, (data.draw(st.integers(1, 60)), 2), dtype="<u8"))
    keep, first, second = (data.draw(st.integers(1, 20)) for _ in range(3))
    states = list(search.steps(ours, theirs, SearchState.start(7, keep), kernel=kernel, tile=(3, first)))
    state = data.draw(st.sampled_from(states))
    compared = [0]
    again = [state, *search.steps(ours, theirs, state, kernel=kernel, tile=(2, second), progress=compared.append)]
    assert same(again[-1], states[-1])
    assert same(again[-1].candidates(kernel), search.best(ours, theirs, keep=keep, kernel=kernel))
    assert sum(compared) == len(ours) * len(theirs)


def test_fewer_rows_than_were_compared():
    ours, theirs = random_rows(1, 5), random_rows(2, 50)
    *_, state = search.steps(ours, theirs, SearchState.start(5, 2))
    with pytest.raises(MismatchError, match="fewer rows than were compared before"):
        list(search.steps(ours, BitMatrix(theirs.words[:3]), state))


# --- the file ---


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    theirs = np.array([[4, -1], [7, 2]])
    state = SearchState(9, theirs, np.array([[3, 0], [5, 1]]), np.array([[8, 0], [10, 9]]))
    made = Checkpoint(tmp_path / "c", lambda: b"i" * 32)
    made.save(state)
    return made, state


def test_a_checkpoint_reads_back_and_only_its_owner_may_read_it(written):
    made, state = written
    assert same(made.read(), state)
    assert os.name == "nt" or made.path.stat().st_mode & 0o077 == 0
    made.remove()
    assert not made.path.exists()


def test_every_changed_byte_is_noticed(written):
    made, _ = written
    data = made.path.read_bytes()
    for position in range(len(data)):
        made.path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises((FileError, MismatchError)):
            made.read()
    for size in range(len(data)):
        made.path.write_bytes(data[:size])
        with pytest.raises(FileError):
            made.read()


def test_a_checkpoint_of_another_search(written):
    made, _ = written
    with pytest.raises(MismatchError, match="an input or an option has changed"):
        Checkpoint(made.path, lambda: b"j" * 32).read()


def test_it_is_written_once_a_minute_and_hashes_nothing_earlier(tmp_path, monkeypatch):
    asked = []
    made = Checkpoint(tmp_path / "c", lambda: asked.append(1) or b"i" * 32)
    now = checkpoint.time.monotonic()
    state = SearchState(1, np.array([[0]]), np.array([[1]]), np.array([[2]]))
    for later, there in ((0, False), (59, False), (61, True)):
        monkeypatch.setattr(checkpoint.time, "monotonic", lambda later=later: now + later)
        made.save(state)
        assert made.path.exists() == there
    assert asked == [1]


def test_a_full_disk_does_not_end_the_search(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    monkeypatch.setattr(search, "TILES", dict.fromkeys(search.TILES, (64, 500)))
    tried, write = [], checkpoint.container.write_new

    def full(path, *given, **more):
        if path.suffix == ".checkpoint":
            tried.append(path)
            raise FileError(f"{path.name}: cannot be written (No space left on device)")
        write(path, *given, **more)

    monkeypatch.setattr(checkpoint.container, "write_new", full)
    for side, rows in (("list", 20), ("registry", 2_000)):
        encodings(side, 1, rows).write(tmp_path / side)
    done = run("match", tmp_path / "list", tmp_path / "registry", "-o", tmp_path / "out")
    assert done.status == 0, done.err
    assert "no checkpoint was kept: out.checkpoint: cannot be written" in done.err
    assert len(tried) == 1
    assert (tmp_path / "out").exists()


# --- the command ---


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    for side, seed, rows in (("list", 1, 60), ("registry", 2, 5_000)):
        encodings(side, seed, rows).write(folder / side)
    return folder


def killed(inputs, output, after=3):
    """`pprl match` in a process that is killed when it has written its third checkpoint."""
    code = f"""
        import os, signal
        from pprl.cli import main
        from pprl.match import checkpoint, search
        search.TILES = dict.fromkeys(search.TILES, (64, 500))
        checkpoint.EVERY, write, done = 0, checkpoint.container.write_new, []
        def counting(*given, **more):
            write(*given, **more)
            done.append(1)
            if len(done) == {after}:
                os.kill(os.getpid(), signal.SIGKILL)
        checkpoint.container.write_new = counting
        main(["match", {str(inputs / "list")!r}, {str(inputs / "registry")!r}, "-o", {str(output)!r}])
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=CHECKOUT, check=False)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed the way of other systems")
def test_killed_and_resumed(inputs, tmp_path):
    output = tmp_path / "scores.pprl"
    killed(inputs, output)
    left = tmp_path / "scores.pprl.checkpoint"
    assert left.exists()
    assert not output.exists()
    assert "registry rows compared  1,500" in run("inspect", left).out
    command = ["match", inputs / "list", inputs / "registry", "-o", output]
    done = run(*command, "--resume")
    assert done.status == 0, done.err
    assert "resuming after the first 1,500 rows" in done.err
    assert not left.exists()
    whole = match_encodings(encodings("list", 1, 60), encodings("registry", 2, 5_000))
    assert Scores.read(output).to_bytes() == whole.to_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed the way of other systems")
def test_a_changed_registry_is_refused_and_without_resume_the_search_starts_again(inputs, tmp_path):
    output = tmp_path / "scores.pprl"
    killed(inputs, output)
    other = replace(encodings("registry", 2, 5_000), rows_read=4_999)
    other.write(tmp_path / "registry")
    with pytest.raises(MismatchError, match=r"scores\.pprl\.checkpoint: belongs to another search"):
        attempt("match", inputs / "list", tmp_path / "registry", "-o", output, "--resume")
    assert not output.exists()
    done = run("match", inputs / "list", tmp_path / "registry", "-o", output)
    assert done.status == 0
    assert "--resume continues it" in done.err
    assert not (tmp_path / "scores.pprl.checkpoint").exists()


def test_there_is_nothing_to_resume(inputs, tmp_path):
    done = run("match", inputs / "list", inputs / "registry", "-o", tmp_path / "s", "--resume")
    assert done.status == 0
    assert "there is no checkpoint" in done.err


def test_the_linkage_unit_resumes_by_itself(before, monkeypatch):
    """The same command resumes an interrupted run in the folder of an exchange."""
    exchange = before("match")
    monkeypatch.setattr(search, "TILES", dict.fromkeys(search.TILES, (64, 200)))
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    written, write = [], checkpoint.container.write_new

    def breaking(*given, **more):
        write(*given, **more)
        written.append(1)
        if len(written) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint.container, "write_new", breaking)
        assert run(*exchange.command("match")).status != 0
    assert (exchange.folder("unit") / "PRIVATE-match.checkpoint").exists()
    done = exchange.do("match")
    resumed = re.search(r"resuming after the first ([\d,]+) rows", done.err)
    assert 200 < int(resumed[1].replace(",", "")) <= 400  # two tiles, of which the registry's decoys may cut one
    assert not (exchange.folder("unit") / "PRIVATE-match.checkpoint").exists()
    exchange.upto("list result", "acknowledge")


# --- every pair ---


def test_every_pair_at_a_threshold(tmp_path):
    from fractions import Fraction

    one, other = encodings("registry", 1, 200), encodings("registry", 2, 300)
    other.bits.words[:20] = one.bits.words[:20]
    one.write(tmp_path / "one")
    other.write(tmp_path / "other")
    done = run("match", tmp_path / "one", tmp_path / "other", "--threshold", "0.55", "-o", tmp_path / "pairs.csv")
    assert done.status == 0, done.err
    pairs = search.all_pairs(one.bits, other.bits, Fraction("0.55"))
    header, *lines = (tmp_path / "pairs.csv").read_text(encoding="utf-8").splitlines()
    assert header == "row,their_row,handle,their_handle,common,total,score"
    rows = [line.split(",") for line in lines]
    columns = [pairs.ours, pairs.theirs, pairs.common, pairs.total]
    assert [[int(cell) for cell in (*row[:2], *row[4:6])] for row in rows] == np.stack(columns, axis=1).tolist()
    assert rows[0][2] == one.handles[int(rows[0][0])].tobytes().hex()
    assert "no decoys were judged" in done.out
    again = run(
        *("match", tmp_path / "one", tmp_path / "other", "--threshold", "0.55", "-o", tmp_path / "fast.csv"),
        *("--approximate", "0.99"),
    )
    assert "it would not help" in again.out  # so few rows are compared exactly
    assert (tmp_path / "fast.csv").read_bytes() == (tmp_path / "pairs.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threshold", "1.2"], "above 0 and up to 1"),
        (["--threshold", "0"], "above 0 and up to 1"),
        (["--threshold", "near"], "above 0 and up to 1"),
        (["--approximate", "0.99"], "--approximate works with --threshold"),
        (
            ["--threshold", "0.8", "--approximate", "0.9", "--engine", "dask", "--scheduler", "tcp://a:1"],
            "on this machine",
        ),
        (["--threshold", "0.8", "--resume"], "--resume is for scores"),
        (["--engine", "dask"], "go together"),
        (["--scheduler", "tcp://a:1"], "go together"),
        (["--engine", "spark"], "is not one of"),
    ],
)
def test_options_that_do_not_go_together(inputs, tmp_path, options, message):
    done = run("match", inputs / "list", inputs / "registry", "-o", tmp_path / "out", *options)
    assert done.status == 2
    assert message in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_mapped_file_reads_like_any_other(inputs):
    mapped, read = (Encodings.read(inputs / "registry", "registry", mapped=mapped) for mapped in (True, False))
    assert np.array_equal(mapped.bits.words, read.bits.words)
    assert np.array_equal(mapped.handles, read.handles)
