"""The transcript of an exchange: the files for an auditor, in a folder or sealed (docs/protocol.md §11)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pprl.core import container
from pprl.core.errors import FileError, ForgedError, OrderError
from pprl.core.outputs import all_or_none, make_folder
from pprl.exchange.folder import ExchangeFolder, sign_statement
from pprl.exchange.protocol.cards import order
from pprl.exchange.protocol.crypto import WrongError
from pprl.exchange.protocol.messages import TRANSCRIPT, TRANSCRIPT_FIGURES, TRANSCRIPT_NAMES, TRANSCRIPT_STATEMENTS
from pprl.exchange.protocol.reveal import TRANSCRIPT_PURPOSE
from pprl.exchange.protocol.statements import AGAIN, Statement, bytes_of
from pprl.exchange.record import Revealed, not_come
from pprl.report import render
from pprl.report.record import load

EVIDENCE_FILE, AUDIT_FILE = "PRIVATE-evidence.pprl", "PRIVATE-audit.json"  # only the linkage unit has them
MAX_BYTES = 1 << 30


def transcript_files(folder: ExchangeFolder, *, table: Statement, headers: list[Statement]) -> dict[str, bytes]:
    """The auditor's files, by name, from the linkage unit's folder once the result is made."""
    stage = Revealed.from_record(folder)
    if folder.query is None:
        raise not_come("query")
    if folder.result is None:
        raise not_come("result")
    if not folder.holds(EVIDENCE_FILE) or not folder.holds(AUDIT_FILE):
        raise OrderError(f"{EVIDENCE_FILE} is no longer in the folder", hint="without it no figure can be repeated")
    commitments = [stage.list_rows, stage.registry_rows, stage.list_package]
    proposal, acceptance = stage.agreement.proposal.statement, stage.agreement.acceptance
    statements = (
        [card.statement for card in order(stage.cards)],
        [proposal.detached(), acceptance.detached()],
        [*(commitment.statement for commitment in commitments), stage.receipt],
        headers,
        [table, folder.query],
        [stage.acknowledgement, stage.reveal, stage.answers],
        [folder.result],
    )
    report = folder.result.attachment
    evidence = (folder.path / EVIDENCE_FILE).read_bytes()
    signed = [b"".join(statement.to_bytes() for statement in group) for group in statements]
    figures = [(folder.path / AUDIT_FILE).read_bytes(), report, render(load(report)).encode()]
    return {
        **dict(zip(TRANSCRIPT_STATEMENTS, [*signed, evidence], strict=True)),
        **dict(zip(TRANSCRIPT_FIGURES, figures, strict=True)),
    }


def write_files(path: Path, files: Mapping[str, bytes]) -> list[Path]:
    """A new folder that only its owner can read. FileError: it exists already."""
    if path.exists():
        raise FileError(f"{path.name}: exists already", hint="choose another name")
    paths = [path / name for name in files]
    with all_or_none(*paths, path):
        make_folder(path)
        for file, data in zip(paths, files.values(), strict=True):
            container.write_new(file, [data], private=True)
    return paths


def read_files(path: Path) -> dict[str, bytes]:
    """FileError: a file is missing, or one is there that does not belong to a transcript."""
    if not path.is_dir():
        raise FileError(
            f"{container.called(path)}: is not a folder", hint="name the folder that `pprl transcript` made"
        )
    present = {file.name for file in path.iterdir()}
    if missing := [name for name in TRANSCRIPT_NAMES if name not in present]:
        raise FileError(f"{missing[0]} is missing", hint=AGAIN)
    if more := sorted(present - set(TRANSCRIPT_NAMES)):
        raise FileError(f"{more[0]} does not belong in the folder", hint="a transcript holds nothing else: take it out")
    files = {}
    for name in TRANSCRIPT_NAMES:
        file = path / name
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            raise FileError(f"{name}: is not a file of a transcript", hint=AGAIN)
        files[name] = file.read_bytes()
    return files


def seal_files(folder: ExchangeFolder, files: Mapping[str, bytes]) -> Statement:
    """The files of a transcript, sealed for the auditor and signed. OrderError: no auditor has a card."""
    if folder.result is None:
        raise not_come("result")
    if "auditor" not in folder.cards:
        raise OrderError("there is no auditor in this exchange", hint="-o FOLDER writes the transcript unsealed")
    plain = b"".join(len(data).to_bytes(8, "little") + data for data in files.values())
    sealed = folder.cards["auditor"].keys.seal(plain, TRANSCRIPT_PURPOSE + folder.result.hash)
    return sign_statement(folder, TRANSCRIPT, [folder.result], sealed)


def open_files(folder: ExchangeFolder) -> dict[str, bytes]:
    """The files that were sealed for the auditor whose folder this is.

    OrderError: none came, or several. ForgedError: changed, or not from the linkage unit whose words were compared.
    """
    if len(folder.transcripts) != 1:
        raise OrderError(
            f"{len(folder.transcripts)} sealed transcripts are in the folder, and one is needed",
            hint="the linkage unit makes one: pprl transcript",
        )
    folder.require_words()
    (transcript,) = folder.transcripts
    transcript.require_form()
    transcript.verify(folder.cards["unit"].keys)
    answers = transcript.body["answers"]
    if len(answers) != 1 or not transcript.attachment_fits():
        raise ForgedError("a transcript: what is attached is not what was signed", hint=AGAIN)
    result = bytes_of(answers[0], 32, "a transcript")
    try:
        plain = folder.keystore.keys.open(transcript.attachment, TRANSCRIPT_PURPOSE + result)
    except WrongError:
        raise ForgedError("a transcript: does not open", hint="it was sealed for another party, or changed") from None
    files, position = {}, 0
    for name in TRANSCRIPT_NAMES:
        size = int.from_bytes(plain[position : position + 8], "little")
        files[name] = plain[position + 8 : position + 8 + size]
        position += 8 + size
    if position != len(plain):
        raise FileError("a transcript: is incomplete", hint=AGAIN)
    return files
