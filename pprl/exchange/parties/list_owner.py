"""The list owner's side: propose terms, commit to the list and then to its decoys, reveal the labels after the scores.

Decoys come from the list owner's seed and from bytes that the registry owner sends only when the real rows are fixed,
so nobody can choose them (docs/protocol.md §7).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pprl.core import container
from pprl.core.errors import FileError, ForgedError, OrderError
from pprl.core.private_rows import PrivateRows
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema import Field, Schema
from pprl.core.schema_file import to_toml
from pprl.core.tables import csv_bytes
from pprl.encode.keys import key_check, tables_hash
from pprl.encode.list import encode_list, unused_controls, unused_spellings
from pprl.exchange.folder import (
    PART,
    ExchangeFolder,
    agreed_parameters,
    make_commitment,
    sign_statement,
    write_statements,
)
from pprl.exchange.linkage_key import conclude, propose
from pprl.exchange.parties.list_rows import (
    confirm_values,
    in_package_order,
    label_nonces,
    openings_of,
    pack_rows,
)
from pprl.exchange.parties.owners import (
    Due,
    Owner,
    Secrets,
    Warn,
    agreed_schema,
    confirm_fields,
    ignore,
    open_tag,
    refuse_size,
)
from pprl.exchange.parties.party import refuse_outliving
from pprl.exchange.parties.resubmission import Hashes, SentRosters, distinct
from pprl.exchange.protocol.agreement import Proposal, Terms, UnitIs
from pprl.exchange.protocol.commitments import TAG, root_of
from pprl.exchange.protocol.crypto import WrongError, derive, digest
from pprl.exchange.protocol.messages import (
    ANSWERS,
    LIST_COMMITMENT_FILE,
    PACKAGE_COMMITMENT_FILE,
    PROPOSAL_FILE,
    REVEAL,
    REVEAL_FILE,
)
from pprl.exchange.protocol.reveal import ASKED, RELEASE_PURPOSE
from pprl.exchange.protocol.roles import OwnerRole
from pprl.exchange.protocol.statements import AGAIN, Statement, parse_canonical
from pprl.exchange.record import Commitment, not_come
from pprl.normalize.text import read_table
from pprl.roster.load import RosterLike, load
from pprl.roster.people import People

AGREEMENT_DAYS = 90
PAD = 1 << 14  # packages are filled up to a multiple of this number of rows
LIST_ROWS = "PRIVATE-list.rows"
PAIRS = "PRIVATE-pairs.csv"
PAIR_NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What the list owner may choose when they propose terms; the rest follows from the schema.

    ``labels`` are the labels of each stratum whose type has no list of its own. With ``pairs`` the list owner learns
    which of their rows matched. What is None is 20 to 10,000 people, 1,000 to 20,000,000 rows, at most as many as the
    parameter set protects, and 90 days.
    """

    list_people: tuple[int, int] | None = None
    registry_rows: tuple[int, int] | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pairs: bool = True
    earlier_runs: int = 0
    unit_is: UnitIs = "neither"
    plain: bool = False
    expires: datetime.date | None = None

    def terms(self, schema: Schema, today: datetime.date | None = None) -> Terms:
        """SchemaError or RefusedError: terms that no agreement can hold."""
        folding, most = tables_hash(), schema.parameters.most_rows
        known = {field.name: known_labels(field) for field in schema.fields if field.role == "stratum"}
        terms = Terms(
            schema_text=to_toml(schema),
            folding=folding,
            fingerprint=schema.fingerprint(folding),
            strata={**known, **self.labels},
            list_people=self.list_people or (20, min(10_000, most)),
            registry_rows=self.registry_rows or (1_000, min(20_000_000, most)),
            pad=PAD,
            outputs={
                "list": ("report", "pairs") if self.pairs else ("report",),
                "registry": ("report",),
                "auditor": ("audit",),
            },
            runs=1,
            earlier_runs=self.earlier_runs,
            unit_is=self.unit_is,
            plain=self.plain,
            expires=self.expires or (today or datetime.date.today()) + datetime.timedelta(AGREEMENT_DAYS),
        )
        terms.check()
        return terms


def known_labels(field: Field) -> tuple[str, ...]:
    """The values that a field can have, where they are known without looking at anybody's roster."""
    match field.type:
        case "category":
            return tuple(sorted({row["service"] for row in read_table("services.tsv")}))
        case "sex":
            return ("f", "m")
        case "rank":
            return tuple(sorted({row["order"] for row in read_table("ranks.tsv")} - {"-"}, key=int))
        case _:
            return ()


