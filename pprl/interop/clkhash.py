"""Rows to the filters of clkhash, bit for bit: its tokens, hashes, folding and order of bits, with our encoder.

Each distinct value is prepared once and each distinct token hashed once, as in `pprl.encode.bloom`; `reference` does
the same one row at a time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from operator import itemgetter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pprl.core.errors import RosterError
from pprl.encode.bloom import Masks, Positions, Tokenised, Tokeniser, gathered, one_by_one
from pprl.interop.linkage_schema import Date, Feature, LinkageSchema, Ngram, Numeric, UnfitError, derived_keys

Filters = NDArray[np.uint8]  # shape (rows, ⌈length / 8⌉); the first bit of a filter is the highest of its first byte

ROWS_AT_A_TIME = 100_000
BITS_AT_A_TIME = 1 << 28  # of filters before folding: 32 MiB
TABLE = 1 << 20  # entries: 8 MiB
PIECES = 32  # in a digest


class ClkEncoder:
    """Encodes records chunk by chunk; frequent values and tokens are computed once."""

    def __init__(self, schema: LinkageSchema, secret: bytes) -> None:
        self._schema = schema
        self._masks = [
            None
            if feature is None
            else Masks(tokeniser(feature), positions_of(feature, schema.unfolded, *keys), schema.unfolded)
            for feature, keys in zip(schema.features, derived_keys(schema, secret), strict=True)
        ]

    def encode(self, records: Sequence[Sequence[str]], rows: Sequence[int]) -> Filters:
        """One filter for each record; ``rows`` are their row numbers in the file, for errors.

        RosterError: a record with more or fewer cells than the schema has columns, or a cell that its format does not
        allow; the message names the row and the column, not the cell.
        """
        schema = self._schema
        if {len(schema.features)} != set(map(len, records)):
            _refuse_ragged(records, rows, len(schema.features))
        fields = []
        for column, (feature, masks) in enumerate(zip(schema.features, self._masks, strict=True)):
            if feature is not None and masks is not None:
                codes, distinct = _numbered(map(itemgetter(column), records), len(records))
                values = _prepared(feature, distinct, codes, rows)
                if not all(values):  # an empty value has no token, and so no bits
                    filled = np.fromiter(map(bool, values), dtype=bool, count=len(values))
                    codes = np.where(filled, np.cumsum(filled, dtype=np.int32) - 1, -1)[codes].astype(np.int32)
                    values = list(filter(None, values))
                fields.append((masks.of(values), codes))
        words = gathered(fields, len(records), -(-schema.unfolded // 64))
        return _folded(words, schema)


def _numbered(cells: Iterable[str], count: int) -> tuple[NDArray[np.int32], list[str]]:
    """The index of each cell among the distinct cells, and the distinct cells."""
    indices: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    codes = np.fromiter(map(indices.__getitem__, cells), dtype=np.int32, count=count)
    return codes, list(indices)


def _refuse_ragged(records: Sequence[Sequence[str]], rows: Sequence[int], columns: int) -> None:
    for row, record in zip(rows, records, strict=True):
        if len(record) != columns:
            raise RosterError(
                f"row {row}: {len(record)} cells, and the schema has {columns} columns",
                hint="the order of columns counts, including ignored ones; blank lines are not rows",
            )


def _prepared(
    feature: Feature, distinct: Sequence[str], codes: NDArray[np.int32], rows: Sequence[int]
) -> Sequence[str]:
    """The canonical values of the distinct cells."""
    numeric = feature.comparison if isinstance(feature.comparison, Numeric) else None
    if feature.allows_everything and numeric is None and _encodable(distinct):
        return distinct
    plain_dates = _plain_dates(feature.format, distinct) if isinstance(feature.format, Date) else {}
    if feature.sentinel in plain_dates:
        del plain_dates[feature.sentinel]
    values = []
    for index, cell in enumerate(distinct):
        try:
            values.append(plain_dates.get(cell) or feature.canonical(cell))
            if numeric:
                numeric.tokens(values[-1])
        except UnfitError as error:
            row = rows[int(np.flatnonzero(codes == index)[0])]
            raise RosterError(
                f"row {row}, column {feature.identifier!r}: {error}",
                hint="correct the cell, or give the column a missingValue in the schema",
            ) from None
    return values


def _plain_dates(form: Date, cells: Sequence[str]) -> dict[str, str]:
    """The canonical forms of plain dates from the year 1000 on; days after the 28th are left to the calendar."""
    sample = form.format.replace("%Y", "1000").replace("%m", "01").replace("%d", "01")
    found = form.plain and form.plain.fullmatch(sample)
    if not found:
        return {}
    year, month, day = map(found.start, ("year", "month", "day"))
    digit_positions = [*range(year, year + 4), month, month + 1, day, day + 1]
    cells = [cell for cell in cells if len(cell) == len(sample)]
    letters = _code_points("".join(cells)).reshape(len(cells), len(sample))
    digits = letters[:, digit_positions] - np.uint32(ord("0"))  # anything before "0" in Unicode becomes a large number
    months, days = digits[:, [4, 6]].T * np.uint32(10) + digits[:, [5, 7]].T
    separators = np.delete(letters, digit_positions, axis=1) == np.delete(_code_points(sample), digit_positions)
    fits = separators.all(axis=1) & (digits <= 9).all(axis=1) & (digits[:, 0] > 0)
    fits &= (months >= 1) & (months <= 12) & (days >= 1) & (days <= 28)
    text = letters[fits][:, digit_positions].astype(np.uint8).tobytes().decode("ascii")
    canonical = (text[start : start + 8] for start in range(0, len(text), 8))
    return dict(zip(itertools.compress(cells, fits), canonical, strict=True))


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _encodable(values: Sequence[str]) -> bool:
    """False if one contains half a surrogate pair."""
    try:
        "".join(values).encode("utf-16-le")
    except UnicodeEncodeError:
        return False
    return True


def tokeniser(feature: Feature) -> Tokeniser[tuple[str, int]]:
    """The feature's tokens and bits, for many values at once if tokens are windows of letters."""
    if isinstance(feature.comparison, Ngram):
        return partial(_windows, feature, feature.comparison)
    return one_by_one(feature.tokens)


