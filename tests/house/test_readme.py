"""What README and docs/steps.md show is what happens: their commands and Python are run and compared.

``python tests/rewrite.py readme`` writes what they print now into both.
"""

import contextlib
import io
import re
from pathlib import Path

import pytest
from helpers import ROOT, sessions

PAGES = ("README.md", "docs/steps.md")
CONSOLE = re.compile(r"^```console\n(.*?)^```$", flags=re.M | re.S)
PYTHON = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)
MOST_WORDS = 800  # of README, without what commands print


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def played(page: str) -> list[tuple[str, list[str], list[str]]]:
    """Each command of a page, what it says it prints, and what it prints, in the current folder."""
    script = "".join(CONSOLE.findall(text_of(page))).replace("$ python example.py\n", "$ cat printed\n")
    Path("script.txt").write_text(script, "utf-8")
    sessions.copy_examples()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for example in PYTHON.findall(text_of(page)):
            exec(compile(example, page, "exec"), {})
    Path("printed").write_text(out.getvalue(), "utf-8")
    return sessions.play(Path("script.txt"))


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_and_the_python_of_a_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command, wanted, got in played(page):
        assert sessions.same(wanted, got), command


def test_readme_has_exactly_two_set_up_commands():
    indented = re.findall(r"^    (\S.*)$", text_of("README.md"), flags=re.M)
    assert indented == ["pip install . && pprl demo", "pip install '.[test]' && pytest"]


def test_readme_is_short():
    prose = CONSOLE.sub("", text_of("README.md"))
    assert len(prose.split()) <= MOST_WORDS


def rewrite() -> None:
    for page in PAGES:
        with sessions.fresh_folder():
            results = iter(played(page))

        def block(found: re.Match[str], results=results) -> str:
            lines = []
            for line in found.group(1).splitlines():
                if line.startswith("$ "):
                    lines += [line, *next(results)[2]]
            return "\n".join(["```console", *lines, "```"])

        (ROOT / page).write_text(CONSOLE.sub(block, text_of(page)), encoding="utf-8")
