import os
import subprocess
import sys
import textwrap
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from helpers.searches import listed, tuples
from hypothesis import given, settings
from hypothesis import strategies as st

from pprl.core import numba_cache
from pprl.core.bits import BitMatrix
from pprl.core.errors import MismatchError
from pprl.match import search, threads

KERNELS = ["numba", "numpy"]
CHECKOUT = ROOT


def bits(rows):
    """Each row as the set of its bits, without any of the code under test."""
    return [
        {8 * index + bit for index, byte in enumerate(row.tobytes()) for bit in range(8) if byte >> bit & 1}
        for row in rows.words
    ]


def best_by_definition(ours, theirs, keep):
    rights = list(zip(bits(theirs), [row.tobytes() for row in theirs.words], strict=True))
    answer = []
    for a in bits(ours):
        scored = [
            (-Fraction(2 * len(a & b), len(a) + len(b)), encoding, number, len(a & b), len(a) + len(b))
            for number, (b, encoding) in enumerate(rights)
            if a & b
        ]
        answer.append([(number, common, total) for _, _, number, common, total in sorted(scored)[:keep]])
    return answer


def pairs_by_definition(ours, theirs, threshold):
    return [
        (i, j, len(a & b), len(a) + len(b))
        for i, a in enumerate(bits(ours))
        for j, b in enumerate(bits(theirs))
        if a & b and Fraction(2 * len(a & b), len(a) + len(b)) >= threshold
    ]


def cut(rows, sizes):
    """The rows as chunks of the given sizes, zero allowed, and a last chunk with the rest."""
    start = 0
    for size in sizes:
        yield BitMatrix(rows.words[start : start + size])
        start += size
    yield BitMatrix(rows.words[start:])


@st.composite
def two_sides(draw):
    """Few distinct rows, repeated many times, so that scores and encodings often tie."""
    length = draw(st.sampled_from([64, 128, 192, 1024]))
    edges = [0, 1, 7, 8, 9, 16, length - 17, length - 9, length - 8, length - 1]
    position = st.one_of(st.sampled_from(edges), st.integers(0, length - 1))
    distinct = draw(st.lists(st.lists(position, max_size=4), min_size=2, max_size=8))
    distinct += [edges, edges[::3], list(range(0, length, draw(st.integers(2, 40))))]
    side = st.lists(st.sampled_from(distinct), max_size=40)
    return tuple(BitMatrix.from_positions(draw(side), length) for _ in range(2))


few = st.integers(1, 3)
tiles = st.tuples(st.integers(1, 50), few | st.integers(1, 50))
keeps = few | st.integers(1, 16)
sizes = st.lists(st.integers(0, 15), max_size=4)


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=150)
@given(sides=two_sides(), keep=keeps, tile=tiles, sizes=sizes)
def test_best_is_the_definition_whatever_the_tiles_and_chunks(name, sides, keep, tile, sizes):
    ours, theirs = sides
    expected = best_by_definition(ours, theirs, keep)
    found = search.best(ours, theirs, keep=keep, kernel=name, tile=tile)
    assert found.kernel == name
    assert found.theirs.shape == found.common.shape == found.total.shape == (len(ours), keep)
    assert (found.theirs.dtype, found.common.dtype, found.total.dtype) == (np.int64, np.int32, np.int32)
    assert listed(found) == expected
    assert listed(search.best(ours, cut(theirs, sizes), keep=keep, kernel=name, tile=tile)) == expected
    assert listed(search.best(ours, theirs, keep=keep, kernel=name)) == expected


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=100)
@given(
    sides=two_sides(),
    threshold=st.one_of(
        st.fractions(min_value=-1, max_value=2, max_denominator=50),
        st.floats(min_value=0, max_value=1, allow_subnormal=False).map(Fraction),
    ),
    tile=tiles,
    sizes=sizes,
)
def test_all_pairs_is_the_definition_whatever_the_tiles_and_chunks(name, sides, threshold, tile, sizes):
    ours, theirs = sides
    expected = pairs_by_definition(ours, theirs, threshold)
    found = search.all_pairs(ours, theirs, threshold, kernel=name, tile=tile)
    assert found.kernel == name
    assert (found.ours.dtype, found.theirs.dtype) == (np.int64, np.int64)
    assert (found.common.dtype, found.total.dtype) == (np.int32, np.int32)
    assert tuples(found) == expected
    assert tuples(search.all_pairs(ours, cut(theirs, sizes), threshold, kernel=name, tile=tile)) == expected


