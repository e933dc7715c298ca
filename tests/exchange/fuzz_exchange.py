"""What reads files from others, under a fuzzer. It is no part of the suite:

    pip install atheris
    python tests/exchange/fuzz_exchange.py corpus -max_len=20000 -max_total_time=600

``corpus`` is a folder; true files of an exchange in it, say those of a folder of `pprl next`, are good to begin with.
Whatever the bytes are, only errors of pprl may come out. `tests/test_hostile_files.py` plays the same parsers with few
inputs.
"""

import datetime
import os
import sys
import tempfile
from pathlib import Path

from pprl.core.container import VERSION, kind_of
from pprl.core.errors import PprlError
from pprl.core.scores import Scores
from pprl.exchange.folder import read_folder
from pprl.exchange.keystore import Keystore
from pprl.exchange.protocol.agreement import Terms
from pprl.exchange.protocol.cards import Card
from pprl.exchange.protocol.messages import CARD
from pprl.exchange.protocol.package import HEADER_SEGMENT, KIND, PREAMBLE, SealedPackage, recipient_of, seal_segment
from pprl.exchange.protocol.sealed_file import open_file, seal_file
from pprl.exchange.protocol.statements import Statement, parse_canonical, read_statements
from pprl.exchange.replay import Evidence

PASSPHRASE = "wombat gherkin fuzzer sextant"
CHEAP = 8 * 1024  # KiB


class Target:
    """The parsers, with a keystore and cards for those that need them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "file"
        self.exchange = folder / "exchange"
        self.exchange.mkdir()
        self.stores = {
            role: Keystore.make(role, "fuzz", PASSPHRASE, memory=CHEAP) for role in ("list", "registry", "unit")
        }
        day = datetime.date(2030, 1, 1)
        self.cards = {role: Card.make(role, "fuzz", role, day, store.keys) for role, store in self.stores.items()}
        self.keystore = self.stores["unit"]
        for role, card in self.cards.items():
            (self.exchange / f"{role}-1-card.pprl").write_bytes(card.statement.to_bytes())
        self.parsers = {
            "statements": self.statements,
            "canonical": lambda data: parse_canonical(data, "a file"),
            "terms": lambda data: Terms.from_body(parse_canonical(data, "a file")),
            "recipient": lambda data: recipient_of(data, "a file"),
            "kind": lambda data: kind_of(self.written(data)),
            "keystore": self.keystores,
            "evidence": Evidence.from_bytes,
            "scores": lambda data: Scores.read(self.written(data)),
            "package": lambda data: SealedPackage(self.written(data), self.keystore.keys, self.cards),
            "header": self.header,
            "folder": self.folder,
            "sealed": lambda data: open_file(data, "a file", "fuzz", "unit", self.keystore.keys),
            "sealed folder": lambda data: self.folder(seal_file(data, "fuzz", self.cards["list"], self.cards["unit"])),
        }

    def written(self, data: bytes) -> Path:
        self.file.unlink(missing_ok=True)
        self.file.touch(0o600)
        self.file.write_bytes(data)
        return self.file

    def statements(self, data: bytes) -> None:
        for statement in read_statements(data, "a file"):
            if statement.kind is CARD:
                Card.from_statement(statement)

    def keystores(self, data: bytes) -> None:
        """With its memory bounded: a file may ask for a gigabyte, and a fuzzer would."""
        memory = int.from_bytes(data[12:16], "little")
        if not CHEAP < memory <= 1024 * 1024:
            Keystore.read(self.written(data), PASSPHRASE)

    def header(self, data: bytes) -> None:
        """A package whose sealed header holds these bytes: sealed for the right one, and by anybody."""
        preamble = self.preamble()
        sealed = seal_segment(
            self.cards["unit"], preamble, 0, data[:HEADER_SEGMENT].ljust(HEADER_SEGMENT, b"\0"), last=False
        )
        SealedPackage(self.written(preamble + sealed), self.keystore.keys, self.cards)

    def preamble(self) -> bytes:
        return PREAMBLE.pack(KIND, VERSION, 1, bytes(16), self.cards["unit"].statement.hash)

    def folder(self, data: bytes) -> None:
        """A party's folder into which the bytes were put."""
        (self.exchange / "stray.pprl").write_bytes(data)
        read_folder(self.exchange, self.keystore)

    def __call__(self, data: bytes) -> None:
        """The first byte chooses the parser."""
        names = list(self.parsers)
        if data:
            self.one(names[data[0] % len(names)], data[1:])

    def one(self, name: str, data: bytes) -> bool:
        """Whether the parser took the bytes; all but an error of ours goes up."""
        try:
            self.parsers[name](data)
        except PprlError:
            return False
        return True


def canonical_of(statement: Statement) -> bytes:
    return statement.start[Statement.SIGNED :]


def main() -> None:
    import atheris

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        target = Target(Path(folder))
        atheris.instrument_all()
        atheris.Setup(sys.argv, target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
