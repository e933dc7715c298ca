"""The rarity table: every token has a worth, and what most people have is worth nothing."""

import hashlib
from typing import get_args

import pytest
from helpers import ROOT

from pprl.core.schema import FieldType
from pprl.encode.rarity import rarity, rarity_hash
from pprl.encode.tokens import date_tokens

TABLE = ROOT / "pprl" / "encode" / "data" / "rarity.tsv"


@pytest.mark.parametrize("kind", get_args(FieldType))
def test_every_kind_has_a_worth_for_tokens_that_nobody_knows(kind):
    assert rarity().worth(kind, "a token of nobody") == (0 if kind == "sex" else 4)


def test_the_table_holds_folded_tokens():
    table = rarity().worths
    assert set(table.values()) == {0, 2, 4}
    names = {token for kind, token in table if kind == "name"} - {"*"}
    assert all(len(token) == 2 and set(token) <= set("_abcdefghijklmnopqrstuvwxyz") for token in names)


def test_name_fields_have_one_table():
    for kind in ("surname", "given", "patronymic"):
        assert [rarity().worth(kind, token) for token in ("ov", "an", "xa")] == [0, 2, 4]
    assert rarity().worth("text", "ov") == 4


def test_parts_of_dates_are_worth_what_arithmetic_says():
    """Of people born from 1951 to 2010, 49 in 60 have 1 and 9 first, 9 of 12 months begin with 0."""
    halved = {token: worth for token in date_tokens("1985-03-12") if (worth := rarity().worth("date", token)) < 4}
    assert halved == {"0:1": 0, "1:9": 0, "2:8": 2, "4:0": 0, "6:1": 2}
    halved = {token: worth for token in date_tokens("1985") if (worth := rarity().worth("year", token)) < 4}
    assert halved == {"0:1": 0, "1:9": 0, "2:8": 2}


def test_the_hash_is_of_the_file():
    assert rarity_hash() == hashlib.sha256(TABLE.read_bytes()).digest()