@settings(max_examples=25)
@given(sides=two_sides(), keep=keeps, count=st.integers(1, 4), tile=tiles)
def test_threads_never_change_the_answer(sides, keep, count, tile):
    ours, theirs = sides
    with threads.threads(count) as engine:
        found = search.best(ours, theirs, keep=keep, map=engine.map, tile=tile)
        pairs = search.all_pairs(ours, theirs, Fraction(1, 2), map=engine.map, tile=tile)
    assert listed(found) == best_by_definition(ours, theirs, keep)
    assert tuples(pairs) == pairs_by_definition(ours, theirs, Fraction(1, 2))


def random_rows(rng, count, length, full):
    dense = rng.random((count, length)) < full[:, None]
    return BitMatrix(np.packbits(dense, axis=1, bitorder="little").view("<u8"))


@pytest.mark.parametrize("length", [64, 192, 1024, 1088, 2048])
def test_kernels_agree_over_many_tiles_and_weights(length):
    rng = np.random.default_rng(length)
    ours = random_rows(rng, 70, length, rng.choice([0, 0.05, 0.2, 0.5, 1], 70))
    theirs = random_rows(rng, 1500, length, rng.choice([0, 0.05, 0.2, 0.5, 0.5, 0.9], 1500))
    theirs.words[700:900] = ours.words[rng.integers(0, 70, 200)]
    numba, numpy = (search.best(ours, theirs, kernel=name, tile=(32, 600)) for name in KERNELS)
    assert listed(numba) == listed(numpy)
    assert listed(numba)[:8] == best_by_definition(BitMatrix(ours.words[:8]), theirs, 16)
    fast, slow = (search.all_pairs(ours, theirs, Fraction(3, 5), kernel=name) for name in KERNELS)
    assert tuples(fast) == tuples(slow)
    assert len(fast.ours) > 2000


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("tile", [(7, 5), (64, 1), (64, 300)])
def test_hundreds_of_ties_for_every_row(name, tile):
    """Three bits of 24 in each row: a handful of scores, each shared by hundreds of encodings."""
    rng = np.random.default_rng(7)
    drawn = [rng.choice(24, 3, replace=False).tolist() for _ in range(330)]
    ours, theirs = BitMatrix.from_positions(drawn[:30], 128), BitMatrix.from_positions(drawn[30:], 128)
    for keep in (1, 3, 16):
        found = search.best(ours, theirs, keep=keep, kernel=name, tile=tile)
        assert listed(found) == best_by_definition(ours, theirs, keep)


@st.composite
def lopsided_sides(draw):
    """Rows of any width whose bits crowd in some words, and near copies of them: they reach every early stop."""
    words = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))

    def side(count):
        full = rng.choice([0, 0.1, 0.5, 0.9, 1], (count, 1)) * rng.choice([0, 0.3, 1, 1], (count, words))
        dense = rng.random((count, words, 64)) < full[:, :, None]
        return np.packbits(dense, axis=2, bitorder="little").view("<u8").reshape(count, words)

    ours = side(draw(st.integers(1, 20)))
    theirs = side(draw(st.integers(0, 400)))
    copied = rng.random(len(theirs)) < draw(st.sampled_from([0, 0.1, 1]))
    masks = side(len(theirs)) | side(len(theirs)) | side(len(theirs))
    theirs[copied] = (ours[rng.integers(0, len(ours), len(theirs))] & masks)[copied]
    return BitMatrix(ours), BitMatrix(theirs)


@settings(max_examples=150)
@given(sides=lopsided_sides(), threshold=st.fractions(0, 1, max_denominator=40), keep=keeps, sizes=sizes)
def test_an_early_stop_never_changes_the_answer(sides, threshold, keep, sizes):
    ours, theirs = sides
    fast, slow = (search.all_pairs(ours, theirs, threshold, kernel=name) for name in KERNELS)
    assert tuples(fast) == tuples(slow)
    fast, slow = (search.best(ours, cut(theirs, sizes), keep=keep, kernel=name, tile=(7, 150)) for name in KERNELS)
    assert listed(fast) == listed(slow)


@pytest.mark.parametrize("words", [4, 5, 7, 8, 11, 12, 15, 16, 17, 21, 31, 32, 48])
def test_a_bit_at_either_side_of_a_stop_decides(words):
    """A pair exactly at the threshold, whichever word lacks the bit, and one a bit below it, each alone in its tile."""
    rng = np.random.default_rng(words)
    ours = random_rows(rng, 1, 64 * words, np.array([0.3]))
    weight = int(ours.weights()[0])
    threshold = Fraction(2 * (weight - 1), 2 * weight - 1)
    for word in range(words):
        lacking = ours.words.copy()
        lacking[0, word] &= lacking[0, word] - np.uint64(1)  # the lowest bit
        near = BitMatrix(lacking.copy())
        lacking[0, word] &= lacking[0, word] - np.uint64(1)
        found = search.all_pairs(ours, near, threshold, kernel="numba")
        assert tuples(found) == [(0, 0, weight - 1, 2 * weight - 1)]
        assert tuples(search.all_pairs(ours, BitMatrix(lacking), threshold, kernel="numba")) == []
        found = search.best(ours, [near, BitMatrix(lacking), near], keep=1, kernel="numba")
        assert listed(found) == [[(0, weight - 1, 2 * weight - 1)]]


