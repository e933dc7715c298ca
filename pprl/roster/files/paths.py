"""Checks of roster files that need no reading, and so come before pandas is imported."""

from __future__ import annotations

import contextlib
import itertools
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pprl.core.container import STANDARD
from pprl.core.errors import RosterError, naming


def part_names(whose: str, count: int) -> list[str]:
    """What messages call the parts of a roster: ``list``, or ``list 1``, ``list 2`` and so on."""
    return [whose] if count == 1 else [f"{whose} {number}" for number in range(1, count + 1)]


def look_at(rosters: Mapping[str, Sequence[object]]) -> None:
    """Check the files of rosters, which messages call by the keys; what is not a path is not checked.

    RosterError: a file is missing, a folder, or closed to this user, or two of them are one file. A pipe is not
    opened, since it can be read once only.
    """
    for whose, sources in rosters.items():
        for source, name in zip(sources, part_names(whose, len(sources)), strict=True):
            if isinstance(source, Path | str) and Path(source) != STANDARD:
                with naming(name), reading():
                    _open_once(Path(source))
    named = [(whose, source) for whose, sources in rosters.items() for source in sources]
    paths = [(whose, Path(source)) for whose, source in named if isinstance(source, Path | str)]
    for (left, path), (right, other) in itertools.combinations(paths, 2):
        with contextlib.suppress(OSError):
            if path.samefile(other):
                which = f"two parts of the {left}" if left == right else f"{left} and {right}"
                raise RosterError(f"{which} are the same file", hint="name different rosters")


def _open_once(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if stat.S_ISREG(mode):
        path.open("rb").close()


@contextmanager
def reading() -> Iterator[None]:
    """Turn the system's errors about a roster into a RosterError that does not name its path."""
    try:
        yield
    except IsADirectoryError:
        raise RosterError("the roster is a directory", hint="name one file: CSV, XLSX or Parquet") from None
    except OSError as error:
        raise RosterError(f"the roster cannot be read: {error.strerror}", hint="name a CSV or XLSX file") from None
