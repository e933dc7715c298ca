"""Decoys of a list as the registry's office would write them, whatever fields it has filled.

Where no party has both rosters, nobody can see how their offices differ (`pprl.encode.planting` can). The list's owner
then assumes typing errors as frequent as `pprl check` does, and spells some decoys once for every set of fields that a
registry may have filled. How often it has each set, the registry's own decoys say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix, Words
from pprl.core.encodings import shape_number
from pprl.core.planted import MOST_FIELDS, MOST_SHAPES, STEPS, PlantedTable
from pprl.core.randomness import RandomStream
from pprl.core.schema import Field, Schema
from pprl.encode.encoder import Encoder
from pprl.encode.planting import is_whole
from pprl.encode.respelling import Respeller, completed, initials
from pprl.roster.people import Column, People

PLANTED_DECOYS = 200
PARTS = ("given", "patronymic", "date")  # types of which registries hold a part: initials, or the year


def plant_decoys(
    decoys: People, words: Words, schema: Schema, encoder: Encoder, draws: RandomStream
) -> PlantedTable | None:
    """Some ``decoys``, with their bits ``words``, beside their spellings in the registry.

    None if a linked field is whole in none of them, since nobody knows what the registry has there, or if more fields
    are linked than a table holds.
    """
    fields = schema.linked()
    if len(fields) > MOST_FIELDS:
        return None
    pools = {field.name: _whole_values(decoys, field) for field in fields}
    if not all(pools.values()):
        return None
    chosen = draws.permutation(len(decoys))[:PLANTED_DECOYS]
    people, ours = decoys.take(chosen), words[chosen]
    respeller, shapes, columns, differs = Respeller(draws), shapes_of_registry(fields), {}, []
    for index, field in enumerate(fields):
        pool, texts = pools[field.name], people.columns[field.name].texts()
        models = [pool[index] for index in draws.below(len(pool), len(people)).tolist()]
        whole = [_whole(text, model, field.type) for text, model in zip(texts, models, strict=True)]
        written = [respeller.retyped(value, field.type) for value in whole]
        of_digit = _by_fullness(written, field.type)
        columns[field.name] = Column.of([text for shape in shapes for text in of_digit[shape[index]]])
        differs.append([value != other for value, other in zip(whole, written, strict=True)])
    registered = People(np.tile(people.rows, len(shapes)), columns)
    theirs = encoder.encode(registered).words.reshape(len(shapes), *ours.shape)
    return PlantedTable(
        completeness=people.completeness(schema),
        shapes=np.array([shape_number(shape) for shape in shapes], dtype=np.uint64),
        similarity=np.column_stack([_similarity(ours, words) for words in theirs]),
        differs=np.array(differs, dtype=bool).T,
    )


def shapes_of_registry(fields: Sequence[Field]) -> list[str]:
    """Which linked fields a registry may have filled, as `pprl.encode.labels.filled_shapes` writes it: the fullest
    first, at most `MOST_SHAPES`."""
    shapes = [""]
    for field in fields:  # what is not among the fullest so far can begin none of the fullest
        longer = [shape + digit for shape in shapes for digit in ("210" if field.type in PARTS else "20")]
        shapes = sorted(longer, key=lambda shape: (-sum(map(int, shape)), shape))[:MOST_SHAPES]
    return [shape for shape in shapes if shape.strip("0")]


def _whole_values(people: People, field: Field) -> list[str]:
    """The whole values of a field, one for each row that has one."""
    return [text for text in people.columns[field.name].texts() if text is not None and is_whole(text, field.type)]


def _whole(text: str | None, model: str, kind: str) -> str:
    return model if text is None else completed(text, model, kind)


def _by_fullness(values: Sequence[str], kind: str) -> Mapping[str, Sequence[str | None]]:
    """A field of people of whom the registry has nothing, a part, and the whole: by the digits of a shape."""
    part = [value[: len("1985")] if kind == "date" else initials(value) for value in values]
    return {"0": [None] * len(values), "1": part, "2": values}


def _similarity(ours: Words, theirs: Words) -> NDArray[np.uint8]:
    """Of each person's two encodings, rounded to 255ths."""
    common, one, other = (BitMatrix(words).weights() for words in (ours & theirs, ours, theirs))
    total = np.maximum(1, one + other)
    rounded: NDArray[np.int32] = (4 * STEPS * common + total) // (2 * total)
    return rounded.astype(np.uint8)