def test_reused_memory_is_right_whatever_the_map():
    """A lazy map, an eager one and threads, over chunks that shrink and grow."""
    rng = np.random.default_rng(3)
    ours, theirs = (random_rows(rng, count, 128, np.full(count, 0.4)) for count in (40, 600))
    expected = best_by_definition(ours, theirs, 5)
    for run in (map, lambda function, pieces: [function(piece) for piece in pieces]):
        for parts in ([1, 300, 2, 200], [200, 0, 1, 300], [64] * 9):
            assert listed(search.best(ours, cut(theirs, parts), keep=5, map=run, tile=(16, 128))) == expected
    with threads.threads(3) as engine:
        assert listed(search.best(ours, cut(theirs, [9] * 60), keep=5, map=engine.map, tile=(5, 128))) == expected


# A row of ours, three of theirs with equal scores, and the order in which they must come.
TIES = {
    "bytes decide, not row numbers": ([0, 1, 2], [[2], [1], [0]], [2, 1, 0]),
    "bytes decide, not the words as numbers": ([0, 8, 16], [[0], [8], [16]], [2, 1, 0]),
    "a later word decides when the first are equal": ([5, 65, 66], [[5, 66], [5, 65], [5, 70]], [1, 0, 2]),
    "identical rows come by row number": ([3, 4], [[3], [3], [3]], [0, 1, 2]),
    "the score before the bytes": ([0, 1], [[0, 2], [0, 1], [1]], [1, 2, 0]),
    "equal scores from different weights": (
        [0, 1, 2, 3],
        [[0, 1, 2, 3, 4, 5, 6, 7], [3, 2], [1, 0]],
        [2, 1, 0],
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "order"), TIES.values(), ids=TIES)
@pytest.mark.parametrize("name", KERNELS)
def test_order_of_ties(name, ours, theirs, order):
    left, right = BitMatrix.from_positions([ours], 128), BitMatrix.from_positions(theirs, 128)
    assert [[row for row, _, _ in best] for best in best_by_definition(left, right, 3)] == [order]
    for keep in (1, 2, 3):
        for width in (1, 2, 3):
            found = search.best(left, right, keep=keep, kernel=name, tile=(1, width))
            assert found.theirs.tolist() == [order[:keep]]


def test_a_bit_more_never_loses_to_rounding():
    """1023/2047 and 1024/2049 differ by less than one in four million: the smaller must not come first."""
    length = 2048
    ours = BitMatrix.from_positions([list(range(1024))], length)
    theirs = BitMatrix.from_positions([list(range(1023)), [*range(1024), 1500]], length)
    for name in KERNELS:
        assert listed(search.best(ours, theirs, keep=2, kernel=name)) == best_by_definition(ours, theirs, 2)


EMPTY = BitMatrix.from_positions([], 64)
BLANK = BitMatrix.from_positions([[], []], 64)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(("ours", "theirs"), [(EMPTY, BLANK), (BLANK, EMPTY), (EMPTY, EMPTY), (BLANK, BLANK)])
def test_nothing_matches_an_empty_row_or_side(name, ours, theirs):
    assert search.best(ours, theirs, kernel=name).theirs.tolist() == [[-1] * 16] * len(ours)
    assert search.best(ours, iter([]), kernel=name).theirs.tolist() == [[-1] * 16] * len(ours)
    assert tuples(search.all_pairs(ours, theirs, Fraction(0), kernel=name)) == []


def test_rows_of_another_length_are_refused():
    with pytest.raises(MismatchError, match=r"64 bits .* 128 bits"):
        search.best(BLANK, BitMatrix.from_positions([[1]], 128), kernel="numpy")


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="keep"):
        search.best(BLANK, BLANK, keep=0)
    with pytest.raises(ValueError, match="kernel"):
        search.best(BLANK, BLANK, kernel="fastest")


def test_read_only_and_strided_rows_work():
    words = np.arange(1, 41, dtype="<u8").reshape(10, 4)
    frozen = BitMatrix(np.frombuffer(words.tobytes(), dtype="<u8").reshape(words.shape))
    strided = BitMatrix(np.repeat(words, 2, axis=0)[::2])
    assert not frozen.words.flags.writeable
    assert listed(search.best(frozen, strided)) == best_by_definition(strided, frozen, 16)


