"""The rules of clkhash implemented a second time, without any of our code, and cells and schemas on the edge.

What clkhash itself gave is in data/clkhash_vectors.json; `benchmarks/clkhash_parity.py` runs it.
"""

import base64
import datetime
import hashlib
import hmac
import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pprl.cli import main
from pprl.core.errors import RosterError, SchemaError
from pprl.encode import bloom as encode_module
from pprl.interop import clkhash as clkhash_module
from pprl.interop.clkhash import encode_records, texts
from pprl.interop.linkage_schema import Date, Numeric, UnfitError, parse_linkage_schema

SECRET = b"a secret for tests, and no other"


# ---------------------------------------------------------------- the rules


def hkdf(secret, salt, info, size, name):
    """RFC 5869, by hand."""
    width = hashlib.new(name).digest_size
    key = hmac.digest(salt or bytes(width), secret, name)
    out = block = b""
    for count in range(1, math.ceil(size / width) + 1):
        block = hmac.digest(key, block + info + bytes([count]), name)
        out += block
    return out[:size]


def canonical(column, cell):
    missing = column["hashing"].get("missingValue")
    if missing and cell == missing["sentinel"]:
        return missing.get("replaceWith", cell)
    match column["format"]["type"]:
        case "integer":
            return str(int(cell))
        case "date":
            day = datetime.datetime.strptime(cell, column["format"]["format"])
            return f"{day.year}{day.month:02}{day.day:02}"
    return cell


def tokens(comparison, value):
    if not value:
        return []
    match comparison["type"]:
        case "ngram":
            n = comparison["n"]
            padded = " " * (n - 1) + value + " " * (n - 1)
            grams = [padded[at : at + n] for at in range(len(padded) - n + 1)]
            return [f"{at + 1} {gram}" for at, gram in enumerate(grams)] if comparison.get("positional") else grams
        case "exact":
            return [value]
    precision, resolution = comparison.get("fractional_precision", 0), comparison["resolution"]
    step = round(comparison["thresholdDistance"] * 10**precision)
    try:
        number = int(value) * 10**precision
    except ValueError:
        number = round(float(value) * 10**precision) if precision else math.trunc(float(value))
    number *= 2 * resolution
    below = number // step * step
    nearest = below if number - below < step / 2 else below + step
    return [str(nearest + index * step) for index in range(-resolution, resolution + 1)]


def positions(hashed, keys, token, k, length):
    if hashed["type"] == "blakeHash":
        found = []
        for count in range(math.ceil(k / 32)):
            digest = hashlib.blake2b(token, key=keys[0], salt=b"%d" % count).digest()
            found += [digest[at] + 256 * digest[at + 1] for at in range(0, 64, 2)]
        return [number % length for number in found[:k]]
    first = int(hmac.new(keys[0], token, "sha1").hexdigest(), 16) % length
    second = int(hmac.new(keys[1], token, "md5").hexdigest(), 16) % length
    turn = 0
    while hashed.get("prevent_singularity") and not second:
        second = int(hmac.new(keys[1], token + bytes([turn]), "md5").hexdigest(), 16) % length
        turn += 1
    return [(first + i * second) % length for i in range(k)]


def rules(document, row):
    config, columns = document["clkConfig"], document["features"]
    kdf, folds = config["kdf"], config.get("xor_folds", 0)
    size = kdf.get("keySize", 64)
    salt, info = (base64.b64decode(kdf.get(name, "")) for name in ("salt", "info"))
    derived = hkdf(SECRET, salt, info, 2 * len(columns) * size, kdf.get("hash", "SHA256"))
    keys = [derived[at : at + size] for at in range(0, len(derived), size)]
    bits = [0] * (config["l"] * 2**folds)
    for at, (column, cell) in enumerate(zip(columns, row, strict=True)):
        if column.get("ignored"):
            continue
        hashing, encoding = column["hashing"], column["format"].get("encoding", "utf-8")
        hashed = hashing.get("hash", {"type": "blakeHash"})
        found = tokens(hashing["comparison"], canonical(column, cell))
        for index, token in enumerate(found):
            k = hashing["strategy"].get("bitsPerToken")
            if k is None:
                total = hashing["strategy"]["bitsPerFeature"]
                k = total // len(found) + (index < total % len(found))
            column_keys = keys[2 * at : 2 * at + 2]
            for position in positions(hashed, column_keys, token.encode(encoding), k, len(bits)):
                bits[position] = 1
    for _ in range(folds):
        half = len(bits) // 2
        bits = [one ^ other for one, other in zip(bits[:half], bits[half:], strict=True)]
    whole = bits + [0] * (-len(bits) % 8)
    data = bytes(int("".join(map(str, whole[at : at + 8])), 2) for at in range(0, len(whole), 8))
    return base64.b64encode(data).decode()


