"""Rows to the filters of clkhash, bit for bit: its tokens, hashes, folding and order of bits, by our encoder.

Each distinct value is prepared once and each distinct token hashed once, as `pprl.encode` does it; `reference` says
the same one row at a time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.encode import Masks, Positions, Tokenised, Tokeniser, gathered, one_by_one
from pprl.errors import RosterError
from pprl.interop.linkage_schema import Feature, LinkageSchema, Ngram, Numeric, UnfitError, derived_keys

Places = NDArray[np.int64]
Filters = NDArray[np.uint8]  # shape (rows, ⌈length / 8⌉), the first bit of a filter the highest of its first byte

ROWS_AT_A_TIME = 100_000
LETTERS_IN_A_NUMBER = 3  # 21 bits each
PIECES = 32  # in a digest


class ClkEncoder:
    """Encodes records chunk by chunk; frequent values and tokens are worked out once."""

    def __init__(self, schema: LinkageSchema, secret: bytes) -> None:
        self._schema = schema
        self._masks = [
            None
            if feature is None
            else Masks(tokeniser(feature), places_of(feature, schema.unfolded, *keys), schema.unfolded)
            for feature, keys in zip(schema.features, derived_keys(schema, secret), strict=True)
        ]

    def encode(self, records: Sequence[Sequence[str]], places: Sequence[int]) -> Filters:
        """One filter a record; ``places`` are the rows of the file, which errors name.

        RosterError: a record with more or fewer cells than the schema has columns, or a cell that its format does not
        allow; the row and the column are named, the cell is not.
        """
        schema = self._schema
        if {len(schema.features)} != set(map(len, records)):
            _refuse_ragged(records, places, len(schema.features))
        fields = []
        cells = np.array(records, dtype=object).reshape(len(records), len(schema.features))
        for feature, masks, column in zip(schema.features, self._masks, cells.T, strict=True):
            if feature is not None and masks is not None:
                codes, distinct = pd.factorize(column)
                values = _prepared(feature, distinct.tolist(), codes, places)
                said = np.array(list(map(bool, values)))
                numbers = np.where(said, np.cumsum(said) - 1, -1)
                fields.append((masks.of(list(filter(None, values))), numbers[codes].astype(np.int32)))
        words = gathered(fields, len(records), -(-schema.unfolded // 64))
        return _folded(words, schema)


def _refuse_ragged(records: Sequence[Sequence[str]], places: Sequence[int], columns: int) -> None:
    for place, record in zip(places, records, strict=True):
        if len(record) != columns:
            raise RosterError(
                f"row {place}: {len(record)} cells, and the schema has {columns} columns",
                hint="columns go by their order, ignored ones included; blank lines are no rows",
            )


def _prepared(
    feature: Feature, distinct: Sequence[str], codes: NDArray[np.int64], places: Sequence[int]
) -> Sequence[str]:
    numeric = feature.comparison if isinstance(feature.comparison, Numeric) else None
    if feature.allows_everything and numeric is None:
        return distinct
    values = []
    for at, cell in enumerate(distinct):
        try:
            values.append(feature.canonical(cell))
            if numeric:
                numeric.tokens(values[-1])
        except UnfitError as error:
            row = places[int(np.flatnonzero(codes == at)[0])]
            raise RosterError(
                f"row {row}, column {feature.identifier!r}: {error}",
                hint="mend the cell, or give the column a missingValue in the schema",
            ) from None
    return values


def tokeniser(feature: Feature) -> Tokeniser[tuple[str, int]]:
    """The feature's own tokens and bits, for many values at once where a window of letters fits into a number."""
    comparison = feature.comparison
    if isinstance(comparison, Ngram) and comparison.n <= LETTERS_IN_A_NUMBER:
        return partial(_windows, feature, comparison)
    return one_by_one(feature.tokens)


