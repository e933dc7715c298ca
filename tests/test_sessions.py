"""Every file in sessions/ is a terminal transcript that must replay exactly.

A transcript has comments (``#``), commands (``$ …``), what they print (stdout and stderr as they come) and ``[exit
N]`` for a status other than 0. Fixtures stand behind it under ``-- name --``. ``…`` at the end of a line stands for
the rest of it.
"""

import contextlib
import io
import re
import shlex
import shutil
from pathlib import Path

import pytest

from pprl.cli import main

HERE = Path(__file__).parent
SESSIONS = sorted((HERE / "sessions").glob("*.txt"))
EXAMPLES = HERE.parent / "examples"


def run(command: str) -> list[str]:
    out = io.StringIO()
    name, *arguments = shlex.split(command)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        if name == "pprl":
            status = main(arguments)
        elif name == "cat":
            print(Path(arguments[0]).read_text(encoding="utf-8"), end="")
            status = 0
        elif name == "ls":
            print("\n".join(sorted(path.name for path in Path(arguments[0] if arguments else ".").iterdir())))
            status = 0
        elif name == "chmod":
            Path(arguments[1]).chmod(int(arguments[0], 8))
            status = 0
        else:
            raise ValueError(f"no such command in transcripts: {name}")
    return out.getvalue().splitlines() + ([f"[exit {status}]"] if status else [])


def same(wanted: str, got: str) -> bool:
    return got.startswith(wanted[:-1]) if wanted.endswith("…") else wanted == got


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for example in EXAMPLES.glob("two_files/*"):
        shutil.copy(example, tmp_path)
    script, *fixtures = re.split(r"^-- (.+) --\n", path.read_text(encoding="utf-8"), flags=re.M)
    for name, text in zip(fixtures[::2], fixtures[1::2], strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for step in re.split(r"^(?=\$ )", script, flags=re.M)[1:]:
        command, *rest = step.splitlines()
        wanted = [line for line in rest if line and not line.startswith("#")]
        got = [line for line in run(command[2:]) if line]
        agree = len(wanted) == len(got) and all(map(same, wanted, got))
        assert agree, f"{command}\n--- transcript\n" + "\n".join(wanted) + "\n--- printed\n" + "\n".join(got)
