"""How much do two lists of people overlap, beyond chance, without showing a name?

The tour, from the outside in:

- `link(list_frame, registry_frame, schema)` does everything for someone who holds both rosters, and returns an
  `Assessment`; `read_roster` and `load_schema` read what it needs.
- The same in steps: `LinkageKey.make`, `encode_list`, `encode_registry` (at home), `match_encodings` (without
  the key), `judge` (at home again).
- `pprl.schema` is the vocabulary, `pprl.encode` the heart, `pprl.estimate` the verdict,
  `pprl.report` the page made of it.

Names are loaded when they are first used, so that ``pprl --help`` loads neither pandas nor scipy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pprl.bits import Encodings as Encodings
    from pprl.errors import PprlError as PprlError
    from pprl.estimate.assess import Assessment as Assessment
    from pprl.estimate.assess import judge as judge
    from pprl.keys import LinkageKey as LinkageKey
    from pprl.linkage import encode_list as encode_list
    from pprl.linkage import encode_registry as encode_registry
    from pprl.linkage import link as link
    from pprl.linkage import people_of as people_of
    from pprl.match.scores import Scores as Scores
    from pprl.match.scores import match_encodings as match_encodings
    from pprl.rows import HomeRows as HomeRows
    from pprl.schema import Schema as Schema
    from pprl.schema import load_schema as load_schema
    from pprl.schema import parse_schema as parse_schema
    from pprl.tables import read_roster as read_roster

_HOMES = {
    "Assessment": "pprl.estimate.assess",
    "Encodings": "pprl.bits",
    "HomeRows": "pprl.rows",
    "PprlError": "pprl.errors",
    "Schema": "pprl.schema",
    "Scores": "pprl.match.scores",
    "encode_list": "pprl.linkage",
    "encode_registry": "pprl.linkage",
    "judge": "pprl.estimate.assess",
    "link": "pprl.linkage",
    "load_schema": "pprl.schema",
    "LinkageKey": "pprl.keys",
    "match_encodings": "pprl.match.scores",
    "parse_schema": "pprl.schema",
    "people_of": "pprl.linkage",
    "read_roster": "pprl.tables",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pprl' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
