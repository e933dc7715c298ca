"""Matched pairs as FollowTheMoney entities, which Aleph can load with the owner's own data: a `Similar` for each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import pandas as pd


def entities_of(pairs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """`Similar` edges from candidate (list) to match (registry); ``confidenceScore`` is 1 − q-value.

    An id is assumed to belong to an existing entity, as in rosters of FollowTheMoney; for a row without one a `Person`
    is made whose only name is its side and row. Equal pairs get equal ids.
    """
    for pair in pairs.to_dict("records"):
        list_name = f" {pair['list']}" if pair.get("list") else ""
        rows = {
            "list": f"list{list_name}, row {pair['list_row']}",
            "registry": "registry" if pd.isna(pair["registry_row"]) else f"registry, row {pair['registry_row']}",
        }
        ids = {}
        for side, row in rows.items():
            ids[side] = pair[f"{side}_id"] or _id(side, row)
            if not pair[f"{side}_id"]:
                yield _entity(ids[side], "Person", {"name": row})
        yield _entity(
            _id(*ids.values()),
            "Similar",
            {
                "candidate": ids["list"],
                "match": ids["registry"],
                "confidenceScore": f"{1 - pair['q_value']:.6f}",
                "criteria": f"similarity {pair['score']:.6f}, q-value {pair['q_value']:.6f}; {rows['list']}; "
                f"{rows['registry']}",
                "matcher": f"pprl {version('pprl')}",
            },
        )


def json_lines(pairs: pd.DataFrame) -> bytes:
    """The entities of `entities_of`, one per line."""
    return b"".join(json.dumps(entity, ensure_ascii=False).encode() + b"\n" for entity in entities_of(pairs))


def _entity(name: str, schema: str, properties: Mapping[str, str]) -> dict[str, Any]:
    return {"id": name, "schema": schema, "properties": {key: [value] for key, value in properties.items()}}


def _id(*parts: str) -> str:
    return "pprl-" + hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:40]