@dataclass(frozen=True)
class ListOwner(Owner):
    """Has a list of people and asks how many of them appear in the registry."""

    role: ClassVar[OwnerRole] = "list"

    def propose(self, schema: Schema, offer: Offer | None = None) -> Proposal:
        """Propose terms to the registry owner. A later proposal replaces an earlier one.

        OrderError: out of turn. RefusedError, SchemaError: terms that no agreement can hold.
        """
        folder = self.read()
        folder.require_words()
        if folder.list_rows is not None:
            raise OrderError(
                "you have committed to a list under the present agreement",
                hint="a new agreement needs a new folder: pprl card, with a new name for the exchange",
            )
        terms = (offer or Offer()).terms(schema, folder.today)
        terms.refuse_expired(folder.today)
        refuse_outliving(folder, terms.expires)
        statement, keystore = propose(folder.keystore, folder.cards, terms)
        folder.save(keystore)
        write_statements(folder, PROPOSAL_FILE, statement, force=True)
        return Proposal.from_statement(statement, folder.cards)

    def conclude(self) -> bool:
        """Take the linkage key from the acceptance into the keystore; False if it is there already.

        OrderError: nothing is proposed, or the acceptance has not come.
        """
        folder = self.read()
        if folder.agreement is None:
            if folder.proposal is None:
                raise OrderError("nothing is proposed yet", hint="pprl agree FOLDER --schema schema.toml")
            raise not_come("agreement")
        keystore = conclude(folder.keystore, folder.agreement)
        if keystore is folder.keystore:
            return False
        folder.save(keystore)
        return True

    def due(self) -> Due:
        folder = self.read()
        if folder.agreement is not None:
            self.conclude()
        folder.ready()
        self.require_package_missing(folder)
        if folder.list_rows is None:
            return "rows"
        if folder.registry_rows is None:
            raise not_come("registry_rows")
        if folder.list_package is None:
            return "package"
        if folder.receipt is None:
            raise not_come("receipt")
        return "seal"

    def commit(
        self,
        roster: RosterLike,
        *,
        controls: RosterLike | None = None,
        sent: SentRosters | None = None,
        sent_before: bool = False,
        warn: Warn = ignore,
    ) -> Path:
        """Commit to the people of the list or, once the registry owner has committed, to the package with its decoys.

        ``roster`` is a file, a frame, or loaded already; the second call needs the same one with the same options.
        ``controls`` are real people known to be absent from the registry, ``sent`` is the record of rosters sent from
        this machine.

        OrderError: out of turn. RefusedError: too few or too many people for the terms, or nearly the same roster was
        sent before. ForgedError: another roster than the one committed to.
        """
        stage = self.due()
        if stage == "seal":
            raise OrderError("you have committed to everything already", hint="pprl next FOLDER seals the package")
        folder = self.read()
        agreement = folder.ready()
        schema = agreed_schema(agreement.terms)
        people = load(roster, schema, "list").people
        absent = None if controls is None else load(controls, schema, "control").people
        sent, hashes = sent or SentRosters.at_home(), list[Hashes]()
        list(sent.hashed([people], schema, hashes))
        statement = _commitment(folder, people, absent, warn)
        if stage == "package":
            return write_statements(folder, PACKAGE_COMMITMENT_FILE, statement)
        self.remember_sent(folder, distinct(hashes), sent, sent_before=sent_before)
        terms = (agreement.proposal.statement.detached(), agreement.acceptance.detached())
        return write_statements(folder, LIST_COMMITMENT_FILE, *terms, statement)

    def reveal(self) -> Path:
        """Open the labels of the list for the linkage unit, and answer what it asked about confirm fields.

        OrderError: before the scores and their acknowledgement have come, or a second time.
        """
        folder = self.read()
        agreement = folder.ready()
        if folder.reveal is not None:
            raise OrderError(f"the labels are revealed already: {REVEAL_FILE.name}", hint="send it to the linkage unit")
        if folder.table is None or folder.query is None:
            raise not_come("query")
        if folder.acknowledgement is None:
            raise not_come("acknowledgement")
        secrets, terms = Secrets.derive(folder, agreement), agreement.terms
        synthetic_seed = decoy_seed(secrets, folder.list_rows, folder.registry_rows)
        rows = PrivateRows.read(folder.path / LIST_ROWS, "list")
        order = RandomStream(synthetic_seed, "list order").permutation(len(rows))
        nonces, openings = label_nonces(rows, secrets.seed, synthetic_seed), openings_of(rows, order, terms)
        labels = b"".join(nonces[record] + openings[record].to_bytes() for record in order.tolist())
        reveal = sign_statement(
            folder,
            REVEAL,
            [folder.table, folder.acknowledgement],
            labels + planted_bytes(rows),
            rows_read=rows.rows_read,
            fallbacks=rows.fallbacks,
        )
        tags = answer_tags(folder.query, rows, order.tolist(), terms, secrets)
        answers = sign_statement(folder, ANSWERS, [folder.query], tags)
        return write_statements(folder, REVEAL_FILE, folder.acknowledgement, reveal, answers)

    def released_files(self, folder: ExchangeFolder) -> dict[str, bytes]:
        """Which rows of the list matched, where the terms grant that."""
        if folder.release is None:
            return {}
        rows = list(zip(*open_release(folder), strict=True)) or [(), (), ()]
        return {PAIRS: csv_bytes(dict(zip(("list_row", "list_id", "pair"), rows, strict=True)))}


