"""Canonical values of every field type for hypothesis, and people made of them."""

import string

import numpy as np
from hypothesis import strategies as st

from pprl.roster.people import MISSING, Column, People

WORDS = st.text("abegiknorstvx", min_size=1, max_size=9)
NAMES = st.lists(WORDS | st.sampled_from(["i.", "p.", "o."]), min_size=1, max_size=3).map(" ".join)
DATES = st.one_of(
    st.dates().map(lambda day: f"1985-{day:%m-%d}"),
    st.integers(1850, 2100).map(str),
    st.integers(1, 12).map(lambda month: f"1985-{month:02d}"),
)
VALUES = {
    "surname": NAMES,
    "given": NAMES,
    "patronymic": NAMES,
    "text": NAMES,
    "date": DATES,
    "year": st.integers(1850, 2100).map(str),
    "sex": st.sampled_from(["m", "f"]),
    "rank": st.sampled_from(["10", "40", "110"]),
    "identifier": st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=12),
    "category": st.lists(WORDS, min_size=1, max_size=3).map(" ".join),
    "number": st.integers(-(10**18), 10**18).map(str),
}


def people_of_values(persons, fields):
    """People from dictionaries of canonical values by field, any of them missing."""
    columns = {}
    for field in fields:
        values = {}
        codes = [
            values.setdefault(person[field.name], len(values)) if field.name in person else MISSING
            for person in persons
        ]
        columns[field.name] = Column(tuple(values), np.array(codes, dtype=np.int32))
    return People(np.arange(len(persons)), columns)
