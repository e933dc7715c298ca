"""Schemas: what is refused with which message, what changes the fingerprint, and that files round-trip."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pprl.core.errors import PprlError, RefusedError, SchemaError
from pprl.core.hardening import SET_NAMES, ParameterSet, lengths
from pprl.core.schema import (
    EXPECTED_TOKENS,
    MAX_K,
    ROLES,
    Field,
    Schema,
    plain_bits,
    ten_thousandths,
)
from pprl.core.schema_file import load_schema, parse_schema, to_toml

WHOLE = """\
format = 1
name = "two lists"

[encoding]
hardening = "standard"
# the set decides every number
# of the encoding

[policy]
false_match_rate = 0.05
decoys = 20
disclosure = 5

[fields.surname]
type = "surname"
# linked, as fields are

[fields.birth_date]
type = "date"
weight = 1.5

[fields.unit]
type = "category"
role = "stratum"
"""
FIELDS = '\n[fields.surname]\ntype = "surname"\n'  # enough for a schema, from line 2 or later
TYPES = ", ".join(EXPECTED_TOKENS)
SET = "unknown; must be one of plain, standard, high"
GONE = "the parameter set decides it now; leave this line out"
RATE = "must be a rate above 0 and below 0.5, such as 0.05 or 5%"


def problems(text):
    with pytest.raises(SchemaError) as caught:
        parse_schema(text)
    return str(caught.value).split("\n")


def with_line(number, line):
    """WHOLE with its line ``number`` replaced."""
    lines = WHOLE.split("\n")
    lines[number - 1] = line
    return "\n".join(lines)


def test_a_whole_schema():
    schema = parse_schema(WHOLE)
    assert (schema.name, schema.hardening) == ("two lists", "standard")
    assert (schema.false_match_rate, schema.decoys, schema.disclosure) == (500, 20, 5)
    assert schema.fields == (
        Field("surname", "surname", "link", 100),
        Field("birth_date", "date", "link", 150),
        Field("unit", "category", "stratum", 0),
    )
    assert [field.name for field in schema.linked()] == ["surname", "birth_date"]


def test_defaults():
    schema = parse_schema("format = 1" + FIELDS)
    assert replace(schema, fields=()) == Schema(
        name="schema", hardening="standard", false_match_rate=500, decoys=20, disclosure=5, fields=()
    )
    assert [(field.role, field.weight) for field in schema.fields] == [("link", 100)]


#: Text and the one message it must give; "schema.toml:" before the line is left out.
WRONG = {
    "a key misspelled": (
        with_line(5, "hardning = 1024"),
        "5: encoding.hardning: unknown key; did you mean 'hardening'?",
    ),
    "a key from nowhere": (
        with_line(5, "zz = 1"),
        "5: encoding.zz: unknown key; the known ones are hardening",
    ),
    "a key at the top": (with_line(2, "nmae = 'x'"), "2: nmae: unknown key; did you mean 'name'?"),
    "a key of a field": (
        with_line(16, "salt = 1"),
        "16: fields.surname.salt: unknown key; the known ones are type, role, weight",
    ),
    "a key in quotes": (
        with_line(5, '"hardning" = 1024'),
        "5: encoding.hardning: unknown key; did you mean 'hardening'?",
    ),
    "a key with a line break": (
        with_line(5, r'"a\nb" = 1'),
        '5: encoding."a\\nb": unknown key; the known ones are hardening',
    ),
    "an empty key": (with_line(5, '"" = 1'), '4: encoding."": unknown key; the known ones are hardening'),
    "a dotted key": ("format = 1\nencoding.hardening = 'hard'" + FIELDS, f"2: encoding.hardening: {SET}"),
    "a dotted key with spaces and quotes": (
        "format = 1\n\"encoding\" . 'hardening' = 'hard'" + FIELDS,
        f"2: encoding.hardening: {SET}",
    ),
    "an inline table": ("format = 1\nencoding = { hardening = '' }" + FIELDS, f"2: encoding.hardening: {SET}"),
    "a header with spaces": (
        with_line(4, "[ encoding ]").replace('"standard"', '"hard"'),
        f"5: encoding.hardening: {SET}",
    ),
    "behind a line separator in a comment": (
        "format = 1 # \u2028 \x85\n[encoding]\nhardening = []" + FIELDS,
        f"3: encoding.hardening: {SET}",
    ),
    "a set misspelled": (
        with_line(5, 'hardening = "standart"'),
        "5: encoding.hardening: unknown; did you mean 'standard'?",
    ),
    "a set in capitals": (with_line(5, 'hardening = "HIGH"'), f"5: encoding.hardening: {SET}"),
    "hardening as it was written": (
        with_line(5, "hardening = 8"),
        '5: encoding.hardening: is the name of a set now; write `hardening = "standard"`',
    ),
    "no hardening as it was written": (
        with_line(5, "hardening = 0"),
        '5: encoding.hardening: is the name of a set now; write `hardening = "plain"`',
    ),
    "a length": (with_line(6, "length = 8192"), f"6: encoding.length: {GONE}"),
    "a fill": (with_line(6, "fill = 0.01"), f"6: encoding.fill: {GONE}"),
    "bits per token": (with_line(16, "k = 1"), f"16: fields.surname.k: {GONE}"),
    "a weight that hollows out a field": (
        with_line(20, "weight = 0.01"),
        "20: fields.birth_date.weight: must be a number from 0.5 to 2",
    ),
    "no format": (WHOLE.replace("format = 1\n", ""), "1: format: this version reads schemas with `format = 1`"),
    "a later format": (with_line(1, "format = 2"), "1: format: this version reads schemas with `format = 1`"),
    "format as text": (with_line(1, 'format = "1"'), "1: format: this version reads schemas with `format = 1`"),
    "format true": (with_line(1, "format = true"), "1: format: this version reads schemas with `format = 1`"),
    "format 1.0": (with_line(1, "format = 1.0"), "1: format: this version reads schemas with `format = 1`"),
    "name no text": (with_line(2, "name = 7"), "2: name: must be a text in quotes"),
    "encoding no table": ("format = 1\nencoding = 1024" + FIELDS, "2: encoding: must be a table: `[encoding]`"),
    "encoding an array of tables": (
        "format = 1\n[[encoding]]\nlength = 512" + FIELDS,
        "2: encoding: must be a table: `[encoding]`",
    ),
    "policy an array": ("format = 1\npolicy = []" + FIELDS, "2: policy: must be a table: `[policy]`"),
    "rate of twenty digits": (with_line(10, f"false_match_rate = {10**20}"), f"10: policy.false_match_rate: {RATE}"),
    "rate of ten thousand hexadecimal digits": (
        with_line(10, "false_match_rate = 0x" + "f" * 10_000),
        f"10: policy.false_match_rate: {RATE}",
    ),
    "type of ten thousand hexadecimal digits": (
        with_line(15, "type = 0x" + "f" * 10_000),
        f"15: fields.surname.type: unknown; must be one of {TYPES}",
    ),
    "decoys 0": (with_line(11, "decoys = 0"), "11: policy.decoys: must be a whole number from 1 to 100"),
    "decoys true": (with_line(11, "decoys = true"), "11: policy.decoys: must be a whole number from 1 to 100"),
    "decoys with a point": (with_line(11, "decoys = 20.0"), "11: policy.decoys: must be a whole number from 1 to 100"),
    "disclosure too large": (
        with_line(12, f"disclosure = {2**63}"),
        "12: policy.disclosure: must be a whole number from 1 to 100",
    ),
    "small cells otherwise": (
        with_line(12, 'small_cells = "supress"'),
        "12: policy.small_cells: unknown; did you mean 'suppress'?",
    ),
    "no fields": ("format = 1", "1: fields: there are no fields; write a table such as `[fields.surname]` for each"),
    "fields empty": (
        "format = 1\n[fields]",
        "2: fields: there are no fields; write a table such as `[fields.surname]` for each",
    ),
    "fields an array of tables": (
        'format = 1\n[[fields]]\ntype = "surname"',
        "2: fields: there are no fields; write a table such as `[fields.surname]` for each",
    ),
    "fields a text": (
        "format = 1\nfields = 'x'",
        "2: fields: there are no fields; write a table such as `[fields.surname]` for each",
    ),
    "a field that is no table": (
        WHOLE + "\n[fields]\nplace = 'x'",
        "27: fields.place: a field must be a table with a `type`",
    ),
    "a field in an array": (
        WHOLE + "\n[[fields.place]]\ntype='text'",
        "26: fields.place: a field must be a table with a `type`",
    ),
    "a field without a type": (with_line(15, ""), f"14: fields.surname: the type is missing; it is one of {TYPES}"),
    "a type misspelled": (
        with_line(15, 'type = "surnmae"'),
        "15: fields.surname.type: unknown; did you mean 'surname'?",
    ),
    "a type from nowhere": (with_line(15, 'type = "zz"'), f"15: fields.surname.type: unknown; must be one of {TYPES}"),
    "a type in capitals": (with_line(15, 'type = "DATE"'), f"15: fields.surname.type: unknown; must be one of {TYPES}"),
    "a type that is a number": (with_line(15, "type = 1"), f"15: fields.surname.type: unknown; must be one of {TYPES}"),
    "a type that is true": (with_line(15, "type = true"), f"15: fields.surname.type: unknown; must be one of {TYPES}"),
    "a type that is a table": (with_line(15, "type = {}"), f"15: fields.surname.type: unknown; must be one of {TYPES}"),
    "a role misspelled": (with_line(24, 'role = "stratm"'), "24: fields.unit.role: unknown; did you mean 'stratum'?"),
    "a role from nowhere": (
        with_line(24, 'role = "zz"'),
        "24: fields.unit.role: unknown; must be one of link, stratum, confirm, joined",
    ),
    "weight 0": (with_line(20, "weight = 0"), "20: fields.birth_date.weight: must be a number from 0.5 to 2"),
    "weight nan": (with_line(20, "weight = nan"), "20: fields.birth_date.weight: must be a number from 0.5 to 2"),
    "weight inf": (with_line(20, "weight = -inf"), "20: fields.birth_date.weight: must be a number from 0.5 to 2"),
    "weight of 400 digits": (
        with_line(20, "weight = " + "9" * 400),
        "20: fields.birth_date.weight: must be a number from 0.5 to 2",
    ),
    "weight true": (with_line(20, "weight = true"), "20: fields.birth_date.weight: must be a number from 0.5 to 2"),
    "the reserved name": (
        with_line(14, "[fields.full_name]"),
        "14: fields.full_name: reserved for a column that holds a whole name",
    ),
    "a field's name with a hyphen": (
        with_line(14, "[fields.sur-name]"),
        "14: fields.sur-name: a field's name may contain letters, digits and _",
    ),
    "a field's name with a point in quotes": (
        with_line(14, '[fields."sur.name"]'),
        '14: fields."sur.name": a field\'s name may contain letters, digits and _',
    ),
    "nothing linked": (
        'format = 1\n\n[fields.unit]\ntype = "category"\nrole = "stratum"',
        '3: fields: no field is linked; leave out `role` or write `role = "link"`',
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_one_mistake_one_message(text, message):
    assert problems(text) == ["schema.toml:" + message]


def test_all_mistakes_at_once_in_the_order_of_the_file():
    text = """\