@pytest.mark.parametrize("run", [search.best, lambda a, b, **rest: search.all_pairs(a, b, Fraction(1), **rest)])
def test_progress_counts_every_pair_once(run):
    ours, theirs = BitMatrix(np.ones((7, 1), "<u8")), BitMatrix(np.ones((11, 1), "<u8"))
    steps = []
    run(ours, theirs, kernel="numpy", progress=steps.append, tile=(3, 4))
    assert sum(steps) == 77
    assert len(steps) == 9


def test_theirs_are_read_once_and_released():
    alive, most = [], 0

    def stream():
        nonlocal most
        for seed in range(12):
            chunk = BitMatrix(np.random.default_rng(seed).integers(1, 1 << 60, (50, 1), dtype="<u8"))
            alive.append(weakref.ref(chunk.words))
            most = max(most, sum(chunk() is not None for chunk in alive))
            yield chunk

    search.best(BitMatrix(np.ones((2, 1), "<u8")), stream(), keep=2, kernel="numpy")
    assert most <= 3


def in_a_fresh_process(code, **environ):
    clean = {name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env={**clean, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.splitlines()


SEARCH = """
    import sys, numpy as np
    from pprl.core.bits import BitMatrix
    from pprl.core import numba_cache
    from pprl.match import kernel, search
    rows = BitMatrix.from_positions([[1, 2], [2, 3]], 64)
    assert "numba" not in sys.modules
    found = search.best(rows, rows, keep=2)
    assert found.theirs.tolist() == [[0, 1], [1, 0]]
    print(found.kernel)
    print(*kernel.notes())
"""


@pytest.mark.parametrize("folder", [None, Path("/dev/null/home")])
def test_no_writable_folder_means_no_cache_and_a_note(monkeypatch, folder):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", "")
    monkeypatch.setattr(numba_cache, "cache_folder", lambda: folder)
    assert numba_cache.compiled({}, lambda _jit: "compiled") == ("compiled", numba_cache.NO_CACHE)


@pytest.mark.skipif(sys.platform != "linux", reason="asks for the folder of one system")
def test_the_second_process_finds_what_the_first_compiled(tmp_path):
    counts = """
    print(sum(kernel.compiled().best.stats.cache_hits.values()))
    from numba.core import config
    print(repr(config.CACHE_DIR))
    """
    code = textwrap.dedent(SEARCH) + textwrap.dedent(counts)
    assert in_a_fresh_process(code, HOME=str(tmp_path)) == ["numba", "", "0", "''"]
    assert in_a_fresh_process(code, HOME=str(tmp_path)) == ["numba", "", "1", "''"]
    assert [path.name for path in (tmp_path / ".cache").iterdir()] == ["pprl"]
    assert list((tmp_path / ".cache" / "pprl").rglob("*.nbc"))


def test_without_numba_the_numpy_kernel_runs_and_says_so():
    code = "import sys; sys.modules['numba'] = None\n" + textwrap.dedent(
        SEARCH.replace('assert "numba" not in sys.modules', "")
    )
    refused = """
    from pprl.core.errors import PprlError
    try:
        search.best(rows, rows, kernel="numba")
    except PprlError as error:
        print(error, error.hint != "")
    """
    kind, note, error = in_a_fresh_process(code + textwrap.dedent(refused))
    assert (kind, note) == ("numpy", numba_cache.NO_NUMBA)
    assert error == "the numba kernel was requested, but numba cannot be imported True"


FOLDERS = {
    "linux": ({"HOME": "/home/x"}, "linux", "/home/x/.cache/pprl"),
    "linux, named": ({"HOME": "/home/x", "XDG_CACHE_HOME": "/caches"}, "linux", "/caches/pprl"),
    "linux, named badly": ({"HOME": "/home/x", "XDG_CACHE_HOME": "caches"}, "linux", "/home/x/.cache/pprl"),
    "macOS": ({"HOME": "/Users/x"}, "darwin", "/Users/x/Library/Caches/pprl"),
    "Windows": ({"HOME": "/x", "LOCALAPPDATA": "/x/Local"}, "win32", "/x/Local/pprl/Cache"),
}


@pytest.mark.parametrize(("environ", "platform", "folder"), FOLDERS.values(), ids=FOLDERS)
def test_cache_folder(environ, platform, folder):
    assert numba_cache.cache_folder(environ, platform) == Path(folder)


def test_a_disk_that_fills_up_while_compiling_is_no_error(monkeypatch, tmp_path):
    tried = []

    def make_once_in_vain(_jit):
        tried.append(1)
        if len(tried) == 1:
            raise OSError("no space left")
        return "compiled"

    monkeypatch.setattr("numba.core.config.CACHE_DIR", "")
    monkeypatch.setattr(numba_cache, "cache_folder", lambda: tmp_path)
    assert numba_cache.compiled({}, make_once_in_vain) == ("compiled", numba_cache.NO_CACHE)
    assert len(tried) == 2
