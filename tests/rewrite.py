"""Write down what commands print now, where transcripts, README, guides or the notebook show something else, and the
table of keys in docs/report.md.

    python tests/rewrite.py [sessions] [readme] [guides] [notebook] [report]

Without words all of them are written. Read the difference before you commit it.
"""

import sys
from importlib import import_module

from helpers.sessions import SESSIONS
from helpers.sessions import rewrite as rewrite_session


def main(wanted: list[str]) -> None:
    if not wanted or "sessions" in wanted:
        for path in SESSIONS:
            rewrite_session(path)
    for name in ("readme", "guides", "notebook", "report"):
        if not wanted or name in wanted:
            import_module(f"house.test_{name}").rewrite()


if __name__ == "__main__":
    main(sys.argv[1:])
