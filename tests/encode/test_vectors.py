"""The published vectors (docs/encoding.md §10), against the encoder and against the reference."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT, TESTS

from pprl.core.bits import BitMatrix
from pprl.core.container import KINDS
from pprl.core.hardening import SET_NAMES
from pprl.core.randomness import RandomStream
from pprl.core.schema import EXPECTED_TOKENS, Field, Schema, plain_bits
from pprl.core.schema_file import parse_schema
from pprl.encode.bloom import positions
from pprl.encode.encoder import encode, reference
from pprl.encode.keys import key_check, subkey, tables_hash
from pprl.encode.siphash import siphash
from pprl.encode.sparse import token_positions
from pprl.encode.tokens import tokens
from pprl.normalize import cells, dates, names, ranks, text, values
from pprl.normalize.text import folding_hash
from pprl.roster.people import MISSING, read_people

VECTORS = TESTS / "vectors"


def load(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


FOLDING, TOKENS, KEYS = load("folding.json"), load("tokens.json"), load("keys.json")
DRAWS, HASHES, SCHEMAS, ENCODINGS = (
    load("draws.json"),
    load("siphash.json"),
    load("schemas.json"),
    load("encodings.json"),
)


def by_name(vectors):
    named = {vector["name"]: vector for vector in vectors}
    assert len(named) == len(vectors), "two vectors of one name"
    return pytest.mark.parametrize("vector", vectors, ids=named)


def schema_of(name):
    body = ENCODINGS["schemas"][name]
    fields = tuple(Field(field["name"], field["type"], "link", field["weight"]) for field in body["fields"])
    return Schema(
        name=name,
        hardening=body["hardening"],
        false_match_rate=500,
        decoys=20,
        disclosure=5,
        fields=fields,
    )


def people_of(cells, schema):
    frame = pd.DataFrame([cells], dtype=object)
    dates = {field.name: "dmy" for field in schema.fields if field.type == "date"}
    return read_people(frame, schema, {name: name for name in cells}, dates)


def test_the_generator_writes_what_is_here():
    spec = importlib.util.spec_from_file_location("generate", VECTORS / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    built = generate.build()
    assert {path.name for path in VECTORS.glob("*.json")} == set(built)
    for name, written in built.items():
        # When a folding table was changed on purpose: python tests/vectors/generate.py
        assert (VECTORS / name).read_text(encoding="utf-8") == written, name


def test_folding_tables():
    assert folding_hash().hex() == FOLDING["folding_hash"]


@by_name(FOLDING["vectors"])
def test_canonical_value(vector):
    schema = Schema(
        name="",
        hardening="plain",
        false_match_rate=500,
        decoys=20,
        disclosure=5,
        fields=(Field("it", vector["type"], "link", 100),),
    )
    column = people_of({"it": vector["cell"]}, schema).columns["it"]
    assert list(column.values) == ([vector["value"]] if vector["value"] else [])


@by_name(TOKENS["tokens"])
def test_tokens(vector):
    assert tokens(vector["type"], vector["value"]) == vector["tokens"]


@pytest.mark.parametrize("vector", TOKENS["words"], ids=lambda v: v["token"])
def test_words_of_a_token(vector):
    space_key = bytes.fromhex(vector["space_key"])
    assert token_positions(space_key, vector["token"], 32).tolist() == vector["words"]
    assert positions(space_key, vector["token"], 1024).tolist() == [word % 1024 for word in vector["words"]]


@by_name(KEYS)
def test_keys(vector):
    schema, key = schema_of(vector["schema"]), bytes.fromhex(vector["linkage_key"])
    assert schema.fingerprint(tables_hash()).hex() == vector["salt"]
    assert {purpose: subkey(key, schema, purpose).hex() for purpose in vector["subkeys"]} == vector["subkeys"]
    assert key_check(key, schema).hex() == vector["key_check"]


@pytest.mark.parametrize("vector", DRAWS, ids=lambda v: v["label"])
def test_draws(vector):
    def draws():
        return RandomStream(bytes.fromhex(vector["seed"]), vector["label"])

    assert [f"{word:016x}" for word in draws().words(4).tolist()] == vector["first_words"]
    assert hashlib.sha256(draws().bytes(16_384)).hexdigest() == vector["sha256_of_16384_bytes"]
    bounds = np.array([int(bound) for bound in vector["bounds"]], dtype=np.int64)
    assert [str(draw) for draw in draws().below(bounds, len(bounds)).tolist()] == vector["below"]


@pytest.mark.parametrize("vector", HASHES, ids=lambda v: f"{len(v['message']) // 2} bytes")
def test_siphash(vector):
    assert f"{siphash(bytes.fromhex(vector['key']), bytes.fromhex(vector['message'])):016x}" == vector["hash"]


@by_name(SCHEMAS)
def test_schema(vector):
    schema = parse_schema(vector["toml"])
    assert plain_bits(schema.linked(), 1024) == vector["bits"]
    assert (schema.parameters.minima, schema.length) == (vector["minima"], vector["length"])
    assert schema.canonical().decode() == vector["canonical"]
    assert schema.fingerprint(tables_hash()).hex() == vector["fingerprint"]


@by_name(ENCODINGS["vectors"])
def test_encoding(vector):
    schema, key = schema_of(vector["schema"]), bytes.fromhex(vector["linkage_key"])
    people = people_of(vector["cells"], schema)
    found = {
        name: column.values[column.codes[0]] for name, column in people.columns.items() if column.codes[0] != MISSING
    }
    assert found == vector["values"]
    assert encode(people, schema, key).to_bytes().hex() == vector["encoding"]
    if schema.hardening == "plain":  # the other definition takes seconds; tests/encode/test_sparse.py compares it
        bits = BitMatrix.from_positions([sorted(reference(found, schema, key))], schema.length)
        assert bits.to_bytes().hex() == vector["encoding"]


def test_what_is_promised_to_be_the_same_is_the_same():
    of = {vector["name"]: vector["encoding"] for vector in ENCODINGS["vectors"]}
    for name in ("plain", "standard"):
        whole = of[f"whole row; person, {name}"]
        for other in ("surname and given name swapped", "English romanisation"):
            assert of[f"{other}: the same bits, {name}"] == whole
        assert of[f"no given name, {name}"] != whole
    assert of["NFC: the same bits, plain"] == of["NFD: the same bits, plain"] == of["whole row; person, plain"]
    assert set(of["nothing known: an empty row, plain"]) == {"0"}
    assert of["Kazakh, plain"] != of["whole row; person, plain"]


def test_nothing_is_left_without_a_vector():
    schemas = [schema_of(vector["schema"]) for vector in ENCODINGS["vectors"]]
    assert {schema.hardening for schema in schemas} == set(SET_NAMES)
    linked = {
        (len(vector["values"]), field.type)
        for vector in ENCODINGS["vectors"]
        for field in schema_of(vector["schema"]).fields
        if field.name in vector["values"]
    }
    assert {kind for _, kind in linked} == set(EXPECTED_TOKENS)
    assert {kind for count, kind in linked if count == 1} == set(EXPECTED_TOKENS)  # each of them alone
    assert {vector["type"] for vector in FOLDING["vectors"]} == set(EXPECTED_TOKENS)
    assert {vector["type"] for vector in TOKENS["tokens"]} == set(EXPECTED_TOKENS)


PAGE = (ROOT / "docs" / "encoding.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
PATTERNS = {
    "PALOCHKA": text.PALOCHKA,
    "MAYBE INITIAL": names.MAYBE_INITIAL,
    "INITIAL": names.INITIAL,
    "FOLDED INITIAL": names.FOLDED_INITIAL,
    "REMARK": names.REMARK,
    "RANK": ranks.NOT_INITIALS,
    "INITIAL WORD": names.INITIAL_WORD,
    "O": names.BEFORE_A_NAME,
    "SERIES AND NUMBER": values.SERIES_AND_NUMBER,
    "CHILD OF": names.PARTICLE,
    "PATRONYMIC": names.PATRONYMIC,
    "NUMBER": values.NUMBER,
    "EITHER": values.THOUSANDS_OR_DECIMALS,
    "CODE": cells.CODE,
    "ENTITY": cells.ENTITY,
    "PERCENT": cells.PERCENT,
    "GUARD": cells.GUARD,
    "SCIENTIFIC": cells.SCIENTIFIC,
    "SHEET ERROR": cells.SHEET_ERRORS,
    "ZEROS": cells.ZEROS,
    "MIDNIGHT": cells.MIDNIGHT,
    "CUT": cells.CUT,
    "FORMULA": cells.FORMULAS,
    "LOST": cells.LOST,
    "LETTER": dates.LETTER,
    "DATE REMARK": dates.DATE_REMARK,
    "1 year": dates.YEAR,
    "2 year first": dates.YEAR_FIRST,
    "3 stops": dates.DOTS,
    "4 eight": dates.EIGHT,
    "5 year last": dates.YEAR_LAST,
    "6 roman": dates.ROMAN,
    "7 month year": dates.MONTH_YEAR,
    "8 blanks year": dates.BLANKS_YEAR,
    "9 day name": dates.DAY_NAME_YEAR,
    "10 name day": dates.NAME_DAY_YEAR,
    "11 year name": dates.YEAR_NAME_DAY,
    "12 day number": dates.DAY_NUMBER,
}
FIELD_KEYS = ("type", "role", "weight")


@pytest.mark.parametrize("name", PATTERNS)
def test_the_page_prints_the_patterns_that_run(name):
    (lines,) = re.findall(rf"^{name}  +(\S.*\n(?: +\|.*\n)*)", PAGE, re.MULTILINE)
    printed = "".join(line.strip() for line in lines.splitlines())
    filled = printed.replace("{TIME}", dates.TIME).replace("{CHILD OF}", names.CHILD_OF)
    filled = filled.replace("{OPEN}", dates.OPEN).replace("{NAME}", dates.NAME)
    assert filled == PATTERNS[name].pattern


def test_the_page_prints_the_expected_tokens():
    found = re.findall(r"^\| `(\w+)` \|.*\| (\d+) \|$", PAGE.partition("## 4 ")[2].partition("## 5 ")[0], re.MULTILINE)
    assert {kind: int(number) for kind, number in found} == EXPECTED_TOKENS


def test_the_page_prints_the_marks_around_a_value():
    (listed,) = re.findall(r"without\s+`` (.*?) `` and spaces", PAGE, re.DOTALL)
    assert {*listed, " "} == {*cells.MARKS}


def test_the_page_explains_every_key_and_file():
    for schema_key in ("format", "name", "encoding.hardening", "policy.decoys"):
        assert f"| `{schema_key}` |" in PAGE
    policy = ("policy.false_match_rate", "policy.disclosure", "policy.small_cells")
    for schema_key in (*policy, *(f"fields.NAME.{key}" for key in FIELD_KEYS)):
        assert f"| `{schema_key}` |" in PAGE
    assert all(f"`{path.name}`" in PAGE for path in VECTORS.glob("*.json"))
    assert all(f"`{kind.decode()}`" in PAGE + PROTOCOL for kind in KINDS)
    assert all(f"`{table}`" in PAGE for table in text.FOLDING_TABLES)