# ---------------------------------------------------------------- drawn

alphabets = ("abcXYZ '-", "àéßłø", "абвїє", "αβγς", "ابتث", "王李张", "😀👩\u200d🚀", "e\u0301o\u0308", "0123456789")
words = st.sampled_from(alphabets).flatmap(lambda letters: st.text(st.sampled_from(letters), max_size=7))
ngrams = st.builds(
    lambda n, positional: {"type": "ngram", "n": n, "positional": positional}, st.integers(1, 5), st.booleans()
)
numerics = st.builds(
    lambda distance, resolution, precision: {
        "type": "numeric",
        "thresholdDistance": distance,
        "resolution": resolution,
        "fractional_precision": precision,
    },
    st.sampled_from([1, 3, 8, 2.25, 1000, 2**60 + 2]),
    st.integers(1, 4),
    st.integers(0, 3),
)
hashes = st.sampled_from(
    [{"type": "blakeHash"}, {"type": "doubleHash"}, {"type": "doubleHash", "prevent_singularity": True}]
)
strategies = st.builds(
    lambda name, bits: {name: bits}, st.sampled_from(["bitsPerToken", "bitsPerFeature"]), st.integers(1, 80)
)
shapes = st.sampled_from(["{}", " {}", "{:06}"])
integers = st.builds(lambda shape, number: shape.format(number), shapes, st.integers())
days = st.dates(datetime.date(1000, 1, 1))
FORMS = (
    ({"type": "string"}, words),
    ({"type": "string", "encoding": "utf-16"}, words),
    ({"type": "string", "encoding": "utf-32", "maxLength": 9}, words),
    ({"type": "enum", "values": ["", "m", "f"]}, st.sampled_from(["", "m", "f"])),
    ({"type": "integer"}, integers),
    ({"type": "date", "format": "%d.%m.%Y"}, days.map(lambda day: f"{day.day}.{day.month:02}.{day.year}")),
    ({"type": "date", "format": "%Y-%m-%d"}, days.map(datetime.date.isoformat)),
)
numbers = st.builds(str, st.integers(-(2**62), 2**62) | st.floats(-1e6, 1e6, width=32))


@st.composite
def columns(draw, hashed):
    """A column and the source of its cells."""
    if draw(st.integers(0, 9)) == 0:
        return {"identifier": "x", "ignored": True}, words
    if draw(st.integers(0, 3)) == 0:
        comparison, form, cells = draw(numerics), {"type": "string"}, numbers
    else:
        comparison, (form, cells) = draw(ngrams | st.just({"type": "exact"})), draw(st.sampled_from(FORMS))
    hashing = {"comparison": comparison, "strategy": draw(strategies), "hash": hashed}
    if draw(st.booleans()):
        hashing["missingValue"] = draw(st.sampled_from([{"sentinel": ""}, {"sentinel": "", "replaceWith": "1980"}]))
        cells |= st.just("")
    return {"identifier": "x", "format": form, "hashing": hashing}, cells


