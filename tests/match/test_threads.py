import pickle
import signal
import subprocess
import sys
import textwrap
import time
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from helpers import ROOT

from pprl.core.bits import BitMatrix
from pprl.match import search, threads

ROWS = BitMatrix(np.random.default_rng(5).integers(0, 1 << 63, (300, 16), dtype="<u8"))
CHECKOUT = ROOT


def same(found, expected):
    columns = [name for name in vars(expected) if name != "kernel"]
    return all(np.array_equal(getattr(found, name), getattr(expected, name)) for name in columns)


def test_threads_keep_the_order_and_stop_at_the_first_error():
    started = []

    def work(piece):
        started.append(piece)
        time.sleep(0.01)
        if piece == 3:
            raise KeyboardInterrupt
        return -piece

    def run():
        with threads.threads(2) as engine:
            assert list(engine.map(work, range(3))) == [0, -1, -2]
            list(engine.map(work, range(3, 500)))

    with pytest.raises(KeyboardInterrupt):
        run()
    assert len(started) < 20


def test_threads_by_default_are_as_many_as_processors():
    with threads.threads() as engine:
        assert list(engine.map(abs, range(-50, 0))) == list(range(50, 0, -1))


@pytest.mark.parametrize("name", ["numba", "numpy"])
def test_work_survives_being_pickled(name):
    def through_pickle(function, pieces):
        return [pickle.loads(pickle.dumps(partial(function, piece)))() for piece in pieces]

    plain = search.best(ROWS, ROWS, keep=4, kernel=name)
    assert same(search.best(ROWS, ROWS, keep=4, kernel=name, map=through_pickle, tile=(100, 70)), plain)
    pairs = search.all_pairs(ROWS, ROWS, Fraction(1, 2), kernel=name)
    assert same(search.all_pairs(ROWS, ROWS, Fraction(1, 2), kernel=name, map=through_pickle), pairs)


@pytest.mark.skipif(sys.platform == "win32", reason="the signal is sent the way of other systems")
def test_ctrl_c_takes_effect_between_two_pieces_of_work():
    code = """
        import signal
        import numpy as np
        from pprl.core.bits import BitMatrix
        from pprl.match import search, threads
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it
        ours = BitMatrix(np.random.default_rng(1).integers(0, 1 << 63, (200_000, 16), dtype="<u8"))
        theirs = (BitMatrix(ours.words) for _ in range(1000))
        try:
            with threads.threads(2) as engine:
                search.best(ours, theirs, map=engine.map, progress=lambda pairs: print(pairs, flush=True))
        except KeyboardInterrupt:
            print("interrupted")
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    with child:
        assert int(child.stdout.readline()) > 0
        asked = time.monotonic()
        child.send_signal(signal.SIGINT)
        try:
            rest, _ = child.communicate(timeout=30)
        finally:
            child.kill()
    assert rest.splitlines()[-1] == "interrupted"
    assert time.monotonic() - asked < 20
