"""The two packages as the linkage unit reads them: encodings, tags, and its own names for rows.

All that is random here comes from the linkage unit's seed and from its receipt, so a step that is repeated gives the
same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pprl.core.bits import BitMatrix
from pprl.core.encodings import RegistryDecoys, decoys_of_registry
from pprl.core.errors import RefusedError
from pprl.core.randomness import RandomStream
from pprl.core.scores import Scores
from pprl.exchange.folder import ExchangeFolder, open_package
from pprl.exchange.protocol.agreement import Terms
from pprl.exchange.protocol.commitments import HANDLE, TAG, RowLayout
from pprl.exchange.protocol.crypto import derive
from pprl.exchange.protocol.package import SealedPackage
from pprl.exchange.protocol.reveal import ASKED, MOST_SPELLINGS
from pprl.exchange.protocol.roles import TITLES, OwnerRole
from pprl.exchange.record import Received
from pprl.exchange.replay import NOT_ASKED

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class OpenPackage:
    """A package whose header is verified, and how its rows are laid out."""

    sealed: SealedPackage
    layout: RowLayout
    pad: int

    @classmethod
    def of_owner(cls, folder: ExchangeFolder, owner: OwnerRole) -> OpenPackage:
        """OrderError: it has not come. MismatchError, ForgedError: not of this run."""
        terms = folder.ready().terms
        return cls(open_package(folder, owner), terms.layout(owner), terms.pad)

    @property
    def decoys(self) -> int:
        """The registry's own decoys, which come before its rows; 0 for a list, whose decoys nobody can tell yet."""
        return self.sealed.contents.decoys

    @property
    def rows(self) -> int:
        return self.sealed.contents.rows - self.decoys

    def chunks(self) -> Iterator[memoryview]:
        """All rows, some thousands at a time. They are verified only when the iterator has ended."""
        before = self.decoys
        for chunk in self.sealed.rows(self.layout, self.pad):
            skipped = min(before, len(chunk) // self.layout.width)
            before -= skipped
            if len(chunk) > skipped * self.layout.width:
                yield chunk[skipped * self.layout.width :]

    def registry_decoys(self) -> RegistryDecoys:
        """The decoys, which are verified only when the rows have been read."""
        records, missing = bytearray(), self.decoys
        for chunk in self.sealed.rows(self.layout, self.pad):
            if not missing:
                break
            records += chunk[: missing * self.layout.width]
            missing -= min(missing, len(chunk) // self.layout.width)
        rows = np.frombuffer(records, dtype=np.uint8).reshape(-1, self.layout.width)
        handles = np.ascontiguousarray(rows[:, :HANDLE]).view("V16").ravel()
        return RegistryDecoys.from_records(handles, _words(memoryview(records), self.layout))

    def bits(self) -> Iterator[BitMatrix]:
        """All encodings, some thousands at a time. They are verified only when the iterator has ended."""
        for chunk in self.chunks():
            yield BitMatrix(_words(chunk, self.layout))

    def whole_list(self) -> tuple[NDArray[np.uint64], bytes]:
        """All encodings of a list, which is small, verified, and the first halves of its leaves."""
        words, halves = [np.zeros((0, self.layout.length // 64), dtype="<u8")], []
        for chunk in self.chunks():
            words.append(_words(chunk, self.layout))
            halves.append(self.layout.halves(chunk))
        return np.concatenate(words), b"".join(halves)

    def handles_of(self, wanted: set[int]) -> dict[int, bytes]:
        """The owner's handles of some rows, by their number."""
        handles, start, width = {}, 0, self.layout.width
        for chunk in self.chunks():
            count = len(chunk) // width
            for row in range(count):
                if start + row in wanted:
                    handles[start + row] = bytes(chunk[row * width : row * width + HANDLE])
            start += count
        return handles

    def rest_of(self, wanted: Ints) -> dict[int, bytes]:
        """What follows the nonce in some rows, by their number: one more pass over the package."""
        numbers, rest, start, layout = np.unique(wanted), {}, 0, self.layout
        for chunk in self.chunks():
            count = len(chunk) // layout.width
            in_chunk = numbers[np.searchsorted(numbers, start) : np.searchsorted(numbers, start + count)]
            for number in in_chunk.tolist():
                position = (number - start) * layout.width
                rest[number] = bytes(chunk[position + layout.tags : position + layout.width])
            start += count
        return rest

    def bits_of(self, wanted: Ints) -> BitMatrix:
        """The encodings of some rows, by their number, ascending."""
        words, start = [np.zeros((0, self.layout.length // 64), dtype="<u8")], 0
        for chunk in self.chunks():
            chunk_words = _words(chunk, self.layout)
            in_chunk = wanted[(wanted >= start) & (wanted < start + len(chunk_words))]
            words.append(chunk_words[in_chunk - start])
            start += len(chunk_words)
        return BitMatrix(np.concatenate(words))


def _words(chunk: memoryview, layout: RowLayout) -> NDArray[np.uint64]:
    rows = np.frombuffer(chunk, dtype=np.uint8).reshape(-1, layout.width)
    return np.ascontiguousarray(rows[:, HANDLE : layout.record]).view("<u8")


def refuse_sizes(terms: Terms, list_package: OpenPackage, registry_package: OpenPackage) -> None:
    """RefusedError: a package holds more or fewer rows than were agreed, or more decoys than it may."""
    for package, decoys in ((list_package, 0), (registry_package, decoys_of_registry(registry_package.rows))):
        if not 0 <= package.decoys <= decoys:
            raise RefusedError(
                f"the package of the {TITLES[package.sealed.contents.role]} holds more rows as decoys than it may",
                hint="more rows may be probes: ask before you match anything",
            )
    # Relatives, controls and spellings come on top; how many of each is checked with their labels.
    most_of_list = terms.list_people[1] * (2 + 2 * terms.schema.decoys) * MOST_SPELLINGS + 10_000
    limits = ((list_package, terms.list_people[0], most_of_list), (registry_package, *terms.registry_rows))
    for package, least, most in limits:
        title = TITLES[package.sealed.contents.role]
        if package.rows < least:
            raise RefusedError(
                f"the package of the {title} holds fewer rows than were agreed",
                hint="an answer about few rows says something about each: ask before you match anything",
            )
        if package.rows > most:
            raise RefusedError(
                f"the package of the {title} holds more rows than were agreed",
                hint="more rows may be probes: ask before you match anything",
            )


def tags_of(rest: Mapping[int, bytes], layout: RowLayout, asked: Ints) -> Bytes:
    """Ids and tags of the rows asked about: shape (rows, fields, 5, 2, 16)."""
    nothing = bytes(2 * TAG * layout.confirm)
    packed = b"".join(rest.get(number, nothing)[: len(nothing)] for number in asked.ravel().tolist())
    tags = np.frombuffer(packed, dtype=np.uint8).reshape(len(asked), ASKED, layout.confirm, 2, TAG)
    return tags.transpose(0, 2, 1, 3, 4)


@dataclass(frozen=True)
class UnitRandomness:
    """Everything that the linkage unit draws for one run."""

    seed: bytes = field(repr=False)
    receipt: bytes

    @classmethod
    def from_folder(cls, folder: ExchangeFolder) -> UnitRandomness:
        return cls(folder.keystore.seed, Received.from_record(folder).receipt.hash)

    def asked(self, best: Ints, rows: int) -> tuple[Ints, Bytes]:
        """The registry rows that are asked about for each row of the list, and the position of the best candidate.

        Five each, shape (rows, 5): the best candidate and four random rows, in an order that only the linkage unit
        knows. The position is 255 where there is no candidate.
        """
        stream = self._stream(b"pprl/1/query", "query")
        asked = stream.below(max(1, rows), ASKED * len(best)).reshape(-1, ASKED)
        position = stream.below(ASKED, len(best))
        has_best = best >= 0
        asked[np.flatnonzero(has_best), position[has_best]] = best[has_best]
        return asked, np.where(has_best, position, NOT_ASKED).astype(np.uint8)

    def sample(self, rows: int, size: int) -> Ints:
        """The numbers of ``size`` rows drawn at random, ascending, each once."""
        return np.unique(self._stream(b"pprl/1/sample", "sample").below(max(1, rows), size))

    def pseudonym_key(self) -> bytes:
        return derive(self.seed, self.receipt, b"pprl/1/pseudonyms")

    def _stream(self, purpose: bytes, label: str) -> RandomStream:
        return RandomStream(derive(self.seed, self.receipt, purpose), label)


def pseudonyms(secret: bytes, rows: Ints) -> NDArray[np.void]:
    """The linkage unit's own names for rows of the registry, by their number in the package: 16 bytes each."""
    numbers, index = np.unique(rows, return_inverse=True)
    names = [
        hashlib.blake2b(int(number).to_bytes(8, "little"), key=secret, digest_size=16).digest() for number in numbers
    ]
    return np.frombuffer(b"".join(names), dtype="V16")[index] if names else np.zeros(0, dtype="V16")


def numbers_of(secret: bytes, scores: Scores, rows: int) -> Ints:
    """The package's row of each candidate, found from its pseudonym; −1 where there is no candidate."""
    known = pseudonyms(secret, np.arange(rows))
    order = np.argsort(known)
    if not rows:
        return np.full(scores.total.shape, -1, dtype=np.int64)
    numbers = order[np.minimum(np.searchsorted(known[order], scores.theirs), rows - 1)]
    return np.where(scores.total > 0, numbers, -1).astype(np.int64)