def _windows(feature: Feature, comparison: Ngram, values: Sequence[str]) -> Tokenised[tuple[str, int]]:
    """All windows of all values: each is a number that includes its position and its bits where these count.

    Neighbours share their padding, so the windows of the joined text are those of the values, one after the other.
    """
    n, padding = comparison.n, " " * (comparison.n - 1)
    joined = padding + padding.join(values) + padding
    code_points = _code_points(joined).astype(np.int64)
    letters, alphabet = _among(code_points, int(code_points.max(initial=0)) + 1)
    counts = np.fromiter(map(len, values), dtype=np.int64, count=len(values)) + n - 1
    total, size, longest, most = int(counts.sum()), len(alphabet), 1, 1
    if comparison.positional:
        positions = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        longest = int(counts.max(initial=0))
    if feature.per_feature is not None:
        fewer, extra = np.divmod(feature.per_feature, counts)
        bits = np.repeat(_interleaved(fewer + 1, fewer), _interleaved(extra, counts - extra))
        most = int(bits.max(initial=0)) + 1
    space = size**n * longest * most
    if space >= 1 << 63:
        return one_by_one(feature.tokens)(values)
    windows = letters[:total]
    for letter in range(1, n):
        windows = windows * size + letters[letter : letter + total]
    if comparison.positional:
        windows = windows * longest + positions
    if feature.per_feature is not None:
        windows = windows * most + bits
    indices, kinds = _among(windows, space)
    kinds, bits = np.divmod(kinds, most)
    kinds, positions = np.divmod(kinds, longest)
    points = [alphabet[kinds // size ** (n - 1 - letter) % size] for letter in range(n)]
    written = np.stack(points, axis=1).astype("<u4").tobytes().decode("utf-32-le")
    texts = [written[start : start + n] for start in range(0, len(written), n)]
    if comparison.positional:
        texts = [f"{number} {text}" for number, text in zip((positions + 1).tolist(), texts, strict=True)]
    bits_of_text = bits.tolist() if feature.per_token is None else [feature.per_token] * len(texts)
    return Tokenised(list(zip(texts, bits_of_text, strict=True)), indices, counts)


def _interleaved(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack([first, second], axis=1).ravel()


def _among(numbers: NDArray[np.int64], below: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The index of each number among the distinct ones, and these: by a table, or by hashing if that is large."""
    if below > TABLE:
        indices, distinct = pd.factorize(numbers)
        return indices.astype(np.int64, copy=False), distinct
    table = np.zeros(below, dtype=np.int64)
    table[numbers] = 1
    distinct = np.flatnonzero(table)
    table[distinct] = np.arange(len(distinct))
    return table[numbers], distinct


def positions_of(
    feature: Feature, length: int, key: bytes, other_key: bytes
) -> Callable[[Sequence[tuple[str, int]]], Positions]:
    """The positions of the bits of tokens; a token comes with the number of bits it gets."""
    encoding = feature.format.encoding
    if feature.double_hash:
        return partial(_double_hash, encoding, length, key, other_key, feature.prevent_singularity)
    return partial(_blake_hash, encoding, length, key)


def _blake_hash(encoding: str, length: int, key: bytes, tokens: Sequence[tuple[str, int]]) -> Positions:
    """16-bit pieces of keyed BLAKE2b with the salts "0", "1", …, modulo the length; collisions are not replaced.

    The first bit of a byte is the highest for clkhash and the lowest for us: positions are reversed within each byte.
    """
    counts = np.array([bits for _, bits in tokens], dtype=np.int64)
    needed = -(-counts // PIECES)
    salts = [str(count).encode() for count in range(needed.max(initial=0))]

    @cache  # tokens of one text may have different numbers of bits
    def digest(text: str, salt: bytes) -> bytes:
        return hashlib.blake2b(text.encode(encoding), key=key, salt=salt, digest_size=64).digest()

    digests = [
        digest(text, salt) for (text, _), count in zip(tokens, needed.tolist(), strict=True) for salt in salts[:count]
    ]
    drawn = np.frombuffer(b"".join(digests), dtype="<u2").astype(np.int64)
    wanted = np.repeat(np.tile([True, False], len(tokens)), _interleaved(counts, PIECES * needed - counts))
    return drawn[wanted] % length ^ 7, counts


def _double_hash(
    encoding: str, length: int, key: bytes, other_key: bytes, prevent: bool, tokens: Sequence[tuple[str, int]]
) -> Positions:
    """h1 + i · h2, from HMAC-SHA1 and HMAC-MD5 (Schnell, Bachteler and Reiher 2009); if h2 is 0, all bits of a token
    coincide, unless ``prevent`` replaces it."""
    positions = []
    for text, bits in tokens:
        data = text.encode(encoding)
        first = int.from_bytes(hmac.digest(key, data, "sha1")) % length
        second = int.from_bytes(hmac.digest(other_key, data, "md5")) % length
        for count in itertools.count() if prevent and length > 1 else ():
            if second:
                break
            second = int.from_bytes(hmac.digest(other_key, data + chr(count).encode(), "md5")) % length
        positions.append((first + np.arange(bits, dtype=np.int64) * second) % length ^ 7)
    return np.concatenate(positions), np.array([bits for _, bits in tokens], dtype=np.int64)


def _folded(words: NDArray[np.uint64], schema: LinkageSchema) -> Filters:
    """Each fold XORs the second half onto the first: byte by byte, unless a half ends within a byte."""
    filters = words.view(np.uint8)[:, : -(-schema.unfolded // 8)]
    if not schema.folds:
        return filters
    in_bytes = schema.length % 8 == 0
    pieces = filters if in_bytes else np.unpackbits(filters, axis=1)[:, : schema.unfolded]
    for _ in range(schema.folds):
        first, second = np.split(pieces, 2, axis=1)
        pieces = first ^ second
    return pieces if in_bytes else np.packbits(pieces, axis=1)


def encode_records(
    records: Iterable[Sequence[str]], schema: LinkageSchema, secret: bytes, *, first_row: int = 1
) -> Iterator[Filters]:
    """Filters chunk by chunk; ``first_row`` is the row number of the first record in its file."""
    encoder, row, stream = ClkEncoder(schema, secret), first_row, iter(records)
    rows = max(1, min(ROWS_AT_A_TIME, BITS_AT_A_TIME // schema.unfolded))
    while chunk := list(itertools.islice(stream, rows)):
        yield encoder.encode(chunk, range(row, row + len(chunk)))
        row += len(chunk)


def texts(filters: Filters) -> list[str]:
    """The filters as clkhash writes them, in base64."""
    return [base64.b64encode(row).decode() for row in np.ascontiguousarray(filters)]


def reference(record: Sequence[str], schema: LinkageSchema, secret: bytes) -> str:
    """The definition, one record at a time; the oracle in the tests."""
    bits = [False] * schema.unfolded
    for feature, keys, cell in zip(schema.features, derived_keys(schema, secret), record, strict=True):
        for token in feature.tokens(feature.canonical(cell)) if feature else ():
            assert feature is not None
            for position in positions_of(feature, schema.unfolded, *keys)([token])[0].tolist():
                bits[position ^ 7] = True
    for _ in range(schema.folds):
        half = len(bits) // 2
        bits = [first != second for first, second in zip(bits[:half], bits[half:], strict=True)]
    return base64.b64encode(np.packbits(bits).tobytes()).decode()
