"""Every file in sessions/ is a terminal transcript that must replay exactly.

A transcript has comments (``#``), commands (``$ …``), what they print (stdout and stderr as they come) and ``[exit
N]`` for a status other than 0. Fixtures stand behind it under ``-- name --``. ``…`` at the end of a line stands for
the rest of it. The files of ``examples/two_files`` lie in the folder where a transcript is played.

``python tests/test_sessions.py`` plays all of them and writes down what the commands print now, where it differs: read
the difference before you commit it.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pprl.cli import main

HERE = Path(__file__).parent
SESSIONS = sorted((HERE / "sessions").glob("*.txt"))
EXAMPLES = HERE.parent / "examples"


def run(command: str) -> list[str]:
    """What a command prints, line by line, and its status if it is not 0; at its end ``< FILE`` is standard input, and
    ``> FILE`` keeps what it prints."""
    name, *arguments = shlex.split(command)
    given, kept = b"", None
    if arguments[-2:-1] == [">"]:
        *arguments, _, kept = arguments
    if arguments[-2:-1] == ["<"]:
        *arguments, _, source = arguments
        given = Path(source).read_bytes()
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n", write_through=True)
    keyboard, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(given))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = main(arguments) if name == "pprl" else shell(name, arguments)
    finally:
        sys.stdin = keyboard
    if kept:
        Path(kept).write_bytes(out.buffer.getvalue())
        out.buffer.truncate(0)
    return out.buffer.getvalue().decode().splitlines() + ([f"[exit {status}]"] if status else [])


def shell(name: str, arguments: list[str]) -> int:
    match name, arguments:
        case "cat", [path]:
            print(Path(path).read_text(encoding="utf-8"), end="")
        case "head", [count, path]:
            print("\n".join(Path(path).read_text(encoding="utf-8").splitlines()[: int(count.removeprefix("-"))]))
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
    return [
        (command, [line for line in wanted if line], [line for line in run(command) if line])
        for command, wanted, _ in script
    ]


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command, wanted, got in play(path):
        assert same(wanted, got), (
            f"{command}\n--- transcript\n" + "\n".join(wanted) + "\n--- printed\n" + "\n".join(got)
        )


def test_every_command_has_a_transcript():
    from pprl.cli import cli

    shown = {line.split()[2] for path in SESSIONS for line in path.read_text("utf-8").splitlines() if "$ pprl " in line}
    assert set(cli.commands) <= shown


@contextlib.contextmanager
def fresh_folder() -> Iterator[None]:
    """A current folder and a ledger of runs of its own."""
    with tempfile.TemporaryDirectory() as state, tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        os.environ["PPRL_LEDGER"] = str(Path(state) / "runs.json")
        yield


def rewrite(path: Path) -> None:
    with fresh_folder():
        played = play(path)
    head, script, fixtures = steps(path)
    text = head
    for (command, wanted, after), (_, _, got) in zip(script, played, strict=True):
        lines = wanted if same([line for line in wanted if line], got) else got
        text += "\n".join([f"$ {command}", *lines, *after]) + "\n"
    path.write_text(text.rstrip("\n") + "\n" + fixtures, encoding="utf-8")


if __name__ == "__main__":
    for each in SESSIONS:
        rewrite(each)