def planted_bytes(rows: PrivateRows) -> bytes:
    """The table of planted decoys as it crosses, empty where there is none."""
    return rows.planted.to_bytes() if rows.planted else b""


def decoy_seed(secrets: Secrets, first: Commitment | None, registry: Commitment | None) -> bytes:
    """The seed of decoys and relatives: both owners' bytes, fixed only when both have committed.

    Zeroes before that: the first commitment is to real rows only.
    """
    if first is None or registry is None:
        return bytes(32)
    hashes = first.statement.hash + registry.statement.hash
    return derive(secrets.seed, registry.random, b"pprl/1/decoys\0" + hashes)


def _commitment(folder: ExchangeFolder, people: People, controls: People | None, warn: Warn) -> Statement:
    """The commitment to the list's real rows or, when the registry's has come, to the whole package."""
    agreement = folder.ready()
    terms, secrets = agreement.terms, Secrets.derive(folder, agreement)
    schema, layout = agreed_schema(terms), terms.layout("list")
    first, registry = folder.list_rows, folder.registry_rows
    if first and registry:
        agreed_parameters(agreement, first, registry)
    synthetic_seed = decoy_seed(secrets, first, registry)
    encodings, rows = encode_list(
        people,
        schema,
        secrets.key,
        controls=controls,
        planted=registry is not None,
        randomness=Randomness(secrets.seed, synthetic_seed),
    )
    refuse_size("list", rows.people, terms.list_people, "people")
    for text in (*unused_controls(controls, rows), *unused_spellings(people, schema, rows)):
        warn(text)
    packed = pack_rows(encodings, rows, terms, layout, secrets, synthetic_seed)
    of_roster = in_package_order(rows, encodings, rows.of_roster()).tolist()
    leaves = list(layout.leaves(packed))
    root = root_of(sorted(leaf for leaf, real in zip(leaves, of_roster, strict=True) if real))
    if first is None or registry is None:
        seed_hash = digest(b"pprl/1/seed\0", secrets.seed)
        check = key_check(secrets.key.secret, schema)
        return make_commitment(folder, "rows", root, [], key_check=check, seed=seed_hash)
    # (11) the real rows are those committed to before the decoys were known
    if root != first.root:
        raise ForgedError(
            "this is not the roster that you committed to, or not with the same columns and options",
            hint="repeat the command exactly as you gave it first, with the same file",
        )
    planted = digest(planted_bytes(rows))
    statement = make_commitment(folder, "package", root_of(leaves), [first, registry], planted=planted)
    rows.write(folder.path / LIST_ROWS, force=True)
    container.write_new(folder.path / PART, [packed], private=True, force=True)
    folder.save(folder.keystore.holding(rows_read=0))
    return statement


def answer_tags(query: Statement, rows: PrivateRows, order: list[int], terms: Terms, secrets: Secrets) -> bytes:
    """For every row of the package, confirm field and id asked about, the tag of the row's value.

    A missing value gives random bytes, so that nobody sees that it is missing. FileError: the query does not ask about
    each row.
    """
    fields = confirm_fields(terms.schema)
    ids = query.attachment
    if len(ids) != len(order) * len(fields) * ASKED * TAG:
        raise FileError("the query does not ask five times for each row and field", hint=AGAIN)
    values = confirm_values(rows.labels, fields, len(rows))
    tags, start = bytearray(), 0
    for record in order:
        for confirm, field_values in zip(fields, values, strict=True):
            value = field_values[record]
            for _ in range(ASKED):
                asked = ids[start : start + TAG]
                tags += open_tag(secrets.confirm, confirm.name, asked, value)
                start += TAG
    return bytes(tags)


def open_release(folder: ExchangeFolder) -> list[tuple[int, str, str]]:
    """Row of the list, its id in the roster, and the name of the pair, for every pair that was released.

    OrderError: nothing was. ForgedError: not sealed for this owner, or about rows that are not on their list.
    """
    if folder.release is None or folder.result is None:
        raise OrderError("no pairs were released", hint="the terms say whether they are")
    try:
        text = folder.keystore.keys.open(folder.release.attachment, RELEASE_PURPOSE + folder.result.hash)
    except WrongError:
        raise ForgedError("a release: does not open", hint="it was sealed for another party, or changed") from None
    rows = PrivateRows.read(folder.path / LIST_ROWS, "list")
    ids = rows.id_texts()
    record_of = {handle.tobytes().hex(): record for record, handle in enumerate(rows.handles)}
    pairs = parse_canonical(text, "a release").get("pairs")
    if not isinstance(pairs, list) or any(
        not isinstance(pair, list) or len(pair) != 2 or record_of.get(str(pair[0])) is None for pair in pairs
    ):
        raise ForgedError("a release: names rows that are not on this list", hint=AGAIN)
    if not all(isinstance(name, str) and PAIR_NAME.fullmatch(name) for _, name in pairs):
        raise ForgedError("a release: calls a pair by what is no name of a pair", hint=AGAIN)
    return sorted((int(rows.rows[record_of[handle]]), ids[record_of[handle]], str(name)) for handle, name in pairs)
