"""Linkage schemas of clkhash, bit for bit, and the JSON files of anonlink."""

import base64
import copy
import json

import numpy as np
import pytest
from helpers import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from pprl.core.errors import FileError, MismatchError, PprlError, RosterError, SchemaError
from pprl.interop.anonlink import one_to_one, read_clks, share_a_block
from pprl.interop.clkhash import encode_records, reference, texts
from pprl.interop.linkage_schema import Date, Exact, Integer, Ngram, Numeric, UnfitError, parse_linkage_schema
from pprl.match.search import Pairs

VECTORS = json.loads((DATA / "clkhash_vectors.json").read_text("utf-8"))
SECRET = b"a secret for tests, and no other"
BIGRAMS = {"comparison": {"type": "ngram", "n": 2}, "strategy": {"bitsPerToken": 10}}


def document(*hashings, form=None, **config):
    """A schema with a text column for each hashing."""
    columns = [
        {"identifier": f"column {at}", "format": form or {"type": "string"}, "hashing": hashing}
        for at, hashing in enumerate(hashings)
    ]
    return {"version": 3, "clkConfig": {"l": 1024, "kdf": {"type": "HKDF"}, **config}, "features": columns}


def schema_of(data):
    return parse_linkage_schema(json.dumps(data))


def encoded(rows, schema, secret=SECRET):
    return [text for filters in encode_records(rows, schema, secret) for text in texts(filters)]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_bits_are_those_of_clkhash(case):
    schema = schema_of(case["schema"])
    assert encoded(case["rows"], schema, case["secret"].encode()) == case["clks"]
    assert [reference(row, schema, case["secret"].encode()) for row in case["rows"]] == case["clks"]


letters = st.text(st.sampled_from("abcdefgAÄéи漢😀 .'-0123456789") | st.characters(codec="utf-8"), max_size=12)
comparisons = st.sampled_from([1, 2, 3, 4]).flatmap(
    lambda n: st.booleans().map(lambda positional: {"type": "ngram", "n": n, "positional": positional})
) | st.just({"type": "exact"})
strategies = st.integers(1, 90).flatmap(
    lambda bits: st.sampled_from([{"bitsPerToken": bits}, {"bitsPerFeature": 3 * bits}])
)
hashes = st.sampled_from(
    [{"type": "blakeHash"}, {"type": "doubleHash"}, {"type": "doubleHash", "prevent_singularity": True}]
)
missing = st.sampled_from([None, {"sentinel": ""}, {"sentinel": "a", "replaceWith": "bcd"}])
hashings = st.builds(
    lambda comparison, strategy, hashed, gone: {
        "comparison": comparison,
        "strategy": strategy,
        "hash": hashed,
        **({"missingValue": gone} if gone else {}),
    },
    comparisons,
    strategies,
    hashes,
    missing,
)


@settings(max_examples=120, derandomize=True)
@given(data=st.data())
def test_many_rows_at_once_are_the_definition(data):
    columns = data.draw(st.lists(hashings, min_size=1, max_size=3))
    blake = any(column["hash"]["type"] == "blakeHash" for column in columns)
    length = data.draw(st.sampled_from([8, 64, 1024])) if blake else data.draw(st.integers(1, 200))
    schema = schema_of(document(*columns, l=length, xor_folds=data.draw(st.integers(0, 3))))
    rows = data.draw(st.lists(st.tuples(*[letters] * len(columns)).map(list), max_size=8))
    assert encoded(rows, schema) == [reference(row, schema, SECRET) for row in rows]


def test_the_tokens_are_those_of_clkhash():
    assert Ngram(2).tokens("clk") == [" c", "cl", "lk", "k "]
    assert Ngram(2, positional=True).tokens("clk") == ["1  c", "2 cl", "3 lk", "4 k "]
    assert Ngram(1, positional=True).tokens("cl") == ["1 c", "2 l"]
    assert Ngram(3).tokens("") == []
    assert Exact().tokens("whole") == ["whole"]
    numbers = Numeric(8, 2)
    for value in ("25", "26", "25.9"):
        assert numbers.tokens(value) == ["88", "96", "104", "112", "120"]
    assert numbers.tokens("-3") == ["-24", "-16", "-8", "0", "8"]
    assert Integer().canonical("+013") == Integer().canonical(" 13") == "13"
    assert Date("%d.%m.%Y").canonical("12.3.1985") == "19850312"
    for unfit in ("nan", "inf", "twelve"):
        with pytest.raises(UnfitError, match="expected a finite number"):
            numbers.tokens(unfit)


