"""How many people on one list also appear in another, beyond chance, without showing a name?

The tour, from the outside in:

- `link("leaked.xlsx", "registry.csv", "schema.toml")` does everything for somebody who has both rosters, and returns
  an `Assessment`. Before that, `check("leaked.xlsx", "schema.toml")` shows what a roster can do, and `assess_risk`
  attacks the encodings that would leave the machine.
- The same in steps: `load` reads a roster into `People`; `encode_list` and `encode_registry` give each owner
  `Encodings`, which cross, and `PrivateRows`, which stay home; `match_encodings` compares encodings without the key
  and gives `Scores`; `judge` opens the list owner's rows and gives the `Assessment`.
- A roster can be a path, a frame of text, or one that was loaded before; a schema can be a path or a `Schema`. What
  only its owner knows is said with `columns=`, `date_order=` and `any_age=`; `link` has them for each side.
- `pprl.core.schema` is the vocabulary, `pprl.encode.encoder` the heart, `pprl.judge` the verdict, and `pprl.report` the
  page made from it. `pprl.exchange` has the exchange, a class for each party.

Names are imported when they are first used, so that ``pprl --help`` needs neither pandas nor scipy.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pprl.core.encodings import Encodings as Encodings
    from pprl.core.errors import PprlError as PprlError
    from pprl.core.key import LinkageKey as LinkageKey
    from pprl.core.private_rows import PrivateRows as PrivateRows
    from pprl.core.randomness import Randomness as Randomness
    from pprl.core.schema import Schema as Schema
    from pprl.core.schema_file import load_schema as load_schema
    from pprl.core.schema_file import parse_schema as parse_schema
    from pprl.core.scores import Scores as Scores
    from pprl.encode.list import encode_list as encode_list
    from pprl.encode.registry import encode_registry as encode_registry
    from pprl.judge.assessment import Assessment as Assessment
    from pprl.judge.files import judge as judge
    from pprl.link import link as link
    from pprl.match.encodings import match_encodings as match_encodings
    from pprl.preflight.check import check as check
    from pprl.preflight.risk import assess_indicators as assess_indicators
    from pprl.preflight.risk import assess_risk as assess_risk
    from pprl.report import render as render
    from pprl.roster.columns_file import Columns as Columns
    from pprl.roster.files.read import read_roster as read_roster
    from pprl.roster.load import load as load
    from pprl.roster.people import People as People

_HOMES = {
    "Assessment": "pprl.judge.assessment",
    "Encodings": "pprl.core.encodings",
    "PrivateRows": "pprl.core.private_rows",
    "PprlError": "pprl.core.errors",
    "Schema": "pprl.core.schema",
    "Scores": "pprl.core.scores",
    "encode_list": "pprl.encode.list",
    "encode_registry": "pprl.encode.registry",
    "judge": "pprl.judge.files",
    "link": "pprl.link",
    "load_schema": "pprl.core.schema_file",
    "LinkageKey": "pprl.core.key",
    "match_encodings": "pprl.match.encodings",
    "parse_schema": "pprl.core.schema_file",
    "render": "pprl.report",
    "load": "pprl.roster.load",
    "People": "pprl.roster.people",
    "Columns": "pprl.roster.columns_file",
    "assess_indicators": "pprl.preflight.risk",
    "assess_risk": "pprl.preflight.risk",
    "check": "pprl.preflight.check",
    "Randomness": "pprl.core.randomness",
    "read_roster": "pprl.roster.files.read",
}
__all__ = list(_HOMES)


class _Tour(ModuleType):
    """`pprl.link` and `pprl.judge` are functions of the tour, whether or not modules of these names are loaded."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Tour


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pprl' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