@st.composite
def linkages(draw):
    hashed = draw(hashes)
    drawn = draw(st.lists(columns(hashed), min_size=1, max_size=3))
    config = {
        "l": draw(st.sampled_from([1, 4, 8, 64, 256]) if hashed["type"] == "blakeHash" else st.integers(2, 100)),
        "kdf": {
            "type": "HKDF",
            "hash": draw(st.sampled_from(["SHA256", "SHA512"])),
            "keySize": draw(st.integers(1, 64)),
        },
        "xor_folds": draw(st.integers(0, 3)),
    }
    for name in draw(st.sets(st.sampled_from(["salt", "info"]))):
        config["kdf"][name] = base64.b64encode(draw(st.binary(max_size=40))).decode()
    rows = draw(st.lists(st.tuples(*[cells for _, cells in drawn]).map(list), max_size=12))
    return {"version": 3, "clkConfig": config, "features": [column for column, _ in drawn]}, rows


@settings(max_examples=250, derandomize=True)
@given(linkages(), st.integers(1, 4), st.sampled_from([0, 1 << 20]), st.sampled_from([1, 1 << 16]))
def test_rows_are_what_the_rules_say(drawn, rows_at_a_time, table, remembered):
    """However the rows are cut, by a table or by hashing, and with nothing remembered between chunks."""
    document, rows = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clkhash_module, "ROWS_AT_A_TIME", rows_at_a_time)
        patch.setattr(clkhash_module, "TABLE", table)
        patch.setattr(encode_module, "REMEMBERED", remembered)
        made = encode_records(rows, parse_linkage_schema(json.dumps(document)), SECRET)
        assert [text for filters in made for text in texts(filters)] == [rules(document, row) for row in rows]


@pytest.mark.parametrize("length", [3, 5, 7])
def test_a_step_of_0_is_drawn_again(length):
    """In a filter this short every few tokens have one, and the next draw often has one again."""
    hashed = {"type": "doubleHash", "prevent_singularity": True}
    one = {**column({"type": "exact"}), "hashing": {**column({"type": "exact"})["hashing"], "hash": hashed}}
    one["hashing"]["strategy"] = {"bitsPerToken": 2}
    document = {"version": 3, "clkConfig": {"l": length, "kdf": {"type": "HKDF"}}, "features": [one]}
    rows = [[str(number)] for number in range(100)]
    made = encode_records(rows, parse_linkage_schema(json.dumps(document)), SECRET)
    assert [text for filters in made for text in texts(filters)] == [rules(document, row) for row in rows]


# ---------------------------------------------------------------- the edge


def column(comparison=None, form=None, **hashing):
    return {
        "identifier": "cell",
        "format": form or {"type": "string"},
        "hashing": {"comparison": comparison or {"type": "ngram", "n": 2}, "strategy": {"bitsPerToken": 5}, **hashing},
    }


def schema_of(*columns, **config):
    document = {"version": 3, "clkConfig": {"l": 64, "kdf": {"type": "HKDF"}, **config}, "features": list(columns)}
    return parse_linkage_schema(json.dumps(document))


ASCII = {"type": "string", "encoding": "ascii"}
NUMERIC = {"type": "numeric", "thresholdDistance": 3, "resolution": 2, "fractional_precision": 3}
UNFIT = {
    "half a surrogate pair": (column(), "Zqxjkv\ud800"),
    "a letter that is not ASCII": (column(form=ASCII), "Zqxjkvé"),
    "a sentinel that its encoding cannot hold": (column(form=ASCII, missingValue={"sentinel": "Zqxjkv—"}), "Zqxjkv—"),
    "a replacement that its encoding cannot hold": (
        column(form=ASCII, missingValue={"sentinel": "Zqxjkv", "replaceWith": "—"}),
        "Zqxjkv",
    ),
    "a replacement that is not a number": (
        column(NUMERIC, missingValue={"sentinel": "Zqxjkv", "replaceWith": "none"}),
        "Zqxjkv",
    ),
    "no number": (column(NUMERIC), "Zqxjkv"),
    "more digits than can be written": (column(NUMERIC), "9" * 4300),
}


@pytest.mark.parametrize(("one", "cell"), UNFIT.values(), ids=UNFIT)
def test_a_cell_that_cannot_be_hashed_is_refused_by_row_and_column(one, cell):
    """clkhash fails for these too; our message names the row, and no letter of the cell."""
    with pytest.raises(RosterError, match=r"^row 3, column 'cell': expected ") as caught:
        list(encode_records([["7"], ["8"], [cell]], schema_of(one), SECRET))
    assert not re.search("Zqxjkv|99|—", str(caught.value) + caught.value.hint)
    assert caught.value.__cause__ is None


