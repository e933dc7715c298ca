"""Every file in sessions/ is a terminal transcript that must replay exactly.

A transcript has comments (``#``), commands (``$ …``), what they print (stdout and stderr as they come) and ``[exit
N]`` for a status other than 0. Fixtures stand behind it under ``-- name --``. ``…`` at the end of a line stands for
the rest of it. The files of ``examples/two_files`` lie in the folder where a transcript is played.

``python tests/rewrite.py sessions`` plays all of them and writes down what the commands print now, where it differs:
read the difference before you commit it.
"""

import pytest
from helpers.sessions import SESSIONS, play, same


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
