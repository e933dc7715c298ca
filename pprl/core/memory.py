"""Secrets in memory stay there: no core dump, and no other program of the user looks in."""

from __future__ import annotations

import contextlib
import ctypes
import sys

PR_SET_DUMPABLE = 4  # prctl(2)


def forbid_dumps() -> None:
    """For the rest of this process, where the system can: on POSIX no core dump, on Linux no debugger of the same user.

    What is not possible is left as it is; swapping and hibernation are not prevented.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
