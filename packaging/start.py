"""The program in the portable folder: pprl, or its reader of old workbooks, which pprl runs as a separate process.

The folder has no `python`, and `sys.executable` is this program. So for that one file it does what Python would do.
"""

import runpy
import sys
from pathlib import Path

READER = Path(__file__).parent / "pprl" / "roster" / "workbook.py"

if sys.argv[1:] == ["-P", str(READER)]:
    runpy.run_path(str(READER), run_name="__main__")
else:
    from pprl.cli import entry

    entry()