def test_an_ignored_column_uses_up_its_keys():
    two, one = document(BIGRAMS, BIGRAMS), document(BIGRAMS)
    two["features"][0] = {"identifier": "column 0", "ignored": True}
    with_ignored = encoded([["x", "Anna"]], schema_of(two))
    assert with_ignored == encoded([["other", "Anna"]], schema_of(two))
    assert with_ignored != encoded([["Anna"]], schema_of(one))


def test_a_longer_secret_salt_or_info_changes_everything():
    plain = encoded([["Anna"]], schema_of(document(BIGRAMS)))
    salt = base64.b64encode(b"salt").decode()
    others = [
        encoded([["Anna"]], schema_of(document(BIGRAMS)), SECRET + b"."),
        encoded([["Anna"]], schema_of(document(BIGRAMS, kdf={"type": "HKDF", "salt": salt}))),
        encoded([["Anna"]], schema_of(document(BIGRAMS, kdf={"type": "HKDF", "info": salt}))),
        encoded([["Anna"]], schema_of(document(BIGRAMS, kdf={"type": "HKDF", "hash": "SHA512"}))),
    ]
    assert len({*plain, *(text for texts in others for text in texts)}) == 5


def changed(path, value):
    data = copy.deepcopy(document(BIGRAMS))
    at = data
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return data


FIRST = ("features", 0)
HASHING = (*FIRST, "hashing")
FAULTS = {
    "the fold key of the documents": (("clkConfig", "xorFolds"), 1, "but clkhash ignores it"),
    "no length": (("clkConfig", "l"), ..., "clkConfig.l: a whole number of at least 1"),
    "a length for blakeHash": (("clkConfig", "l"), 1000, "a power of two is needed for blakeHash"),
    "folds as text": (("clkConfig", "xor_folds"), "1", "clkConfig.xor_folds"),
    "another KDF": (("clkConfig", "kdf", "type"), "PBKDF2", "clkConfig.kdf.type: one of HKDF is needed"),
    "a salt in clear": (("clkConfig", "kdf", "salt"), "s@lt", "clkConfig.kdf.salt: base64 is needed"),
    "too long keys": (("clkConfig", "kdf", "keySize"), 65, "at most 64 for blakeHash"),
    "more than HKDF gives": (("clkConfig", "kdf", "keySize"), 5000, "HKDF cannot derive that many bytes"),
    "no hashing": ((*FIRST, "hashing"), ..., "features[0].hashing: an object is needed"),
    "a typing error": ((*HASHING, "strategie"), {}, "did you mean 'strategy'?"),
    "two strategies": ((*HASHING, "strategy"), {"bitsPerToken": 1, "bitsPerFeature": 1}, "either bitsPerToken or"),
    "no bits": ((*HASHING, "strategy"), {"bitsPerToken": 0}, "bitsPerToken: a whole number of at least 1"),
    "a part of a letter": ((*HASHING, "comparison", "n"), 2.0, "comparison.n: a whole number"),
    "another comparison": ((*HASHING, "comparison"), {"type": "soundex"}, "one of ngram, exact, numeric"),
    "a distance that rounds to 0": (
        (*HASHING, "comparison"),
        {"type": "numeric", "thresholdDistance": 0.01, "resolution": 1},
        "raise fractional_precision",
    ),
    "a wrong option": ((*HASHING, "hash"), {"type": "blakeHash", "prevent_singularity": True}, "works with doubleHash"),
    "a pattern": ((*FIRST, "format"), {"type": "string", "pattern": "("}, "not a regular expression"),
    "a pattern and a length": ((*FIRST, "format"), {"type": "string", "pattern": "a", "maxLength": 2}, "unknown key"),
    "a format of dates": ((*FIRST, "format"), {"type": "date", "format": "%Q"}, "not a date format"),
    "values": ((*FIRST, "format"), {"type": "enum", "values": [1]}, "a list of strings is needed"),
    "version 4": (("version",), 4, "version: 3 is needed"),
    "no list": (("features",), {}, "features: a list is needed"),
}