def _windows(feature: Feature, comparison: Ngram, values: Sequence[str]) -> Tokenised[tuple[str, int]]:
    """All windows of all values as numbers, of which the distinct ones are spelled out."""
    n, padding = comparison.n, " " * (comparison.n - 1)
    joined = "".join([f"{padding}{value}{padding}" for value in values])
    letters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    counts = np.array([len(value) + n - 1 for value in values], dtype=np.int64)
    order = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)  # place of a window in its value
    starts = np.repeat(np.cumsum(counts + n - 1) - (counts + n - 1), counts) + order
    windows = np.zeros(len(starts), dtype=np.uint64)
    for letter in range(n):
        windows = windows << np.uint64(21) | letters[starts + letter]
    if feature.per_feature is None:
        bits = np.full(len(windows), feature.per_token, dtype=np.int64)
    else:
        each, rest = np.divmod(feature.per_feature, counts)
        bits = np.repeat(each, counts) + (order < np.repeat(rest, counts))
    number, distinct = pd.factorize(windows)
    most = int(bits.max(initial=0)) + 1
    longest = int(counts.max(initial=0)) if comparison.positional else 1
    at = order if comparison.positional else 0
    places, kinds = pd.factorize((number * longest + at) * most + bits)
    window, place = np.divmod(kinds // most, longest)
    spelled = [_spelled(each, n) for each in distinct.tolist()]
    texts = [spelled[each] for each in window.tolist()]
    if comparison.positional:
        texts = [f"{at} {text}" for at, text in zip((place + 1).tolist(), texts, strict=True)]
    return Tokenised(list(zip(texts, (kinds % most).tolist(), strict=True)), places.astype(np.int64), counts)


def _spelled(window: int, n: int) -> str:
    return "".join(chr(window >> 21 * (n - 1 - letter) & 0x1FFFFF) for letter in range(n))


def places_of(
    feature: Feature, length: int, key: bytes, other_key: bytes
) -> Callable[[Sequence[tuple[str, int]]], Positions]:
    """Where the bits of tokens stand; a token comes with how many bits it gets."""
    encoding = feature.format.encoding
    if feature.double_hash:
        return partial(_double_hash, encoding, length, key, other_key, feature.prevent_singularity)
    return partial(_blake_hash, encoding, length, key)


def _blake_hash(encoding: str, length: int, key: bytes, tokens: Sequence[tuple[str, int]]) -> Positions:
    """16-bit pieces of keyed BLAKE2b with the salts "0", "1", …, modulo the length; collisions are not drawn again.

    The first bit of a byte is its highest, and ours its lowest: places are turned around within each byte.
    """
    counts = np.array([bits for _, bits in tokens], dtype=np.int64)
    salts = [str(count).encode() for count in range(-(-int(counts.max(initial=0)) // PIECES))]
    digests = [
        hashlib.blake2b(text.encode(encoding), key=key, salt=salt, digest_size=64).digest()
        for text, _ in tokens
        for salt in salts
    ]
    drawn = np.frombuffer(b"".join(digests), dtype="<u2").reshape(len(tokens), PIECES * len(salts))
    wanted = np.arange(drawn.shape[1]) < counts[:, None]
    return drawn[wanted].astype(np.int64) % length ^ 7, counts


def _double_hash(
    encoding: str, length: int, key: bytes, other_key: bytes, prevent: bool, tokens: Sequence[tuple[str, int]]
) -> Positions:
    """h1 + i · h2, from HMAC-SHA1 and HMAC-MD5 (Schnell, Bachteler and Reiher 2009); where h2 is 0 all bits of a token
    are one, which may be prevented."""
    found = []
    for text, bits in tokens:
        data = text.encode(encoding)
        first = int.from_bytes(hmac.digest(key, data, "sha1")) % length
        second = int.from_bytes(hmac.digest(other_key, data, "md5")) % length
        for count in itertools.count() if prevent and length > 1 else ():
            if second:
                break
            second = int.from_bytes(hmac.digest(other_key, data + chr(count).encode(), "md5")) % length
        found.append((first + np.arange(bits, dtype=np.int64) * second) % length ^ 7)
    return np.concatenate(found), np.array([bits for _, bits in tokens], dtype=np.int64)


def _folded(words: NDArray[np.uint64], schema: LinkageSchema) -> Filters:
    """Each fold XORs the second half onto the first."""
    filters = words.view(np.uint8)
    if schema.folds:
        bits = np.unpackbits(filters, axis=1)[:, : schema.unfolded]
        for _ in range(schema.folds):
            half = bits.shape[1] // 2
            bits = bits[:, :half] ^ bits[:, half:]
        filters = np.packbits(bits, axis=1)
    return filters[:, : -(-schema.length // 8)]


def encode_records(
    records: Iterable[Sequence[str]], schema: LinkageSchema, secret: bytes, *, first_row: int = 1
) -> Iterator[Filters]:
    """Filters chunk by chunk; the record that comes first stands in ``first_row`` of its file."""
    encoder, place, stream = ClkEncoder(schema, secret), first_row, iter(records)
    while chunk := list(itertools.islice(stream, ROWS_AT_A_TIME)):
        yield encoder.encode(chunk, range(place, place + len(chunk)))
        place += len(chunk)


def texts(filters: Filters) -> list[str]:
    """The filters as clkhash writes them: base64, a line each."""
    return [base64.b64encode(row).decode() for row in np.ascontiguousarray(filters)]


def reference(record: Sequence[str], schema: LinkageSchema, secret: bytes) -> str:
    """The definition, one record at a time; the oracle in the tests."""
    bits = [False] * schema.unfolded
    for feature, keys, cell in zip(schema.features, derived_keys(schema, secret), record, strict=True):
        for token in feature.tokens(feature.canonical(cell)) if feature else ():
            assert feature is not None
            for place in places_of(feature, schema.unfolded, *keys)([token])[0].tolist():
                bits[place ^ 7] = True
    for _ in range(schema.folds):
        half = len(bits) // 2
        bits = [one != other for one, other in zip(bits[:half], bits[half:], strict=True)]
    return base64.b64encode(np.packbits(bits).tobytes()).decode()