def test_half_a_step_is_rounded_as_clkhash_rounds_it():
    """2 · 2^58 is below half of 2^60 + 2, and not below that half as a float, 2^59."""
    step = 2**60 + 2
    assert Numeric(step, 1).tokens(str(2**58)) == [str(index * step) for index in (0, 1, 2)]


def test_years_before_1000_have_no_zeros():
    assert Date("%Y-%m-%d").canonical("0123-01-02") == Date("%d %B %Y").canonical("2 January 0123") == "1230102"


PLAIN_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%m%d%Y", "%d%m%Y", "%m/%d/%Y", "%Y %d(%m)")


@settings(max_examples=500, derandomize=True)
@given(st.sampled_from(PLAIN_FORMS), st.data())
def test_dates_are_read_as_strptime_reads_them(form, data):
    parts = st.text("0123456789", min_size=0, max_size=2)
    usual = {"%Y": st.sampled_from(["1985", "2024", "0000", "0987", "85"]), "%m": parts, "%d": parts}
    pieces = [data.draw(usual[piece]) if piece in usual else piece for piece in re.split("(%.)", form)]
    value = "".join(pieces)
    try:
        day = datetime.datetime.strptime(value, form)
    except ValueError:
        with pytest.raises(UnfitError):
            Date(form).canonical(value)
    else:
        assert Date(form).canonical(value) == f"{day.year}{day.month:02}{day.day:02}"


ODD_DAYS = (
    *("1985|03|12", "1985|02|28", "1984|02|29", "1985|02|29", "1985|04|31", "1985|13|01", "1985|00|10", "1985|01|00"),
    *("1000|01|01", "0999|12|31", "0000|01|01", "9999|12|31", "85|03|12", "1985|1|2", "198|511|11", "1985|01| 2"),
    *("1985 |01|02", " 985|01|02", "-985|01|02", "1_85|01|02", "１９８５|01|02", "1985|0٢|03", "198:|01|02"),
    *("1985|01|02\n", "\ud80098|1|2"),
)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d%m%Y", "%Y年%m月%d日", "T%m %d-%Y"])
def test_many_dates_read_like_single_ones(form):
    """Those in plain form all at once, and the others by strptime."""
    one = column({"type": "ngram", "n": 1, "positional": True}, {"type": "date", "format": form})
    document = {"version": 3, "clkConfig": {"l": 64, "kdf": {"type": "HKDF"}}, "features": [one]}
    schema, rows, expected, refused = parse_linkage_schema(json.dumps(document)), [], [], []
    for year, month, day in (day.split("|") for day in ODD_DAYS):
        cell = form.replace("%Y", year).replace("%m", month).replace("%d", day)
        for row in ([cell], [cell.lower()], [cell + "-"], [cell.replace("-", "–")]):
            try:
                expected.append(rules(document, row))
                rows.append(row)
            except ValueError:
                refused.append(row)
    assert rows
    assert refused
    assert [text for made in encode_records(rows, schema, SECRET) for text in texts(made)] == expected
    for row in refused:
        with pytest.raises(RosterError, match=f"^row {len(rows) + 1}, "):
            list(encode_records([*rows, row], schema, SECRET))


@pytest.mark.parametrize("missing", [{}, {"replaceWith": ""}, {"replaceWith": "19850312"}])
def test_a_sentinel_that_looks_like_a_date_is_none(missing):
    hashing = {"missingValue": {"sentinel": "1900-01-01", **missing}}
    document = {
        "version": 3,
        "clkConfig": {"l": 64, "kdf": {"type": "HKDF"}},
        "features": [column(form={"type": "date", "format": "%Y-%m-%d"}, **hashing)],
    }
    rows = [["1985-03-12"], ["1900-01-01"], ["1900-01-02"]]
    made = encode_records(rows, parse_linkage_schema(json.dumps(document)), SECRET)
    assert [text for filters in made for text in texts(filters)] == [rules(document, row) for row in rows]


