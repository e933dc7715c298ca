"""What a file of ours is, in facts that name nobody."""

from __future__ import annotations

from pathlib import Path

from pprl import files
from pprl.bits import Encodings, Stamp
from pprl.errors import FileError
from pprl.keys import LinkageKey
from pprl.match.scores import Scores
from pprl.rows import CONTROL, DECOY, RELATIVE, HomeRows


def describe(path: Path) -> dict[str, str | int]:
    """FileError: not one of our files, or a damaged one."""
    if path.is_dir():
        raise FileError("this is a directory", hint="name a file that pprl wrote")
    match files.kind_of(path):
        case b"pprl-key":
            return {
                "kind": "linkage key",
                "secret": "no: made from --seed" if LinkageKey.read(path).repeatable else "yes",
            }
        case b"pprl-enc":
            encodings = Encodings.read(path)
            return {
                "kind": f"encodings of a {encodings.side}",
                "rows": len(encodings),
                **_stamp(encodings.stamp),
            }
        case b"pprl-sco":
            scores = Scores.read(path)
            counts = {"list_rows": len(scores), "registry_rows": scores.registry_encoded}
            return {"kind": "scores", **counts, "kernel": scores.kernel, **_stamp(scores.stamp)}
        case b"pprl-row":
            rows = HomeRows.read(path)
            kinds = {"decoys": DECOY, "relatives": RELATIVE, "controls": CONTROL}
            counts = {"people": rows.people} | {name: len(rows.of_kind(kind)) for name, kind in kinds.items()}
            return {"kind": f"private rows of a {rows.side}", **counts, **_stamp(rows.stamp)}
        case _:
            raise FileError("this is not a file of pprl", hint="name a key, encodings, scores or private rows")


def _stamp(stamp: Stamp) -> dict[str, str | int]:
    return {
        "length": stamp.length,
        "hardening": stamp.hardening,
        "schema_fingerprint": stamp.fingerprint.hex(),
        "folding_tables": stamp.folding.hex(),
        "key_check": stamp.key_check.hex(),
    }
