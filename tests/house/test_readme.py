"""What README shows is what happens: its commands and its Python are run and compared with what it prints.

``python tests/rewrite.py readme`` writes what they print now into README.
"""

import contextlib
import io
import re
from pathlib import Path

from helpers import ROOT, sessions

README = ROOT / "README.md"
CONSOLE = re.compile(r"^```console\n(.*?)^```$", flags=re.M | re.S)
PYTHON = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)


def played() -> list[tuple[str, list[str], list[str]]]:
    """Each command of README, what it says it prints, and what it prints, in the current folder."""
    text = README.read_text(encoding="utf-8")
    script = "".join(CONSOLE.findall(text)).replace("$ python example.py\n", "$ cat printed\n")
    Path("script.txt").write_text(script, "utf-8")
    (example,) = PYTHON.findall(text)
    sessions.copy_examples()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(example, "README.md", "exec"), {})
    Path("printed").write_text(out.getvalue(), "utf-8")
    return sessions.play(Path("script.txt"))


def test_the_commands_and_the_python_of_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command, wanted, got in played():
        assert sessions.same(wanted, got), command


def test_readme_has_exactly_two_set_up_commands():
    indented = re.findall(r"^    (\S.*)$", README.read_text(encoding="utf-8"), flags=re.M)
    assert indented == ["pip install . && pprl demo", "pip install '.[test]' && pytest"]


def rewrite() -> None:
    with sessions.fresh_folder():
        results = iter(played())

    def block(found: re.Match[str]) -> str:
        lines = []
        for line in found.group(1).splitlines():
            if line.startswith("$ "):
                lines += [line, *next(results)[2]]
        return "\n".join(["```console", *lines, "```"])

    README.write_text(CONSOLE.sub(block, README.read_text(encoding="utf-8")), encoding="utf-8")
