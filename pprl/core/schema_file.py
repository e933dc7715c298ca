"""Schemas as TOML files: every mistake is reported with its line, and every integer is written out."""

from __future__ import annotations

import datetime
import difflib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pprl.core.container import STANDARD, data_of
from pprl.core.errors import SchemaError
from pprl.core.hardening import DEFAULT_SET, SET_NAMES, SetName
from pprl.core.schema import (
    EXPECTED_TOKENS,
    FORMAT,
    FULL_NAME,
    PUBLIC,
    ROLES,
    SMALL_CELLS,
    Field,
    Schema,
    ten_thousandths,
)

POLICY = ("false_match_rate", "decoys", "disclosure", "small_cells", "registry_as_of", "registry_public_before_list")
Word = TypeVar("Word", bound=str)
FORMER_NUMBERS = ("length", "fill", "k")  # keys of the first edition
WEIGHTS = (0.5, 2.0)  # of a field
MAX_BYTES = 1 << 20  # of a schema or columns file: parsing may take quadratic time


def load_schema(schema: Schema | Path | str) -> Schema:
    """Read a schema file (``-``: standard input); all mistakes are reported at once, each with its line.

    A `Schema` is returned unchanged, so that every function that takes a schema also takes a path.
    """
    if isinstance(schema, Schema):
        return schema
    path = Path(schema)
    name = "the schema" if path == STANDARD else path.name
    return parse_schema(read_text(path, name, "`pprl schema ROSTER… -o schema.toml` proposes one"), name)


