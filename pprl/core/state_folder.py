"""The user's own state folder, where records of what was linked and sent from this machine are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pprl.core.errors import FileError

LEDGER_VARIABLE = "PPRL_LEDGER"
OFF = "off"


def ledger_path() -> Path | None:
    """The ledger's file: ``PPRL_LEDGER``, else in the user's state folder; None when it is switched off.

    FileError: nothing is said and there is no home.
    """
    if said := os.environ.get(LEDGER_VARIABLE):
        return None if said == OFF else Path(said)
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