@pytest.mark.parametrize(("path", "value", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_reported_with_its_path(path, value, message):
    with pytest.raises(SchemaError) as caught:
        schema_of(changed(path, value))
    assert message in str(caught.value)


def test_all_faults_at_once():
    data = document(BIGRAMS)
    data["clkConfig"]["l"] = 0
    data["features"][0]["format"] = {"type": "integer", "minimum": "x"}
    with pytest.raises(SchemaError) as caught:
        schema_of(data)
    assert str(caught.value).splitlines() == [
        "linkage schema, clkConfig.l: a whole number of at least 1 and at most 1,048,576 is needed",
        "linkage schema, features[0].format.minimum: a whole number is needed",
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_older_versions_have_a_way_out(version):
    with pytest.raises(SchemaError, match=f"version {version}, and pprl reads version 3") as caught:
        parse_linkage_schema(json.dumps({"version": version}))
    assert "convert_to_latest_version" in caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"version": 3, "version": 3}', "[" * 100_000])
def test_texts_that_are_not_a_schema(text):
    with pytest.raises(SchemaError):
        parse_linkage_schema(text)


def test_keys_that_clkhash_ignores_are_reported():
    data = document(BIGRAMS, purpose="test")
    data["features"][0]["note"] = "x"
    assert schema_of(data).unknown == ("clkConfig.purpose", "features[0].note")


def test_errors_name_row_and_column_and_no_value():
    schema = schema_of(document(BIGRAMS, form={"type": "date", "format": "%Y-%m-%d"}))
    rows = [["1985-03-12"], ["1985-03-12"], ["Zqxjkv"], ["Zqxjkv"]]
    with pytest.raises(RosterError, match="row 4, column 'column 0': expected a date as %Y-%m-%d") as caught:
        list(encode_records(rows, schema, SECRET, first_row=2))
    assert "Zqxjkv" not in str(caught.value) + caught.value.hint
    with pytest.raises(RosterError, match="row 2: 2 cells, and the schema has 1 columns"):
        list(encode_records([["1985-03-12"], ["Zqxjkv", ""]], schema, SECRET))


# ---------------------------------------------------------------- anonlink


def written(tmp_path, data):
    path = tmp_path / "clks.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return path


def b64(*numbers):
    return base64.b64encode(bytes(numbers)).decode()


def test_filters_and_blocks(tmp_path):
    read = read_clks(written(tmp_path, {"clks": [b64(255, 1, 0), b64(0, 0, 3)]}))
    assert (read.length, read.bits.weights().tolist(), read.blocks) == (24, [9, 2], None)
    blocked = read_clks(written(tmp_path, {"clknblocks": [[b64(1), "a", "b"], [b64(2)]]}))
    assert blocked.blocks == (frozenset("ab"), frozenset())
    with pytest.raises(MismatchError, match="24 and 8 bits"):
        read.require_same(blocked)
    with pytest.raises(MismatchError, match="only one of the two files has blocks"):
        blocked.require_same(read_clks(written(tmp_path, {"clks": [b64(1)]})))


WRONG = {
    "cut short": '{"clks": ["AA',
    "other things": {"groups": []},
    "both": {"clks": [b64(1)], "clknblocks": [[b64(1)]]},
    "no base64": {"clks": ["??"]},
    "numbers": {"clks": [1]},
    "two lengths": {"clks": [b64(1), b64(1, 2)]},
    "none": {"clks": []},
    "empty filters": {"clks": [""]},
    "blocks that are no names": {"clknblocks": [[b64(1), 2]]},
    "blocks without a filter": {"clknblocks": [[]]},
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_files_without_filters(tmp_path, data):
    with pytest.raises(FileError, match=r"^clks\.json: "):
        read_clks(written(tmp_path, data))


def test_only_records_that_share_a_block_are_pairs(tmp_path):
    ours = read_clks(written(tmp_path, {"clknblocks": [[b64(1), "a"], [b64(1), "b"]]}))
    theirs = read_clks(written(tmp_path, {"clknblocks": [[b64(1), "b", "c"], [b64(1), "d"]]}))
    rows, others = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    pairs = Pairs.from_parts([np.stack([rows, others, np.ones(4, dtype=np.int64), np.full(4, 2)])], "numpy")
    assert share_a_block(pairs, ours, theirs).tolist() == [False, False, True, False]


def test_the_most_similar_are_matched_first():
    ours, theirs = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1])
    kept = one_to_one(ours, theirs, np.array([0.9, 0.8, 0.95, 0.7, 0.8]))
    assert [(int(ours[pair]), int(theirs[pair])) for pair in kept] == [(1, 0), (0, 1)]


def test_refusals_are_ours(tmp_path):
    with pytest.raises(PprlError) as caught:
        read_clks(tmp_path / "missing.json")
    assert str(caught.value) == "missing.json: cannot be read (No such file or directory)"
