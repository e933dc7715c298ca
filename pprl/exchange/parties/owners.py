"""What both owners do: derive their secrets, commit to rows, seal them, and open the result.

Everything random in an owner's rows comes from the seed of their keystore and from the agreement. So a step that is
repeated after a crash gives the same bytes, and nobody can draw again until they like the outcome (docs/protocol.md
§7).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Self

from pprl.core import container
from pprl.core.errors import ForgedError, MismatchError, OrderError, RefusedError
from pprl.core.key import LinkageKey
from pprl.core.outputs import make_folder
from pprl.core.schema import Field, Schema
from pprl.encode.keys import parameters_of, tables_hash
from pprl.exchange.folder import PART, ExchangeFolder
from pprl.exchange.next_step import PAGE, RESULT
from pprl.exchange.parties.party import Party
from pprl.exchange.parties.resubmission import Hashes, SentRosters
from pprl.exchange.protocol.agreement import Agreement, Terms
from pprl.exchange.protocol.commitments import TAG, RowLayout, Tree
from pprl.exchange.protocol.crypto import derive, mac
from pprl.exchange.protocol.messages import PACKAGE_FILES
from pprl.exchange.protocol.package import Manifest, write_package
from pprl.exchange.protocol.roles import OwnerRole, other_owner
from pprl.exchange.protocol.statements import bytes_of
from pprl.exchange.record import Received, not_come
from pprl.report import render
from pprl.report.record import load

NO_VALUE = bytes(TAG)  # what a side shows in place of a tag

ROWS_AT_A_TIME = 4_096
Due = Literal["rows", "package", "seal"]
Progress = Callable[[int], None]
Warn = Callable[[str], None]


def ignore(_: str) -> None:
    """A ``warn`` that drops the warning."""


@dataclass(frozen=True)
class Secrets:
    """What an owner derives from their keystore for one agreement."""

    key: LinkageKey = field(repr=False)
    seed: bytes = field(repr=False)
    confirm: bytes = field(repr=False)  # the key of the tags of confirm fields

    @classmethod
    def derive(cls, folder: ExchangeFolder, agreement: Agreement) -> Self:
        """OrderError: the keystore holds no key for this agreement."""
        state = folder.keystore.state
        if state.get("agreement") != agreement.hash.hex() or "linkage_key" not in state:
            raise OrderError("the linkage key of this agreement is not in the keystore", hint="pprl agree FOLDER")
        key = LinkageKey(bytes_of(state["linkage_key"], 32, "the keystore"), repeatable=False)
        return cls(
            key,
            derive(folder.keystore.seed, agreement.hash, b"pprl/1/owner"),
            derive(key.secret, agreement.hash, b"pprl/1/confirm"),
        )


@dataclass(frozen=True)
class Owner(Party, ABC):
    """An owner of a roster: the part of the exchange that is the same for both."""

    role: ClassVar[OwnerRole]

    def schema(self) -> Schema:
        """The agreed schema. OrderError: there is no agreement yet."""
        return agreed_schema(self.read().ready().terms)

    @abstractmethod
    def due(self) -> Due:
        """Whether to commit to rows or to the package next, or to seal. OrderError: nothing; the message says why."""

    def seal(self) -> Path:
        """Write the package, sealed for the linkage unit now that it has signed for all commitments.

        OrderError: out of turn, or the rows are not there. ForgedError: they are not what was committed to.
        """
        if self.due() != "seal":
            raise OrderError("there is nothing to seal yet", hint="pprl next FOLDER says what is due")
        folder = self.read()
        received = Received.from_record(folder)
        layout, part = received.agreement.terms.layout(self.role), folder.path / PART
        if not part.exists():
            raise OrderError(
                f"{PART} is no longer in the folder", hint="make a new agreement: pprl agree FOLDER --schema"
            )
        container.refuse_shared(part)
        root = received.package_commitment(self.role).root
        rows, rest = divmod(part.stat().st_size, layout.width)
        if rest or root_of_file(part, layout) != root:
            raise ForgedError(f"{PART} does not hold the rows that you committed to", hint="somebody changed it")
        terms = received.agreement.terms
        manifest = Manifest(
            layout=layout,
            rows=rows,
            rows_read=folder.keystore.state.get("rows_read", 0),
            decoys=folder.keystore.state.get("decoys", 0),
            root=root,
            parameters=parameters_of(agreed_schema(terms), Secrets.derive(folder, received.agreement).key),
            agreement=received.agreement.hash,
            receipt=received.receipt.hash,
        )
        path = folder.path / PACKAGE_FILES[self.role].name
        write_package(
            path,
            pieces_of(part, layout),
            manifest,
            pad=terms.pad,
            sender=folder.keystore.keys,
            recipient=received.cards["unit"],
            force=True,  # if rows are still beside a package, the run that wrote it was killed
        )
        part.unlink()
        return path

    def receive_result(self, *, language: str = "en") -> list[Path]:
        """Write what the linkage unit sent into the folder ``result``: the disclosed report and its page.

        OrderError: it has not come.
        """
        folder = self.read()
        if folder.result is None:
            raise not_come("result")
        report = folder.result.attachment
        page = render(load(report), language).encode()
        # The page is written last: it shows that everything is there.
        files = {**self.released_files(folder), "report.json": report, PAGE: page}
        make_folder(folder.path / RESULT)
        for name, data in files.items():
            private = name.startswith("PRIVATE")
            container.write_new(folder.path / RESULT / name, [data], private=private, force=True)
        return [folder.path / RESULT / name for name in files]

    def released_files(self, folder: ExchangeFolder) -> dict[str, bytes]:  # noqa: ARG002
        """The files that only this owner gets beside the report."""
        return {}

    def require_package_missing(self, folder: ExchangeFolder) -> None:
        """OrderError: the package is made. If rows are still beside it, a run was killed before removing them."""
        name = PACKAGE_FILES[self.role].name
        if folder.holds(name) and not folder.holds(PART):
            raise OrderError(f"{name} is made already", hint="send it to the linkage unit")

    def remember_sent(self, folder: ExchangeFolder, rows: Hashes, sent: SentRosters, *, sent_before: bool) -> None:
        """RefusedError: nearly the same roster went into another exchange, and ``sent_before`` does not allow it."""
        agreement = folder.ready()
        if not sent_before:
            sent.refuse_nearly_sent(rows, agreement.hash)
        other = folder.cards[other_owner(self.role)].name
        sent.remember(rows, agreement.hash, folder.keystore.exchange, other)


def agreed_schema(terms: Terms) -> Schema:
    """The agreed schema. MismatchError: this version of pprl folds names differently from what was agreed."""
    # (7) what is agreed is what is installed
    schema, folding = terms.schema, tables_hash()
    if folding != terms.folding or schema.fingerprint(folding) != terms.fingerprint:
        raise MismatchError(
            "this version of pprl folds names differently from the one that made the agreement",
            hint="install the same version on both sides",
        )
    return schema


def confirm_fields(schema: Schema) -> list[Field]:
    """Further fields that are not linked and confirm the matches, by name."""
    return sorted((field for field in schema.fields if field.role == "confirm"), key=lambda field: field.name)


def confirm_tag(key: bytes, field: str, nonce: bytes, value: str | None) -> bytes:
    """16 bytes by which anyone who has two tags, and not the key, sees whether their values are equal.

    A missing value gets a tag that no value has and that looks like any other.
    """
    name = field.encode()
    content = b"\x00" if value is None else b"\x01" + value.encode()
    return mac(key, len(name).to_bytes(2, "little") + name + nonce + content)[:TAG]


def open_tag(key: bytes, field: str, tag_id: bytes, value: str | None) -> bytes:
    """The tag of a value on a side that may show where it has none: a missing value gets zeroes."""
    return NO_VALUE if value is None else confirm_tag(key, field, tag_id, value)


def refuse_size(side: OwnerRole, count: int, limits: tuple[int, int], what: str) -> None:
    """RefusedError: fewer or more than were agreed. ``what`` is counted: people or rows."""
    if count < limits[0]:
        raise RefusedError(
            f"the {side} has fewer than the agreed minimum of {limits[0]:,} {what}",
            hint="an answer about few people says something about each; agree on other limits if both owners want it",
        )
    refuse_more(side, count, limits, what)


def refuse_more(side: OwnerRole, count: int, limits: tuple[int, int], what: str) -> None:
    """RefusedError: more than were agreed."""
    if count > limits[1]:
        raise RefusedError(
            f"the {side} has more than the agreed maximum of {limits[1]:,} {what}",
            hint="the limit is in the agreement: make a new one if both owners want it",
        )


def pieces_of(path: Path, layout: RowLayout) -> Iterator[bytes]:
    """The rows of a file, some thousands at a time."""
    with path.open("rb") as file:
        while piece := file.read(ROWS_AT_A_TIME * layout.width):
            yield piece


def root_of_file(path: Path, layout: RowLayout) -> bytes:
    tree = Tree()
    for piece in pieces_of(path, layout):
        for leaf in layout.leaves(piece):
            tree.add(leaf)
    return tree.root()
