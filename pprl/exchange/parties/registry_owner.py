"""The registry owner's side: accept terms, commit to the registry, acknowledge the scores.

A registry may be larger than memory. It is read part by part, and its rows wait in a private file until they are
sealed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.encodings import RegistryDecoys
from pprl.core.errors import OrderError
from pprl.core.randomness import RandomStream
from pprl.core.schema import Schema
from pprl.core.schema_file import to_toml
from pprl.encode.keys import key_check
from pprl.encode.labels import filled_shapes
from pprl.encode.registry import RegistryEncoder, RegistryPart
from pprl.exchange.folder import PART, ExchangeFolder, make_commitment, sign_statement, write_statements
from pprl.exchange.linkage_key import accept
from pprl.exchange.parties.owners import (
    ROWS_AT_A_TIME,
    Due,
    Owner,
    Progress,
    Secrets,
    agreed_schema,
    confirm_fields,
    open_tag,
    refuse_more,
    refuse_size,
)
from pprl.exchange.parties.party import refuse_to_sign, require_code
from pprl.exchange.parties.resubmission import Hashes, SentRosters, distinct
from pprl.exchange.protocol.agreement import Proposal
from pprl.exchange.protocol.commitments import HANDLE, NONCE, TAG, RowLayout, Tree
from pprl.exchange.protocol.crypto import derive
from pprl.exchange.protocol.messages import (
    ACCEPTANCE_FILE,
    ACKNOWLEDGEMENT,
    ACKNOWLEDGEMENT_FILE,
    PROPOSAL_FILE,
    REGISTRY_COMMITMENT_FILE,
)
from pprl.exchange.protocol.roles import OwnerRole
from pprl.exchange.protocol.statements import Statement
from pprl.exchange.record import not_come
from pprl.roster.people import People
from pprl.roster.streaming import people_in_parts

SCHEMA = "schema.toml"


@dataclass(frozen=True)
class RegistryOwner(Owner):
    """Has the registry."""

    role: ClassVar[OwnerRole] = "registry"

    def terms_to_sign(self) -> Proposal:
        """The proposal, to be read before it is accepted.

        OrderError: it has not come. RefusedError: it has expired. MismatchError: this version of pprl folds names
        differently.
        """
        folder = self.read()
        folder.require_words()
        if folder.proposal is None:
            raise OrderError(
                f"the proposal of the list owner has not come: {PROPOSAL_FILE.name}", hint="put it into the folder"
            )
        agreed_schema(folder.proposal.terms)
        refuse_to_sign(folder, folder.proposal)
        return folder.proposal

    def accept(self, code: str) -> Path:
        """Sign the terms that have this code, take the linkage key into the keystore, and write the agreed schema.

        OrderError: out of turn. ForgedError: the code of other terms.
        """
        proposal, folder = self.terms_to_sign(), self.read()
        if folder.agreement is not None:
            raise OrderError("the terms are accepted already", hint="pprl next FOLDER says what is due")
        require_code(proposal, code)
        agreement, keystore = accept(folder.keystore, folder.cards, proposal)
        folder.save(keystore)  # first: an acceptance without its key is worth nothing, and looks finished
        path = write_statements(folder, ACCEPTANCE_FILE, agreement.acceptance, force=True)
        schema_path = folder.path / SCHEMA
        if not schema_path.exists():
            container.write_new(schema_path, [to_toml(agreed_schema(proposal.terms)).encode()])
        return path

    def due(self) -> Due:
        folder = self.read()
        folder.ready()
        self.require_package_missing(folder)
        if folder.registry_rows is None:
            if folder.list_rows is None:
                raise not_come("list_rows")
            return "rows"
        if folder.receipt is None:
            raise not_come("receipt")
        return "seal"

    def commit(
        self,
        registry: Path | str | Iterable[People],
        *,
        sent: SentRosters | None = None,
        sent_before: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Commit to the registry: a file, which is read in parts, or its people in parts.

        ``sent`` is the record of rosters sent from this machine. OrderError: out of turn. RefusedError: too few or too
        many rows for the terms, or nearly the same roster was sent before.
        """
        if self.due() == "seal":
            raise OrderError("you have committed to the registry already", hint="pprl next FOLDER seals the package")
        folder = self.read()
        schema = agreed_schema(folder.ready().terms)
        parts = people_in_parts(registry, schema, "registry") if isinstance(registry, Path | str) else registry
        sent, hashes = sent or SentRosters.at_home(), list[Hashes]()
        statement = _commitment(folder, sent.hashed(parts, schema, hashes), progress)
        self.remember_sent(folder, distinct(hashes), sent, sent_before=sent_before)
        return write_statements(folder, REGISTRY_COMMITMENT_FILE, statement)

    def acknowledge(self) -> Path:
        """Sign that these scores were fixed before the labels were known. OrderError: out of turn."""
        folder = self.read()
        folder.ready()
        if folder.table is None:
            raise not_come("table")
        statement = sign_statement(folder, ACKNOWLEDGEMENT, [folder.table])
        return write_statements(folder, ACKNOWLEDGEMENT_FILE, statement)