format = 2
[fields.surname]
type = "surnam"
k = 99
[fields.surname.deep]
[encoding]
hardning = 1
fill = true
[policy]
decoys = "many"
"""
    assert problems(text) == [
        "schema.toml:1: format: this version reads schemas with `format = 1`",
        "schema.toml:3: fields.surname.type: unknown; did you mean 'surname'?",
        f"schema.toml:4: fields.surname.k: {GONE}",
        "schema.toml:5: fields.surname.deep: unknown key; the known ones are type, role, weight",
        "schema.toml:7: encoding.hardning: unknown key; did you mean 'hardening'?",
        f"schema.toml:8: encoding.fill: {GONE}",
        "schema.toml:10: policy.decoys: must be a whole number from 1 to 100",
    ]


def test_mistakes_of_one_line_have_an_order():
    known = "unknown key; the known ones are hardening"
    keys = ["q1", "q2", "q3", "q4", "q5", "q6"]
    text = f"format = 1\nencoding = {{ {', '.join(f'{key} = 1' for key in reversed(keys))} }}" + FIELDS
    assert problems(text) == [f"schema.toml:2: encoding.{key}: {known}" for key in keys]


NOT_TOML = {
    "an unclosed text": ('format = 1\nname = "x\n' + FIELDS, 2),
    "no value": ("format = 1\nname =\n", 2),
    "a key twice": ("format = 1\nname = 'a'\nname = 'b'\n", 3),
    "a table twice": ("format = 1\n[encoding]\n[policy]\n[encoding]\n", 4),
    "an open bracket at the end": ("format = 1\n[encoding", 2),
    "an open array at the end": ("format = 1\nname = [\n\n", 4),
    "a control character": ("format = 1\n# \x1b[2J\n", 2),
    "no day of the calendar": ("format = 1\nname = 2020-13-45\n", 2),
}


@pytest.mark.parametrize(("text", "line"), NOT_TOML.values(), ids=NOT_TOML)
def test_what_is_not_toml_is_refused_with_its_line(text, line):
    (message,) = problems(text)
    assert message.startswith(f"schema.toml:{line}: not TOML: ")
    assert message.isprintable()
    assert "at line" not in message


@pytest.mark.parametrize(
    "text", ["format = " + "1" * 5_000, "name = " + "[" * 20_000, "name = " + "{a=" * 20_000], ids=["digits", "[", "{"]
)
def test_numbers_and_nestings_without_measure(text):
    (message,) = problems(text)
    assert message.startswith("schema.toml:1: not TOML: ")


def test_many_dots_take_no_time():
    assert problems("format = 1\n" + "a." * 500 + "a = 1" + FIELDS)[0].startswith("schema.toml:2: a: unknown key")
    assert "not TOML" in problems("format = 1\n" + "a." * 5_000 + "a")[0]


UNREADABLE = {
    "missing": (None, "s.toml: cannot be read (No such file or directory)"),
    "not UTF-8": (b"name = '\xff'", "s.toml: not UTF-8 text"),
    "UTF-16": ("format = 1".encode("utf-16"), "s.toml: not UTF-8 text"),
}


@pytest.mark.parametrize(("data", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read(tmp_path, data, message):
    if data is not None:
        (tmp_path / "s.toml").write_bytes(data)
    with pytest.raises(SchemaError) as caught:
        load_schema(tmp_path / "s.toml")
    assert str(caught.value) == message
    assert caught.value.hint


def test_a_directory_is_no_schema(tmp_path):
    with pytest.raises(SchemaError, match="cannot be read"):
        load_schema(tmp_path)


@pytest.mark.parametrize("data", [WHOLE, "\ufeff" + WHOLE, WHOLE.replace("\n", "\r\n")], ids=["plain", "BOM", "CRLF"])
def test_a_file_is_its_text(tmp_path, data):
    (tmp_path / "s.toml").write_bytes(data.encode())
    assert load_schema(tmp_path / "s.toml") == parse_schema(WHOLE)


def test_messages_name_the_file(tmp_path):
    (tmp_path / "ours.toml").write_text("format = 2" + FIELDS)
    with pytest.raises(SchemaError, match=r"^ours\.toml:1: format: "):
        load_schema(tmp_path / "ours.toml")


# ---------------------------------------------------------------- any TOML at all

keys = st.sampled_from(
    [
        "format",
        "name",
        "encoding",
        "length",
        "hardening",
        "fill",
        "policy",
        "decoys",
        "disclosure",
        "false_match_rate",
        "fields",
        "full_name",
        "surname",
        "type",
        "role",
        "weight",
        "k",
        "x-y",
    ]
) | st.sampled_from(['""', '"a b"', "'\u009b'", r'"\u202e"', r'"\n"'])
scalars = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(lambda number: repr(number) if "e" not in repr(number) else repr(number).replace("e+", "e")),
    st.sampled_from(
        ["true", "false", "nan", "-inf", "1979-05-27T07:32:00Z", "1979-05-27", "07:32:00", "0xff", "1e400"]
    ),
    st.sampled_from(
        ['"surname"', '"date"', '"link"', '"5%"', '"%"', '""', "'''\n[x]\nk = 1'''", '"\\u0000"', "1", "1024"]
    ),
    st.text(max_size=5).map(json.dumps),
)
inline = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(keys, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)
paths = st.lists(keys, min_size=1, max_size=3).map(".".join)
lines = st.one_of(
    st.tuples(paths, inline).map(" = ".join),
    paths.map(lambda path: f"[{path}]"),
    paths.map(lambda path: f"[[{path}]]"),
    st.text(max_size=8),
)


@settings(max_examples=500)
@given(st.lists(lines, max_size=8).map("\n".join), st.booleans())
@example("name = 0x" + "f" * 9_000, True)
@example("encoding.fill = 0x" + "f" * 9_000, True)
@example("[fields.x]\ntype = []", True)
@example("[fields.x]\nrole = 0x" + "f" * 9_000, True)
@example("x = " + "9" * 9_000, True)
def test_any_text_is_a_schema_or_a_schema_error(text, valid_start):
    text = "format = 1\n" * valid_start + text
    try:
        schema = parse_schema(text)
    except SchemaError as error:
        lines = str(error).split("\n")
    else:
        assert schema.linked()
        assert all(50 <= field.weight <= 200 for field in schema.linked())
        assert all(1 <= bits <= MAX_K for bits in plain_bits(schema.linked(), 1024).values())
        return
    for line in lines:
        source, number, what = line.split(":", 2)
        assert source == "schema.toml"
        assert 1 <= int(number) <= text.count("\n") + 1
        assert what.isprintable()


def test_small_cells_come_back_as_written():
    assert parse_schema("format = 1" + FIELDS).small_cells == "round"
    chosen = parse_schema('format = 1\npolicy.small_cells = "suppress"' + FIELDS)
    assert chosen.small_cells == "suppress"
    assert parse_schema(to_toml(chosen)) == chosen


# ---------------------------------------------------------------- plain bits and parameter sets

#: length, (type, weight) -> bits of a token, worked by hand from the formula
WORKED = {
    "name and date": (1024, [("surname", 1), ("given", 1), ("date", 1)], [9, 9, 9]),  # 228.4 / 26 = 8.8
    "half as long": (512, [("surname", 1), ("given", 1), ("date", 1)], [4, 4, 4]),  # 114.1 / 26 = 4.4
    "weights": (1024, [("surname", 1), ("date", 2)], [8, 15]),  # 228.4 / 30 = 7.61
    "never above 32": (8192, [("surname", 1), ("date", 1)], [32, 32]),
}


def linked(*fields):
    text = "".join(f'[fields.f{index}]\ntype = "{kind}"\nweight = {w}\n' for index, (kind, w) in enumerate(fields))
    return parse_schema("format = 1\n" + text).linked()


@pytest.mark.parametrize(("length", "fields", "bits"), WORKED.values(), ids=WORKED)
def test_bits_of_a_token_in_a_plain_filter(length, fields, bits):
    assert list(plain_bits(linked(*fields), length).values()) == bits


def test_an_average_person_fills_a_fifth_of_a_plain_filter():
    """Σ tokens · bits random positions leave (1 − 1/length)^(Σ tokens · bits) of the filter empty."""
    fields = linked(("surname", 1), ("given", 1), ("date", 1))
    positions = sum(
        bits * EXPECTED_TOKENS[f.type] for bits, f in zip(plain_bits(fields, 1024).values(), fields, strict=True)
    )
    assert math.isclose(1 - (1 - 1 / 1024) ** positions, 0.2, abs_tol=0.01)


def test_fields_that_are_not_linked_have_no_weight():
    schema = parse_schema("format = 1" + FIELDS + '[fields.rank]\ntype = "identifier"\nrole = "confirm"\nweight = 2\n')
    assert [field.weight for field in schema.fields] == [100, 0]


def test_each_set_is_one_row_for_so_many_tokens():
    for name in SET_NAMES:
        rows = [ParameterSet.of(name, tokens) for tokens in range(1, 200)]
        assert {row.length for row in rows} == lengths(name)
        assert all(row.length % 64 == 0 and bool(row.minima) == (name != "plain") for row in rows)
        assert sorted((row.minima for row in rows), reverse=True) == [row.minima for row in rows], (
            "fewer tokens, more minima"
        )


def test_high_never_takes_fewer_minima_than_standard():
    for tokens in range(1, 200):
        assert ParameterSet.of("high", tokens).minima > ParameterSet.of("standard", tokens).minima


RATES = {"0.05": 500, "5%": 500, "0.5 %": 50, " 1% ": 100, "0.0001": 1, "49.99%": 4999}


@pytest.mark.parametrize(("text", "rate"), RATES.items(), ids=RATES)
def test_rates(text, rate):
    assert ten_thousandths(text) == rate


@pytest.mark.parametrize("text", ["0", "50%", "0.49996", "-1%", "five", "", "%", "nan%", "inf", "0.00004"])
def test_rates_that_are_none(text):
    with pytest.raises(ValueError, match=f"^{re.escape(RATE.removeprefix('must be '))}$"):
        ten_thousandths(text)


# ---------------------------------------------------------------- the fingerprint

FOLDING = bytes(32)
BASE = Schema(
    name="s",
    hardening="standard",
    false_match_rate=500,
    decoys=20,
    disclosure=5,
    fields=(Field("surname", "surname", "link", 100), Field("birth_date", "date", "link", 100)),
)
SURNAME, DATE = BASE.fields
CHANGES = {
    "the set": replace(BASE, hardening="high"),
    "no hardening": replace(BASE, hardening="plain"),
    "a weight": replace(BASE, fields=(replace(SURNAME, weight=50), DATE)),
    "a field's name": replace(BASE, fields=(replace(SURNAME, name="s"), DATE)),
    "a field's type": replace(BASE, fields=(replace(SURNAME, type="given"), DATE)),
    "a field less": replace(BASE, fields=(SURNAME,)),
    "a field more": replace(BASE, fields=(*BASE.fields, Field("sex", "sex", "link", 100))),
    "types swapped": replace(BASE, fields=(replace(SURNAME, type="date"), replace(DATE, type="surname"))),
}
NO_CHANGES = {
    "the schema's name": replace(BASE, name="another"),
    "the false-match rate": replace(BASE, false_match_rate=100),
    "decoys": replace(BASE, decoys=4),
    "disclosure": replace(BASE, disclosure=10),
    "small cells": replace(BASE, small_cells="suppress"),
    "the order of fields": replace(BASE, fields=(DATE, SURNAME)),
    "a stratum": replace(BASE, fields=(*BASE.fields, Field("unit", "category", "stratum", 0))),
    "a confirm field first": replace(BASE, fields=(Field("rank", "rank", "confirm", 0), *BASE.fields)),
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES)
def test_what_decides_bits_changes_the_fingerprint(changed):
    assert changed.fingerprint(FOLDING) != BASE.fingerprint(FOLDING)


def test_all_of_these_fingerprints_differ():
    assert len({schema.fingerprint(FOLDING) for schema in (BASE, *CHANGES.values())}) == len(CHANGES) + 1


def test_a_field_no_longer_linked_is_a_field_less():
    unlinked = replace(BASE, fields=(SURNAME, replace(DATE, role="confirm", weight=0)))
    assert unlinked.fingerprint(FOLDING) == CHANGES["a field less"].fingerprint(FOLDING)


def test_folding_tables_change_the_fingerprint():
    assert BASE.fingerprint(b"\x01" + FOLDING[1:]) != BASE.fingerprint(FOLDING)


@pytest.mark.parametrize("changed", NO_CHANGES.values(), ids=NO_CHANGES)
def test_what_decides_no_bit_does_not(changed):
    assert changed.fingerprint(FOLDING) == BASE.fingerprint(FOLDING)


def test_comments_and_layout_do_not_change_the_fingerprint():
    other = "# mine\n" + WHOLE.replace("\n", "  # why\n").replace("[encoding]", "[ 'encoding' ]").replace(
        "0.05", '"5%"'
    )
    assert parse_schema(other).fingerprint(FOLDING) == parse_schema(WHOLE).fingerprint(FOLDING)


def test_canonical_bytes_are_pinned():
    numbers = BASE.parameters
    assert BASE.canonical() == (
        b'{"encoding":{"hardening":"standard","length":%d,"minima":%d},'
        b'"fields":[["birth_date","date",100],["surname","surname",100]],"format":1}' % (numbers.length, numbers.minima)
    )


# ---------------------------------------------------------------- there and back

field_names = st.text("abcdefxyz_09", min_size=1, max_size=6) | st.sampled_from(["имя", "прізвище", "ა", "k", "ß"])


@st.composite
def schemas(draw):
    named = draw(st.lists(field_names.filter(lambda name: name != "full_name"), min_size=1, max_size=6, unique=True))
    kinds, roles = (
        st.sampled_from(sorted(EXPECTED_TOKENS)),
        st.sampled_from([role for role in ROLES if role != "joined"]),
    )
    fields = [Field(named[0], draw(kinds), "link", draw(st.integers(50, 200)))]
    for name in named[1:]:
        role = draw(roles)
        fields.append(Field(name, draw(kinds), role, draw(st.integers(50, 200)) if role == "link" else 0))
    return Schema(
        name=draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=12)),
        hardening=draw(st.sampled_from(SET_NAMES)),
        false_match_rate=draw(st.integers(1, 4999)),
        decoys=draw(st.integers(1, 100)),
        disclosure=draw(st.integers(1, 100)),
        fields=tuple(fields),
    )


@settings(max_examples=200)
@given(schemas())
@example(replace(BASE, name='"\\\x7f\x00\r\n\u2028'))
def test_a_written_schema_reads_the_same(schema):
    assert parse_schema(to_toml(schema)) == schema


# ---------------------------------------------------------------- weak schemas


def schema_of_types(*kinds):
    return Schema(
        name="",
        hardening="standard",
        false_match_rate=500,
        decoys=20,
        disclosure=5,
        fields=tuple(Field(f"f{index}", kind, "link", 100) for index, kind in enumerate(kinds)),
    )


WEAK = {
    "one field": (["identifier"], "only 1 field(s) with 13 expected tokens"),
    "a handful of tokens": (["sex", "year", "number"], "only 3 field(s) with 11 expected tokens"),
}


@pytest.mark.parametrize(("kinds", "message"), WEAK.values(), ids=WEAK)
def test_a_weak_schema_is_refused(kinds, message):
    with pytest.raises(RefusedError) as caught:
        schema_of_types(*kinds).refuse_weak()
    assert message in str(caught.value)
    assert "--allow-weak" in caught.value.hint


def test_fields_that_are_not_linked_add_no_strength():
    schema = schema_of_types("identifier")
    seen = replace(schema, fields=(*schema.fields, Field("date", "date", "confirm", 0)))
    with pytest.raises(RefusedError):
        seen.refuse_weak()


@pytest.mark.parametrize("kinds", [["date", "sex"], ["surname", "year"], ["given", "year"]])
def test_twelve_tokens_of_two_fields_are_enough(kinds):
    schema_of_types(*kinds).refuse_weak()


def test_a_set_can_be_chosen():
    assert BASE.with_hardening("plain") == replace(BASE, hardening="plain")
    for refused in ("", "8", "Plain", "view"):
        with pytest.raises(PprlError, match=r"^hardening must be one of plain, standard, high$"):
            BASE.with_hardening(refused)
