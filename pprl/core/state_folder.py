"""The user's state folder, which keeps records of what was linked on this machine and sent from it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pprl.core.errors import FileError

LEDGER_VARIABLE = "PPRL_LEDGER"
OFF = "off"


def ledger_path() -> Path | None:
    """The ledger's file: ``PPRL_LEDGER``, else one in the user's state folder; None where it is switched off.

    FileError: the variable is not set, and there is no home folder.
    """
    if value := os.environ.get(LEDGER_VARIABLE):
        return None if value == OFF else Path(value)
    try:
        home = Path.home()
    except RuntimeError:
        raise FileError(
            "there is no home folder for the ledger of runs",
            hint=f"name another file in {LEDGER_VARIABLE}, or pass --no-ledger",
        ) from None
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = home / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return folder / "pprl" / "runs.json"