def test_a_time_zone_in_a_format_is_allowed():
    rows = [["2020-01-02 +0300"]]
    assert len(list(encode_records(rows, schema_of(column(form={"type": "date", "format": "%Y-%m-%d %z"})), SECRET)))


def test_a_line_end_in_a_salt_is_allowed():
    with_end, without = (schema_of(column(), kdf={"type": "HKDF", "salt": salt}) for salt in ("c2Fs\n", "c2Fs"))
    assert with_end == without


NO_SCHEMA = {
    "no column": ([], {}, "features: at least one column is needed"),
    "a fold key that is not a number": ([column()], {"xorFolds": False}, "but clkhash ignores it"),
    "an ignored column with half a description": (
        [{"identifier": "x", "ignored": True, "format": {"type": "string"}}],
        {},
        "features[0].hashing: an object is needed",
    ),
    "an ignored column with a key too many": (
        [{"identifier": "x", "ignored": True, "descriptoin": ""}],
        {},
        "features[0].descriptoin: unknown key; did you mean 'description'?",
    ),
    "ignored by a number": ([{**column(), "ignored": 1}], {}, "features[0].ignored: true or false"),
    "a description that is not text": ([{**column(), "description": 5}], {}, "features[0].description: a string"),
    "a distance without measure": (
        [column({"type": "numeric", "thresholdDistance": 1e308, "resolution": 1, "fractional_precision": 3})],
        {},
        "thresholdDistance: too large",
    ),
}


@pytest.mark.parametrize(("given_columns", "config", "message"), NO_SCHEMA.values(), ids=NO_SCHEMA)
def test_what_clkhash_refuses_or_fails_at_is_refused(given_columns, config, message):
    with pytest.raises(SchemaError) as caught:
        schema_of(*given_columns, **config)
    assert message in str(caught.value)


def test_ignored_keys_are_reported_wherever_they_are():
    """`replacewith` and `preventSingularity` would change bits if clkhash read them."""
    one = column(
        hash={"type": "doubleHash", "preventSingularity": True}, missingValue={"sentinel": "-", "replacewith": "x"}
    )
    assert schema_of(one).unknown == (
        "features[0].hashing.hash.preventSingularity",
        "features[0].hashing.missingValue.replacewith",
    )


def test_line_ends_within_a_cell_are_line_feeds(tmp_path, capsys):
    """clkhash opens a CSV as text, which makes every line end a line feed."""
    document = {"version": 3, "clkConfig": {"l": 64, "kdf": {"type": "HKDF"}}, "features": [column()]}
    (tmp_path / "linkage.json").write_text(json.dumps(document))
    (tmp_path / "secret.txt").write_bytes(SECRET)
    for name, end in (("crlf", b"\r\n"), ("cr", b"\r"), ("lf", b"\n")):
        (tmp_path / f"{name}.csv").write_bytes(b"cell\n" + b'"ab' + end + b'cd"\n')
        words = ("convert", "clkhash", tmp_path / "linkage.json", tmp_path / f"{name}.csv", "--key-file")
        assert main([*map(str, words), str(tmp_path / "secret.txt"), "-o", str(tmp_path / f"{name}.json")]) == 0
    made = {json.loads((tmp_path / f"{name}.json").read_text())["clks"][0] for name in ("crlf", "cr", "lf")}
    assert made == {rules(document, ["ab\ncd"])}
    capsys.readouterr()


def test_a_schema_in_another_encoding_is_not_called_toml(tmp_path, capsys):
    (tmp_path / "linkage.json").write_bytes('{"é": 1}'.encode("latin-1"))
    for name in ("roster.csv", "secret.txt"):
        (tmp_path / name).write_text("x")
    words = ("linkage.json", "roster.csv", "--key-file", "secret.txt", "-o", "out.json")
    arguments = [word if word.startswith("-") else str(tmp_path / word) for word in words]
    assert main(["convert", "clkhash", *arguments]) == 1
    assert "TOML" not in capsys.readouterr().err
