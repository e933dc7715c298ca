"""Which column is which field: proposals from headers.

A proposal is used only when it is unambiguous, and the command says so; what stays open is named with the option that
settles it.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Iterable, Mapping

from pprl.errors import RosterError
from pprl.schema import FULL_NAME, NAME_TYPES, Schema

#: The usual name and role of a proposed field, by type. A rank or a number is worth more as an unlinked witness.
PROPOSED_FIELDS = {
    "surname": ("surname", "link"),
    "given": ("given", "link"),
    "patronymic": ("patronymic", "link"),
    "date": ("birth_date", "link"),
    "year": ("birth_year", "link"),
    "sex": ("sex", "link"),
    "rank": ("rank", "confirm"),
    "identifier": ("number", "confirm"),
    "category": ("category", "stratum"),
}


def header_types(headers: Iterable[str]) -> dict[str, list[str]]:
    """For each type (and ``full_name``) the headers that say so."""
    found: dict[str, list[str]] = {}
    for header in headers:
        if kind := header_type(header):
            found.setdefault(kind, []).append(header)
    return found


def header_type(header: str) -> str | None:
    """The type that a header says: one of the schema's, ``full_name``, or ``row`` for the running number."""
    return _known_headers().get(_plain(header)) if len(header) < 100 else None


def propose_columns(headers: Iterable[str], schema: Schema, given: Mapping[str, str]) -> dict[str, str]:
    """Headers for fields that are not mapped in ``given``: the field's own name, else the one header of its type.

    RosterError: two headers could be one linked field.
    """
    headers = [str(header) for header in headers]
    types = header_types(header for header in headers if header not in given.values())
    only = {kind: hits[0] for kind, hits in types.items() if len(hits) == 1}
    proposed: dict[str, str] = {}
    for field in schema.fields:
        alone = sum(other.type == field.type for other in schema.fields) == 1
        if field.name in given or (FULL_NAME in given and field.type in NAME_TYPES):
            continue
        if headers.count(field.name) == 1:
            proposed[field.name] = field.name
        elif alone and field.type in only:
            proposed[field.name] = only[field.type]
        elif field.role == "link" and alone and len(hits := types.get(field.type, [])) > 1:
            raise RosterError(
                f"{len(hits)} columns could be {field.name}: {', '.join(map(repr, hits[:5]))}",
                hint=f"say which with --column {field.name}=HEADER (link: --list-column, --registry-column)",
            )
    names = [field for field in schema.fields if field.type in NAME_TYPES and field.role == "link"]
    mapped = {field.type for field in names if field.name in proposed or field.name in given}
    if names and FULL_NAME in only and FULL_NAME not in given:
        given_names = [field.name for field in names if field.type == "given"]
        if not mapped:
            proposed[FULL_NAME] = only[FULL_NAME]
        elif "surname" in mapped and "given" not in mapped and len(given_names) == 1:
            proposed[given_names[0]] = only[FULL_NAME]  # `name` beside `surname`
    return proposed


def propose_fields(rosters: Iterable[Iterable[str]]) -> dict[str, tuple[str, str]]:
    """Fields that every roster has a column for: name -> (type, role), in a fixed order."""
    shared: set[str] = set(PROPOSED_FIELDS)
    for headers in rosters:
        types = {kind for kind, hits in header_types(headers).items() if len(hits) == 1}
        shared &= types | (set(NAME_TYPES) if FULL_NAME in types else set())
    if "date" in shared:
        shared.discard("year")
    return {PROPOSED_FIELDS[kind][0]: (kind, PROPOSED_FIELDS[kind][1]) for kind in PROPOSED_FIELDS if kind in shared}


@functools.cache
def _known_headers() -> dict[str, str]:
    text = importlib.resources.files("pprl.normalize").joinpath("data/headers.tsv").read_text(encoding="utf-8")
    known: dict[str, str] = {}
    for line in text.splitlines()[2:]:
        kind, _, words = line.partition("\t")
        known.update({_plain(word): kind for word in words.split(";")})
    return known


def _plain(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.replace("№", "n")).lower().replace("ё", "е")
