"""Outputs that belong together: folders, and files that are all written or not at all."""

from __future__ import annotations

import contextlib
import os.path
from collections.abc import Iterator
from pathlib import Path

from pprl.core.errors import FileError


@contextlib.contextmanager
def all_or_none(*paths: Path) -> Iterator[None]:
    """Files that belong together: if one cannot be written, those that were not there before are removed again."""
    new = [path for path in paths if not os.path.exists(path)]
    try:
        yield
    except BaseException:
        for path in new:
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def make_folder(folder: Path) -> None:
    """A folder that only its owner can open, unless it is there already."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{folder.name}: the folder cannot be made ({error.strerror})", hint="name a folder where you may write"
        ) from None
