"""A command that is killed at any point leaves nothing half done, and running it again completes it."""

import json
import os
import signal
import subprocess
import sys

import pytest
from helpers import TESTS
from helpers.exchange import BY_NAME, STEPS, run
from helpers.forgeries import plain

from pprl.exchange.folder import PART
from pprl.exchange.keystore import NAME

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is a thing of Unix")
POINTS = {"accept": 2, "list rows": 2, "registry rows": 5, "list package": 5, "list seal": 5, "match": 10}
POINTS |= {"reveal": 4, "judge": 8}
PACKAGES = ("list-5-package.pprl", "registry-4-package.pprl", "unit-4-result-for-the-list.pprl")  # sealed, so random


@pytest.fixture(scope="module")
def driver():
    command = [sys.executable, str(TESTS / "helpers" / "killed.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def killed_at(point, words):
            process.stdin.write(json.dumps([point, [str(word) for word in words]]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield killed_at
        process.stdin.close()


def contents_of(exchange, role):
    """What a party's folder holds, as far as it is the same in every run: seals and the keystore's lock are random."""
    found = {}
    for path in exchange.folder(role).iterdir():
        if path.name.startswith("."):
            found[path.name] = path.read_bytes()
        else:
            random = path.name in (*PACKAGES, NAME)
            found[path.name] = path.stat().st_size if random else plain(exchange, role, path.name)
    keystore = dict(exchange.opened(role).keystore.state)
    return found, keystore


@pytest.mark.parametrize("step", POINTS)
def test_a_step_that_is_killed(before, driver, step):
    role, played, random = STEPS[step], before(step, "whole"), step == "accept"
    at_first = contents_of(played, role)[0]
    signal_number, printed = driver(0, played.command(step))
    assert signal_number == 0
    status, points = map(int, printed.split())
    assert status == 0
    whole, state = contents_of(played, role)
    at_once = [round(1 + number * (points - 1) / (POINTS[step] - 1)) for number in range(POINTS[step])]
    for number in at_once:
        exchange = before(step, f"killed-{number}")
        folder, command = exchange.folder(role), exchange.command(step)
        assert driver(number, command)[0] == signal.SIGKILL
        for path in folder.iterdir():
            hidden = path.name.startswith(".")
            if path.name.endswith(".part") and (hidden or path.name == PART):
                if "PRIVATE" in path.name:
                    assert path.stat().st_mode & 0o077 == 0
                else:
                    assert path.name.split(".")[1] + ".pprl" in BY_NAME  # it goes to others anyhow
            elif path.name == NAME or random:
                exchange.opened(role)  # it opens and is whole
            elif path.name in PACKAGES:
                assert path.stat().st_size == whole[path.name]
            else:
                now = plain(exchange, role, path.name)
                assert now in (at_first.get(path.name), whole[path.name]), f"{path.name} is half done"
        done = not random and contents_of(exchange, role) == (whole, state)
        again = run(*command)
        assert again.status == 0 or done, again.err
        found, their_state = contents_of(exchange, role)
        if random:
            assert found.keys() == whole.keys()
            assert their_state.keys() == state.keys()
            assert exchange.opened(role).agreement.hash.hex() == their_state["agreement"]
        else:
            assert found == whole, f"killed at {number} of {points}"
            assert their_state == state
