"""Text that people read uses the field's plain words: the worst of the old ones must not come back."""

import ast
import re
import tokenize

import click
import pytest
from helpers import ROOT

import pprl.cli

#: A pattern, and what to write instead.
OLD_WORDS = {
    r"whoever|whomever": "anyone who, or the role: the linkage unit, an attacker",
    r"in earnest": "for real",
    r"anew": "again",
    r"(?:tell|tells|telling|told) (?:\w+ ){0,3}apart": "distinct, distinguish",
    r"stands? in(?:to)?": "is in, appears in",
    r"likeness(?:es)?": "similarity",
    r"how-manieth": "how many",
    r"made-up|made up": "decoy, or synthetic record",
    r"net found": "estimated true matches",
    r"an? matter|the matter|matters? of": "exchange",
    r"he|him|his|himself": "they",
    r"\d+(?:\.\d+)?[  ]%": "a per cent without a space: 4.9%",
}
OLD = re.compile("|".join(rf"(?<![\w-])(?:{pattern})(?!\w)" for pattern in OLD_WORDS), re.IGNORECASE)


def old_words(text):
    text = " ".join(text.split())
    for fixed in BYTES:
        text = text.replace(fixed, "")
    return [found[0] for found in OLD.finditer(text)]


def of_python(path):
    """Docstrings, comments and string literals of several words."""
    source = path.read_text(encoding="utf-8")
    strings = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    with path.open("rb") as file:
        comments = [token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    return [text for text in strings if isinstance(text, str) and " " in text] + comments


def of_help(name, command):
    """The help of a command and of all below it, by the command's name."""
    context = click.Context(command, info_name=name.rpartition(" ")[2])
    yield f"pprl {name} --help".replace("  ", " "), [command.get_help(context)]
    for word, below in getattr(command, "commands", {}).items():
        yield from of_help(f"{name} {word}".strip(), below)


def texts():
    """What is read, by file or command; the Russian words of reports are another language."""
    paths = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "pprl").rglob("*.toml")]
    for path in paths:
        if path.name != "ru.toml":
            yield path.relative_to(ROOT).as_posix(), [path.read_text(encoding="utf-8")]
    for path in (ROOT / "pprl").rglob("*.py"):
        yield path.relative_to(ROOT).as_posix(), of_python(path)
    yield from of_help("", pprl.cli.cli)


#: Bytes of the format that read like old words: a label of a stream, and a comment of the signed schema.
BYTES = ("made-up handles", "made-up rows for each real one")


TEXTS = dict(texts())


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_old_word_is_used(name):
    assert not [word for text in TEXTS[name] for word in old_words(text)]


def test_an_old_word_is_found_wherever_it_is_planted(tmp_path):
    planted = {
        "whoever holds the key": "whoever",
        "begun\nanew": "anew",
        "what tells them apart": "tells them apart",
        "it stands in both": "stands in",
        "5 % of them": "5 %",
        "4.9\N{NO-BREAK SPACE}% at most": "4.9 %",
        "He signs": "He",
        "a made-up row": "made-up",
    }
    for text, word in planted.items():
        assert old_words(text) == [word]
        path = tmp_path / "module.py"
        line = text.replace("\n", " ")
        for source in (f'"""A docstring.\n\n{text}\n"""', f'raise ValueError(f"{{x}}: {line}")', f"x = 1  # {line}"):
            path.write_text(source, encoding="utf-8")
            assert [found for literal in of_python(path) for found in old_words(literal)] == [word], source


def test_good_words_are_left_alone():
    for text in ("the help", "this", "a renewal", "the standard input", "4.9% or 5%", "it matters", "does not matter"):
        assert not old_words(text)
