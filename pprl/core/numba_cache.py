"""Loops compiled by numba; the compiled code is kept in pprl's folder in the user's cache.

Nothing is compiled at import. The first use compiles, or reads what an earlier run compiled.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")
Body = Callable[..., Any]
Jit = Callable[[Any, Body], Body]  # a signature and a body to a compiled function

NO_NUMBA = "numba cannot be imported, so the much slower NumPy kernel runs the search"
NO_CACHE = "no cache folder is writable, so every run compiles the search kernel again; NUMBA_CACHE_DIR can name one"


def compiled(inlined: Mapping[Body, Mapping[str, Any]], make: Callable[[Jit], T]) -> tuple[T | None, str | None]:
    """What ``make`` builds with a compiler (None if numba cannot be imported), and a note for the user, if any.

    ``inlined`` are the functions that compiled bodies call, with options of numba's `register_jitable`.
    """
    try:
        import numba
        from numba.core import config as settings
        from numba.extending import register_jitable
    except ImportError:
        return None, NO_NUMBA
    _allow_wide_vectors()
    for helper, options in inlined.items():
        (register_jitable(**options) if options else register_jitable)(helper)

    def jit(signature: Any, body: Body, *, cache: bool) -> Body:
        dispatcher: Any = numba.njit(signature, nogil=True, cache=cache, error_model="numpy")(body)
        return cast(Body, dispatcher)

    config: Any = settings
    folder = Path(config.CACHE_DIR) if config.CACHE_DIR else cache_folder()
    if folder is not None and writable(folder):
        # A function remembers its folder when it is made, so the setting can be restored for others.
        before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
        try:
            return make(lambda signature, body: jit(signature, body, cache=True)), None
        except (OSError, RuntimeError):
            pass
        finally:
            config.CACHE_DIR = before
    return make(lambda signature, body: jit(signature, body, cache=False)), NO_CACHE


def wide_vectors() -> None:
    """Called in a compiled body: its loops may use vectors of 512 bits.

    LLVM stops at 256 bits on processors that have both, which costs a third where a loop is all arithmetic.
    """


@cache
def _allow_wide_vectors() -> None:
    from numba import types
    from numba.extending import intrinsic, overload

    def typed(_context: Any) -> Any:
        def mark(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            attributes = builder.function.attributes
            if isinstance(attributes, set):  # its own `add` refuses attributes with a value
                set.add(attributes, '"prefer-vector-width"="512"')
            return context.get_dummy_value()

        return types.void(), mark

    marked = intrinsic(typed)
    overload(wide_vectors, inline="always")(lambda: lambda: marked())


def fixed(kind: Any, dimensions: int) -> Any:
    """The type of a contiguous, read-only array."""
    from numba import types

    return types.Array(kind, dimensions, "C", readonly=True)


def cache_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path | None:
    """pprl's folder where this system keeps a user's caches; None if there is no home folder."""
    try:
        home = Path(environ.get("HOME") or Path.home())
    except RuntimeError:
        return None
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "pprl" / "Cache"
    if platform == "darwin":
        return home / "Library" / "Caches" / "pprl"
    named = environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if named.startswith("/") else home / ".cache") / "pprl"


def writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
