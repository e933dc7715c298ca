"""What can go wrong that the user can act on: one sentence, and what to type next.

There is one kind for each thing the user would do differently. Messages never hold a cell, a key, a token or the
path of a roster: an error ends in logs and screenshots.
"""

from __future__ import annotations

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
    """Say in a refusal which roster it is about: the list, the registry, the second of three."""
    try:
        yield
    except RosterError as error:
        raise RosterError(f"{whose}: {error}", hint=error.hint) from None


@contextmanager
def needing(package: str, extra: str, what: str) -> Iterator[None]:
    """Say, where a package is imported that not everybody has, which one is needed for what."""
    try:
        yield
    except ImportError:
        raise PprlError(f"{what} needs the package {package}", hint=f"pip install 'pprl[{extra}]'") from None


class FileError(PprlError):
    """One of our own files is missing, cut short, of another kind, or readable by others."""


class MismatchError(PprlError):
    """Two files were made with different keys, schemas, hardening or folding tables, or belong to different matters."""


class ForgedError(PprlError):
    """A signature, a seal, a commitment or words that were heard do not hold: somebody changed or replaced the file."""


class OrderError(PprlError):
    """A step of an exchange was done already, or one before it is missing."""


class RefusedError(PprlError):
    """Possible, but unwise: it needs an explicit word from the user."""
