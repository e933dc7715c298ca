"""Commands that are killed.

`python tests/helpers/killed.py` reads lines of JSON, ``[n, [word, …]]``, and plays each command in a process of its own
that kills itself, as by SIGKILL, before the n-th time it opens, writes, syncs, renames or removes a file. It prints
how the process ended and how often it did such things; with n = 0 nothing is killed.
"""

import json
import os
import signal
import sys
from pathlib import Path

import pprl
import pprl.cli
import pprl.exchange.parties.linkage_unit
import pprl.exchange.parties.list_owner
import pprl.exchange.parties.registry_owner

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class File:
    """A file that is written in halves, each on the disk before the next: what a kill finds may be half a file."""

    def __init__(self, file, point):
        self._file, self._point = file, point

    def write(self, data):
        for half in (data[: len(data) // 2], data[len(data) // 2 :]):
            self._point()
            self._file.write(half)
            self._file.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


def play(last, words, report):
    counted = 0

    def point():
        nonlocal counted
        counted += 1
        if counted == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def counting(call):
        def counted_call(*arguments, **named):
            point()
            return call(*arguments, **named)

        return counted_call

    opened, made_file = os.open, os.fdopen

    def counting_open(path, flags, *rest, **named):
        if flags & os.O_CREAT:
            point()
        return opened(path, flags, *rest, **named)

    os.open = counting_open
    os.fdopen = lambda *arguments, **named: File(made_file(*arguments, **named), point)
    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, counting(getattr(os, name)))
    sys.stdout = sys.stderr = made_file(opened(os.devnull, os.O_WRONLY), "w")
    status = pprl.cli.main(words)
    os.write(report, f"{status} {counted}".encode())
    os._exit(0)


def warm_up():
    """Everything is imported and compiled once, and not in every child."""
    os.environ["PPRL_LEDGER"] = "off"
    files = [EXAMPLES / "two_files" / name for name in ("leaked.csv", "registry.csv", "schema.toml")]
    pprl.link(*files, seed=1).to_html()


def main():
    warm_up()
    for line in sys.stdin:
        last, words = json.loads(line)
        theirs, ours = os.pipe()
        child = os.fork()
        if child == 0:
            play(last, words, ours)
        os.close(ours)
        counts = os.read(theirs, 100).decode()
        os.close(theirs)
        status = os.waitpid(child, 0)[1]
        print(json.dumps([os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, counts]), flush=True)


if __name__ == "__main__":
    main()
