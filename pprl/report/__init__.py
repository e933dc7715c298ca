"""A page made from report.json and nothing else: what an editor reads, prints and passes on.

`render(report, language)` is a pure function: the same bytes for the same report. The page opens offline under a policy
that forbids everything except its own style and the images inside it. ``record`` checks the file, ``text`` has the
sentences, ``plots`` draws, ``page`` and ``sections`` put the page together.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
from collections.abc import Mapping
from typing import Any

from pprl.report.record import AUDIT, check, load
from pprl.report.text import LANGUAGES, Words

__all__ = ["LANGUAGES", "REPORT_FILES", "exact", "fill", "load", "render"]

REPORT_FILES = ("audit.json", "report.json", "report.html")


def exact(report: Mapping[str, Any]) -> bool:
    """Are these exact figures, which are not for publication?"""
    return bool(report["format"] == AUDIT)


def render(report: Mapping[str, Any], language: str = "en") -> str:
    """The page as HTML. FileError, with a hint: the report is not what docs/report.md describes."""
    checked, words = check(report), Words(language)

    from pprl.report.page import page

    return fill("page.html", page(checked, words), words)


def fill(template: str, page: Any, words: Words) -> str:
    """A template filled with a page, with the style sheet and a policy that allows no other."""
    import jinja2

    style = importlib.resources.files("pprl.report").joinpath("page.css").read_text(encoding="utf-8").strip()
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pprl.report", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filled = environment.get_template(template)
    return filled.render(page=page, say=words, style=_Style(style), policy=policy(style)) + "\n"


def policy(style: str) -> str:
    """What a browser may do with the page: apply this one style and show the images inside it, nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"


class _Style(str):
    """Our own style sheet, which goes into the page unescaped; nothing else does."""

    def __html__(self) -> str:
        return self
