"""Terminal transcripts: played in process, compared, and written anew."""

import contextlib
import io
import itertools
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from helpers import EXAMPLES, TESTS
from pprl.cli import main

SESSIONS = sorted((TESTS / "sessions").glob("*.txt"))


def run(command: str, keyboard: io.TextIOBase | None = None) -> list[str]:
    """What commands print, line by line, and the status of the last if it is not 0. They are joined by ``|``; at
    the end of one, ``< FILE`` is its standard input, and ``> FILE`` takes its standard output. Without a keyboard
    nobody is there to be asked."""
    parts = [list(part) for bar, part in itertools.groupby(shlex.split(command), "|".__eq__) if not bar]
    shown, given, status = io.BytesIO(), b"", 0
    for at, words in enumerate(parts, start=1):
        kept = None
        if words[-2:-1] == [">"]:
            *words, _, kept = words
        if words[-2:-1] == ["<"]:
            *words, _, source = words
            given = Path(source).read_bytes()
        out = shown if at == len(parts) and not kept else io.BytesIO()
        status = run_one(words, keyboard or io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"), out, shown)
        given = out.getvalue()
        if kept:
            Path(kept).write_bytes(given)
    return shown.getvalue().decode().splitlines() + ([f"[exit {status}]"] if status else [])


def run_one(words: list[str], given: io.TextIOBase, out: io.BytesIO, err: io.BytesIO) -> int:
    """One command in process, with its standard input and where it prints to."""
    streams = [io.TextIOWrapper(each, encoding="utf-8", newline="\n", write_through=True) for each in (out, err)]
    before, sys.stdin = sys.stdin, given
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            return main(words[1:]) if words[0] == "pprl" else shell(words[0], words[1:])
    finally:
        sys.stdin = before
        for stream in streams:
            stream.detach()


def shell(name: str, arguments: list[str]) -> int:
    match name, arguments:
        case "cat", [path]:
            print(Path(path).read_text(encoding="utf-8"), end="")
        case "head", [count, *path]:
            text = Path(*path).read_text(encoding="utf-8") if path else sys.stdin.read()
            print("\n".join(text.splitlines()[: int(count.removeprefix("-"))]))
        case "export", [setting]:
            name, _, value = setting.partition("=")
            os.environ[name] = value
        case "unset", names:
            for each in names:
                del os.environ[each]
        case "ls", _:
            print("\n".join(sorted(path.name for path in Path(*arguments).iterdir())))
        case "chmod", [mode, path]:
            Path(path).chmod(int(mode, 8))
        case "cp", [old, new]:
            shutil.copy(old, new)
        case "truncate", [size, path]:
            os.truncate(path, int(size.removeprefix("--size=")))
        case _:
            raise ValueError(f"no such command in transcripts: {name}")
    return 0


def same(wanted: list[str], got: list[str]) -> bool:
    def agree(line: str, printed: str) -> bool:
        return printed.startswith(line[:-1]) if line.endswith("…") else line == printed

    return len(wanted) == len(got) and all(map(agree, wanted, got))


def steps(path: Path) -> tuple[str, list[tuple[str, list[str], list[str]]], str]:
    """What stands before the first command; each command, what it should print, what follows; and the fixtures."""
    text = path.read_text(encoding="utf-8")
    script, mark, fixtures = text.partition("\n-- ")
    head, *parts = re.split(r"^(?=\$ )", script, flags=re.M)
    found = []
    for part in parts:
        command, *lines = part.splitlines()
        end = len(lines)
        while end and (not lines[end - 1] or lines[end - 1].startswith("#")):
            end -= 1
        found.append((command[2:], lines[:end], lines[end:]))
    return head, found, mark + fixtures


def copy_examples() -> None:
    for example in EXAMPLES.glob("two_files/*"):
        shutil.copy(example, ".")


def play(path: Path) -> list[tuple[str, list[str], list[str]]]:
    """Run a transcript in the current folder: command, what it should print, what it printed; blank lines left out."""
    copy_examples()
    _, script, fixtures = steps(path)
    _, *parts = re.split(r"^-- (.+) --\n", fixtures, flags=re.M)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        Path(name).write_text(text, encoding="utf-8")
    with mock.patch.dict(os.environ):
        return [
            (command, [line for line in wanted if line], [line for line in run(command) if line])
            for command, wanted, _ in script
        ]


@contextlib.contextmanager
def fresh_folder() -> Iterator[None]:
    """A current folder and a ledger of runs of its own."""
    with tempfile.TemporaryDirectory() as state, tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        forget_variables()
        os.environ["PPRL_LEDGER"] = str(Path(state) / "runs.json")
        yield


def forget_variables() -> None:
    """What a developer has set for commands of his own changes no test."""
    for name in [name for name in os.environ if name.startswith("PPRL_")]:
        del os.environ[name]


def rewrite(path: Path) -> None:
    with fresh_folder():
        played = play(path)
    head, script, fixtures = steps(path)
    text = head
    for (command, wanted, after), (_, _, got) in zip(script, played, strict=True):
        lines = wanted if same([line for line in wanted if line], got) else got
        text += "\n".join([f"$ {command}", *lines, *after]) + "\n"
    path.write_text(text.rstrip("\n") + "\n" + fixtures, encoding="utf-8")
