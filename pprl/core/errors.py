"""Errors that the user can act on: one sentence, and what to type next.

There is one class for each thing that the user would do differently. Messages never hold a cell, a key, a token or
the path of a roster: errors end up in logs and screenshots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager


class PprlError(Exception):
    """Shown as one line on stderr with a hint, without a traceback; exit status 1."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SchemaError(PprlError):
    """The schema, or a columns file, cannot be used as it is written."""


class RosterError(PprlError):
    """A table of people cannot be read, or lacks a column that the schema needs."""


@contextmanager
def naming(whose: str) -> Iterator[None]:
    """Name the roster that an error is about, say ``list`` or ``list 2``."""
    try:
        yield
    except RosterError as error:
        raise RosterError(f"{whose}: {error}", hint=error.hint) from None


ROSTER_OPTION = re.compile(r"--(?=(?:column|columns|date-order|sheet|id)\b)")


@contextmanager
def with_options_of(side: str) -> Iterator[None]:
    """Name the options of one of a command's two rosters in a hint: for ``list``, --column is --list-column."""
    try:
        yield
    except PprlError as error:
        raise type(error)(str(error), hint=ROSTER_OPTION.sub(f"--{side}-", error.hint)) from None


@contextmanager
def needing(package: str, extra: str, what: str) -> Iterator[None]:
    """Name the optional package that is missing, and what it is needed for."""
    try:
        yield
    except ImportError:
        raise PprlError(f"{what} needs the package {package}", hint=f"pip install 'pprl[{extra}]'") from None


class FileError(PprlError):
    """One of our own files is missing, cut short, of another kind, or readable by others."""


class MismatchError(PprlError):
    """Two files differ in key, schema, hardening or folding tables, or belong to different exchanges."""


class ForgedError(PprlError):
    """A signature, seal, commitment or spoken check does not hold: somebody changed or replaced a file."""


class OrderError(PprlError):
    """A step of an exchange was done already, or an earlier one is missing."""


class RefusedError(PprlError):
    """Possible but unwise: the user must ask for it explicitly."""