def read_text(path: Path, source: str, hint: str) -> str:
    """The text of one of our TOML files, which messages call ``source``. SchemaError: it cannot be read."""
    try:
        data = data_of(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise SchemaError(f"{source}: is larger than a mebibyte", hint=hint)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise SchemaError(f"{source}: cannot be read ({error.strerror})", hint=hint) from None
    except UnicodeDecodeError:
        raise SchemaError(f"{source}: not UTF-8 text", hint=hint) from None


def parse_schema(text: str, source: str = "schema.toml") -> Schema:
    """The schema in a TOML text, which messages call ``source``.

    SchemaError: one line for each mistake, ``source:line: key: what is wrong``.
    """
    return _Reader(read_toml(text, source), _Lines(text), source).schema()


def read_toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = f"{where.group(1)}" if where else str(text.count("\n") + 1)
        what = re.split(r"['\"(]", re.sub(r"\s*\(at .*\)$", "", str(error)))[0].strip()  # no word of the file itself
        raise SchemaError(f"{source}:{line}: not TOML: {what[0].lower() + what[1:]}") from None
    except (ValueError, RecursionError):  # an integer of thousands of digits; thousands of brackets
        raise SchemaError(f"{source}:1: not TOML: a number is too long, or brackets are nested too deeply") from None


class _Lines:
    """The line of each dotted key in a TOML text; good enough for messages."""

    def __init__(self, text: str) -> None:
        self._line: dict[str, int] = {}
        table = ""
        for number, line in enumerate(text.split("\n"), start=1):
            if header := re.match(r"\s*\[\[?([^\[\]]+)\]", line):
                table = self._plain(header.group(1))
                self._enter(table, number)
            elif key := self._KEY.match(line):
                self._enter(".".join(filter(None, [table, self._plain(key.group(1))])), number)

    _PART = r"""(?:[\w\-]+|"[^"]*"|'[^']*')"""
    _KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")

    def _enter(self, key: str, number: int) -> None:
        parts = key.split(".", 3)  # no key of a schema is deeper
        for depth in range(1, len(parts) + 1):
            self._line.setdefault(".".join(parts[:depth]), number)

    @staticmethod
    def _plain(key: str) -> str:
        return re.sub(r"[\"'\s]", "", key)

    def __getitem__(self, key: str) -> int:
        key = self._plain(key)
        while key and key not in self._line:
            key = key.rpartition(".")[0]
        return self._line.get(key, 1)


@dataclass
class _Reader:
    data: dict[str, Any]
    lines: _Lines
    source: str

    def __post_init__(self) -> None:
        self.mistakes: list[tuple[int, str]] = []

    def wrong(self, key: str, what: str) -> None:
        self.mistakes.append((self.lines[key], f"{self.source}:{self.lines[key]}: {key}: {what}"))

    def schema(self) -> Schema:
        self.known(self.data, "", ("format", "name", "encoding", "policy", "fields"))
        if self.data.get("format") != FORMAT or type(self.data["format"]) is not int:
            self.wrong("format", f"this version reads schemas with `format = {FORMAT}`")
        name = self.text(self.data, "name", "schema")
        hardening = self.hardening()
        policy = self.table("policy", POLICY)
        rate = self.rate(policy, "policy.false_match_rate", 0.05, 0.5)
        decoys = self.integer(policy, "policy.decoys", 20, 1, 100)
        disclosure = self.integer(policy, "policy.disclosure", 5, 1, 100)
        small_cells = self.word(policy, "policy.small_cells", "round", SMALL_CELLS)
        as_of = self.day(policy, "policy.registry_as_of")
        public = self.word(policy, "policy.registry_public_before_list", "unknown", PUBLIC)
        fields = self.fields()
        if self.mistakes:
            raise SchemaError("\n".join(text for _, text in sorted(self.mistakes)))
        return Schema(
            name=name,
            hardening=hardening,
            false_match_rate=rate,
            decoys=decoys,
            disclosure=disclosure,
            fields=fields,
            registry_as_of=as_of,
            registry_public_before_list=public,
            small_cells=small_cells,
        )

    def hardening(self) -> SetName:
        """The parameter set. Numbers of the first edition are refused with what to write instead."""
        table = self.table("encoding", ("hardening",))
        value = table.get("hardening", DEFAULT_SET)
        if isinstance(value, int):
            name = "standard" if value else "plain"
            self.wrong("encoding.hardening", f'is the name of a set now; write `hardening = "{name}"`')
            return DEFAULT_SET
        return self.word(table, "encoding.hardening", DEFAULT_SET, SET_NAMES)

    def fields(self) -> tuple[Field, ...]:
        tables = self.data.get("fields", {})
        if not isinstance(tables, dict) or not tables:
            self.wrong("fields", "there are no fields; write a table such as `[fields.surname]` for each")
            return ()
        read: list[Field] = []
        for name, table in tables.items():
            key = f"fields.{_shown(name)}"
            if name == FULL_NAME:
                self.wrong(key, "reserved for a column that holds a whole name")
                continue
            if not re.fullmatch(r"\w+", name):
                self.wrong(key, "a field's name may contain letters, digits and _")
            if not isinstance(table, dict):
                self.wrong(key, "a field must be a table with a `type`")
                continue
            self.known(table, key, ("type", "role", "weight"))
            if "type" not in table:
                self.wrong(key, f"the type is missing; it is one of {', '.join(EXPECTED_TOKENS)}")
            kind = self.word(table, f"{key}.type", "text", tuple(EXPECTED_TOKENS))
            role = self.word(table, f"{key}.role", "link", ROLES)
            weight = self.number(table, f"{key}.weight", 1.0, *WEIGHTS)
            if role == "joined" and kind != "date":
                self.wrong(f"{key}.role", "only a field of type date can have the role joined")
            read.append(Field(name, kind, role, round(100 * weight) if role == "link" else 0))
        if sum(field.role == "joined" for field in read) > 1:
            self.wrong("fields", 'only one field can have the role "joined"')
        if read and not any(field.role == "link" for field in read):
            self.wrong("fields", 'no field is linked; leave out `role` or write `role = "link"`')
        return tuple(read)

    def known(self, table: dict[str, Any], prefix: str, keys: tuple[str, ...]) -> None:
        for key in table.keys() - set(keys):
            full = f"{prefix}.{_shown(key)}" if prefix else _shown(key)
            if key in FORMER_NUMBERS:
                self.wrong(full, "the parameter set decides it now; leave this line out")
                continue
            close = difflib.get_close_matches(key, keys, 1)
            self.wrong(
                full,
                f"unknown key; did you mean '{close[0]}'?"
                if close
                else f"unknown key; the known ones are {', '.join(keys)}",
            )

    def table(self, name: str, keys: tuple[str, ...]) -> dict[str, Any]:
        table = self.data.get(name, {})
        if not isinstance(table, dict):
            self.wrong(name, f"must be a table: `[{name}]`")
            return {}
        self.known(table, name, keys)
        return table

    def text(self, table: dict[str, Any], key: str, default: str) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            self.wrong(key, "must be a text in quotes")
            return default
        return value

    def word(self, table: dict[str, Any], key: str, default: Word, words: tuple[Word, ...]) -> Word:
        value = table.get(key.rpartition(".")[2], default)
        for word in words:
            if value == word:
                return word
        close = difflib.get_close_matches(value, words, 1) if isinstance(value, str) else []
        self.wrong(
            key, f"unknown; did you mean '{close[0]}'?" if close else f"unknown; must be one of {', '.join(words)}"
        )
        return default

    def integer(self, table: dict[str, Any], key: str, default: int, low: int, high: int) -> int:
        value = table.get(key.rpartition(".")[2], default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(key, f"must be a whole number from {low} to {high}")
            return default
        return value

    def number(self, table: dict[str, Any], key: str, default: float, low: float, high: float) -> float:
        value = table.get(key.rpartition(".")[2], default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.wrong(key, f"must be a number from {low:g} to {high:g}")
            return default
        return float(value)

    def day(self, table: dict[str, Any], key: str) -> datetime.date | None:
        value = table.get(key.rpartition(".")[2])
        try:
            return datetime.date.fromisoformat(str(value)) if value is not None else None
        except ValueError:
            self.wrong(key, "must be a day such as 2022-06-01")
            return None

    def rate(self, table: dict[str, Any], key: str, default: float, below: float) -> int:
        value = table.get(key.rpartition(".")[2], default)
        try:
            return ten_thousandths(value, below)
        except ValueError as error:
            self.wrong(key, f"must be {error}")
            return ten_thousandths(default, below)


def _shown(key: str) -> str:
    """A key for messages: quoted and without control characters, unless it is a plain word."""
    return key if re.fullmatch(r"[\w\-]+", key) else json.dumps(key)


def to_toml(schema: Schema) -> str:
    """The schema as the text of a file, with everything written out that both owners must have alike.

    Proposals sign this text, so its comments are part of the format too.
    """
    lines = [
        f"format = {FORMAT}",
        f"name = {quoted(schema.name)}",
        "",
        "[encoding]            # this, the linked fields and the tables of this version decide the bits",
        f'hardening = "{schema.hardening}"',
        "",
        "[policy]              # how the result is judged",
        f"false_match_rate = {schema.false_match_rate / 10_000:.4g}",
        f"decoys = {schema.decoys}           # made-up rows for each real one",
        f"disclosure = {schema.disclosure}",
    ]
    if schema.small_cells != "round":
        lines.append(f"small_cells = {quoted(schema.small_cells)}")
    if schema.registry_as_of:
        lines.append(f"registry_as_of = {schema.registry_as_of}   # the day the registry shows; ages are counted then")
    if schema.registry_public_before_list != "unknown":
        lines.append(f'registry_public_before_list = "{schema.registry_public_before_list}"')
    for field in schema.fields:
        name = field.name if field.name.isascii() else quoted(field.name)
        lines += ["", f"[fields.{name}]", f'type = "{field.type}"']
        if field.role != "link":
            lines.append(f'role = "{field.role}"')
        elif field.weight != 100:
            lines.append(f"weight = {field.weight / 100:g}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A TOML string: a JSON string in which DEL is escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
