"""What the documents name is there: files, folders, tests and names of the library."""

import pkgutil
import re

import pytest
from helpers import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / "benchmarks").glob("*.md"))
}
TESTS = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
#: pprl/1/… and pprl/2/… are labels of hashes, pprl/pprl is the program in the portable folder.
PATH = re.compile(r"(?<![\w/.~])(?:pprl(?!/[12]/|/pprl\b)|tests|benchmarks|packaging|examples)/[\w./-]*\w")


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_exist(page):
    named = set(PATH.findall(PAGES[page]))
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


@pytest.mark.parametrize("page", PAGES)
def test_tests_that_a_page_names_exist(page):
    defined = {name for text in TESTS.values() for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    assert not {*re.findall(r"\b(test_\w+)`", PAGES[page])} - defined
    for path, name in re.findall(r"(tests/[\w/]+\.py)::(\w+)", PAGES[page]):
        assert f"\ndef {name}(" in TESTS[path]


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/api/")])
def test_names_that_a_page_of_the_library_lists_exist(page):
    for name, options in re.findall(r"^::: (\S+)((?:\n +.*)*)", PAGES[page], re.MULTILINE):
        documented = pkgutil.resolve_name(name)
        members = re.search(r"members: \[(.*)\]", options)
        assert not [member for member in (members[1].split(", ") if members else ()) if not hasattr(documented, member)]