def _commitment(folder: ExchangeFolder, parts: Iterable[People], progress: Progress | None) -> Statement:
    """The commitment to all rows, which are left shuffled in a private file."""
    agreement = folder.ready()
    if folder.list_rows is None:
        raise not_come("list_rows")
    limits, secrets = agreement.terms.registry_rows, Secrets.derive(folder, agreement)
    schema, layout = agreed_schema(agreement.terms), agreement.terms.layout("registry")
    unsorted = folder.path / f".{PART}"
    count = rows_read = 0
    with _new_private(unsorted) as file:
        packer, encoder = _RowPacker(schema, layout, secrets), RegistryEncoder(schema, secrets.key, secrets.seed)
        for part in map(encoder.encode, parts):
            rows_read += part.read
            count += len(part.people)
            refuse_more("registry", count, limits, "rows")
            file.write(packer.pack(part))
            if progress:
                progress(part.read)
        file.flush()
        refuse_size("registry", count, limits, "rows")
        decoys, tree = packer.pack_decoys(encoder.decoys()), Tree()
        for leaf in layout.leaves(decoys):
            tree.add(leaf)
        order = RandomStream(secrets.seed, "registry order").permutation(count)
        shuffled = _shuffled(unsorted, order, layout, tree)
        container.write_new(folder.path / PART, itertools.chain([decoys], shuffled), private=True, force=True)
    folder.save(folder.keystore.holding(rows_read=rows_read, decoys=len(decoys) // layout.width))
    return make_commitment(
        folder,
        "rows",
        tree.root(),
        [folder.list_rows],
        key_check=key_check(secrets.key.secret, schema),
        random=derive(secrets.seed, b"", b"pprl/1/random"),
    )


class _RowPacker:
    """Encoded parts of a registry become rows of its package, in the order of the roster."""

    def __init__(self, schema: Schema, layout: RowLayout, secrets: Secrets) -> None:
        self._schema, self._layout, self._confirm_key, self._seed = schema, layout, secrets.confirm, secrets.seed
        self._nonces = RandomStream(secrets.seed, "registry nonces")
        self._ids = RandomStream(secrets.seed, "confirm ids")

    def pack(self, part: RegistryPart) -> bytes:
        layout, count, fields = self._layout, len(part.people), confirm_fields(self._schema)
        rows = np.empty((count, layout.width), dtype=np.uint8)
        rows[:, :HANDLE] = part.handles.view(np.uint8).reshape(count, HANDLE)
        encodings = np.ascontiguousarray(part.words, dtype="<u8").view(np.uint8)
        rows[:, HANDLE : layout.record] = encodings.reshape(count, -1)
        nonces = np.frombuffer(self._nonces.bytes(NONCE * count), dtype=np.uint8)
        rows[:, layout.record : layout.tags] = nonces.reshape(count, NONCE)
        ids = np.frombuffer(self._ids.bytes(TAG * count * len(fields)), dtype=np.uint8)
        ids = ids.reshape(count, len(fields), TAG)
        position = layout.tags
        for number, field in enumerate(fields):
            field_ids = np.ascontiguousarray(ids[:, number])
            rows[:, position : position + TAG] = field_ids
            rows[:, position + TAG : position + 2 * TAG] = self._tags(field.name, field_ids, part.people)
            position += 2 * TAG
        shapes = "".join(filled_shapes(part.people, self._schema)).encode()
        rows[:, position:] = np.frombuffer(shapes, dtype=np.uint8).reshape(count, layout.linked)
        return rows.tobytes()

    def pack_decoys(self, decoys: RegistryDecoys) -> bytes:
        """Decoys as rows with random bytes for tags, since nobody asks about them."""
        layout, stream = self._layout, RandomStream(self._seed, "tags of decoys")
        rows = np.empty((len(decoys), layout.width), dtype=np.uint8)
        rows[:, :HANDLE] = decoys.handles().view(np.uint8).reshape(len(decoys), HANDLE)
        encodings = np.ascontiguousarray(decoys.bits.words, dtype="<u8").view(np.uint8)
        rows[:, HANDLE : layout.record] = encodings.reshape(len(decoys), layout.record - HANDLE)
        width = layout.width - layout.linked - layout.record
        drawn = np.frombuffer(stream.bytes(width * len(decoys)), dtype=np.uint8)
        rows[:, layout.record : layout.record + width] = drawn.reshape(len(decoys), width)
        rows[:, layout.record + width :] = ord("0")
        return rows.tobytes()

    def _tags(self, field: str, ids: NDArray[np.uint8], people: People) -> NDArray[np.uint8]:
        column = people.columns[field]
        values = [*column.values, None]
        tags = b"".join(
            open_tag(self._confirm_key, field, tag_id.tobytes(), values[code])
            for tag_id, code in zip(ids, column.codes.tolist(), strict=True)
        )
        return np.frombuffer(tags, dtype=np.uint8).reshape(len(people), TAG)


def _shuffled(path: Path, order: NDArray[np.int64], layout: RowLayout, tree: Tree) -> Iterator[bytes]:
    """The rows of a file in another order, their leaves added to the tree. The file is mapped, not held in memory."""
    if not len(order):
        return
    rows = np.memmap(path, dtype=np.uint8, mode="r").reshape(-1, layout.width)
    for start in range(0, len(order), ROWS_AT_A_TIME):
        piece = rows[order[start : start + ROWS_AT_A_TIME]].tobytes()
        for leaf in layout.leaves(piece):
            tree.add(leaf)
        yield piece


@contextlib.contextmanager
def _new_private(path: Path) -> Iterator[BinaryIO]:
    """A file of encodings that nobody else may read and that is removed afterwards, whatever happens."""
    path.unlink(missing_ok=True)  # left by a run that was killed
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)
