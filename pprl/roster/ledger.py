"""How often a list was linked before, and what changed since: a count found on the tenth try is weaker evidence.

The ledger is one file in the user's own state folder. For each run it holds sketches of the rosters, keyed hashes of
schema and columns, the rate asked for, and whether the run was repeatable; no path, no name, no time. The key is in
the same file: anyone with the file and a roster can find out whether that roster was linked here, and nothing more.

A sketch is the smallest keyed hashes of a roster's distinct cells (bottom-k, Broder 1997), so that a list with a
corrected cell, one more row or another file format is still the same list.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd

from pprl.core import container
from pprl.core.errors import FileError
from pprl.core.schema import Schema
from pprl.core.schema_file import to_toml
from pprl.core.state_folder import LEDGER_VARIABLE, ledger_path
from pprl.roster.load import Note, Roster

FORMAT = 1
SKETCH = 128
SAME_LIST = 0.5  # two lists with at least this share of common cells are one
SHORTEST_CELL = 5  # running numbers and initials are in every list
KEPT_RUNS = 10_000
CHANGED = {"schema": "the schema", "columns": "the columns", "rate": "the false-match rate", "controls": "the controls"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the ledger keeps of a run; the names of the fields are those of the file."""

    own: tuple[str, ...]  # sketch of the list
    theirs: tuple[str, ...]  # sketch of the registry
    schema: str
    columns: str
    rate: int  # ten-thousandths
    repeatable: bool
    controls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count:
    """This run is number ``number`` with its list; ``changed`` names what differs from the run before."""

    number: int
    changed: tuple[str, ...]

    def __str__(self) -> str:
        if self.number == 1:
            return "1 with this list"
        what = ", ".join(self.changed) if self.changed else "nothing"
        return f"{self.number} with this list; changed since the last: {what}"


def count_in_ledger(
    listed: Roster,
    registered: Roster,
    controls: Roster | None,
    schema: Schema,
    rate: float,
    *,
    repeatable: bool,
    note: Note,
) -> str:
    """Count a run and describe the count; "" where the ledger is off. A ledger that cannot be used stops nobody."""
    if not (listed.tables and registered.tables):
        note("warning: this run is not counted: the ledger needs files or frames, not people loaded before")
        return ""
    try:
        path = ledger_path()
        if path is None:
            return ""
        count = count_run(
            path,
            listed.tables,
            registered.tables,
            schema,
            [*listed.columns, *registered.columns],
            round(rate * 10_000),
            repeatable=repeatable,
            controls=controls.tables if controls else (),
        )
    except FileError as error:
        note(f"warning: this run is not counted: {error}; {error.hint}")
        return ""
    return str(count)


def count_run(
    path: Path,
    listed: Sequence[pd.DataFrame],
    registered: Sequence[pd.DataFrame],
    schema: Schema,
    columns: Sequence[Mapping[str, str]],
    rate: int,
    *,
    repeatable: bool,
    controls: Sequence[pd.DataFrame] = (),
) -> Count:
    """Enter a run in the ledger, and count the runs with its list.

    FileError: the ledger cannot be read or written.
    """
    key, runs = _read(path)
    mappings = sorted({tuple(sorted(mapping.items())) for mapping in columns})
    run = Run(
        own=sketch(listed, key),
        theirs=sketch(registered, key),
        schema=_hashed(key, "schema", to_toml(schema)),
        columns=_hashed(key, "columns", json.dumps(mappings)),
        rate=rate,
        repeatable=repeatable,
        controls=sketch(controls, key),
    )
    earlier = [other for other in runs if common(run.own, other.own) >= SAME_LIST]
    _write(path, key, [*runs, run][-KEPT_RUNS:])
    return Count(len(earlier) + 1, tuple(_changes(earlier[-1], run)) if earlier else ())


def _changes(last: Run, run: Run) -> Iterable[str]:
    if (kept := common(last.own, run.own)) < 1:
        yield f"the list (about {max(0.01, 1 - kept):.0%} of its cells)"
    if (kept := common(last.theirs, run.theirs)) < 1:
        yield "the registry" if kept < SAME_LIST else f"the registry (about {max(0.01, 1 - kept):.0%} of its cells)"
    for name, what in CHANGED.items():
        if getattr(last, name) != getattr(run, name):
            yield what
    if last.repeatable != run.repeatable:
        yield "the seed (now a number)" if run.repeatable else "the seed (now secret)"


def sketch(frames: Iterable[pd.DataFrame], key: str) -> tuple[str, ...]:
    """The smallest keyed hashes (SipHash) of the distinct cells, ascending."""
    smallest = np.empty(0, dtype=np.uint64)
    for frame in frames:
        for column in range(frame.shape[1]):
            cells = frame.iloc[:, column].unique().astype(str).astype(object)
            long = np.array([text for text in cells if len(text) >= SHORTEST_CELL], dtype=object)
            if len(long):
                hashed = pd.util.hash_array(long, hash_key=key[:16], categorize=False)
                smallest = np.unique(np.concatenate([smallest, hashed]))[:SKETCH]
    return tuple(f"{value:016x}" for value in smallest.tolist())


def common(left: Sequence[str], right: Sequence[str]) -> float:
    """The share of common cells, estimated from two sketches: how many of the smallest hashes of both are in each."""
    smallest = sorted({*left, *right})[:SKETCH]
    return len({*smallest} & {*left} & {*right}) / len(smallest) if smallest else 1.0


def _hashed(key: str, what: str, text: str) -> str:
    return blake2b(f"{what}\0{text}".encode(), key=key.encode(), digest_size=16).hexdigest()


def _read(path: Path) -> tuple[str, list[Run]]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT or len(data["key"]) != 32:
            raise ValueError
        runs = [
            Run(
                own=tuple(run["own"]),
                theirs=tuple(run["theirs"]),
                schema=run["schema"],
                columns=run["columns"],
                rate=run["rate"],
                repeatable=run["repeatable"],
                controls=tuple(run.get("controls", ())),  # earlier runs have none
            )
            for run in data["runs"]
        ]
    except FileNotFoundError:
        return secrets.token_hex(16), []
    except OSError as error:
        raise FileError(f"the ledger of runs cannot be read ({error.strerror})", hint=_HINT) from None
    except (ValueError, KeyError, TypeError):
        raise FileError("the ledger of runs is damaged", hint=_HINT) from None
    return data["key"], runs


_HINT = f"name another file in {LEDGER_VARIABLE}, or pass --no-ledger"


def _write(path: Path, key: str, runs: Sequence[Run]) -> None:
    text = json.dumps({"format": FORMAT, "key": key, "runs": [asdict(run) for run in runs]}, indent=0)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"the ledger of runs cannot be written ({error.strerror})", hint=_HINT) from None
    container.write_new(path, [text.encode()], private=True, force=True)
