"""What every party of an exchange can do: make a card, compare words, see what is due."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from pprl.core import container
from pprl.core.errors import ForgedError, OrderError, RefusedError
from pprl.core.outputs import all_or_none, make_folder
from pprl.exchange import keystore as keystores
from pprl.exchange.folder import ExchangeFolder, no_keystore, open_folder
from pprl.exchange.keystore import Keystore, Lock
from pprl.exchange.next_step import Step, next_step
from pprl.exchange.protocol.agreement import Proposal
from pprl.exchange.protocol.cards import Card, check_heard, digest_of, order, words_of
from pprl.exchange.protocol.messages import CARD_FILES
from pprl.exchange.protocol.roles import TITLES, Role

CARD_DAYS = 365
Words = Mapping[Role, tuple[str, ...]]


@dataclass(frozen=True)
class Party:
    """One party and its folder.

    Each method reads the folder again, so files may come in between. A method that does a step writes its files
    complete or not at all; `next_step` then says which of them goes to whom.
    """

    path: Path
    lock: Lock = field(repr=False)
    today: datetime.date = field(default_factory=datetime.date.today)

    role: ClassVar[Role]

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        exchange: str,
        name: str,
        passphrase: str,
        expires: datetime.date | None = None,
        memory: int | None = None,
    ) -> Self:
        """Make a folder with a keystore, which stays here, and a card for the others.

        ``exchange`` is one word that is the same for all parties. ``memory`` in KiB is what a guess of the passphrase
        costs, by default 256 MiB. OrderError: the folder has a keystore already. RefusedError: the name, the word
        or the day cannot be used.
        """
        folder = Path(path)
        refuse_second_card(folder)
        keystores.refuse_short(passphrase)
        keystore = Keystore.make(cls.role, exchange, passphrase, memory=memory)
        last_day = expires or datetime.date.today() + datetime.timedelta(CARD_DAYS)
        if last_day < datetime.date.today():
            raise RefusedError("the card would have expired already", hint="--expires takes a day in the future")
        card = Card.make(cls.role, exchange, name, last_day, keystore.keys)
        keystore_path, card_path = folder / keystores.NAME, folder / CARD_FILES[cls.role].name
        with all_or_none(keystore_path, card_path, folder):
            make_folder(folder)
            keystore.write(keystore_path)
            container.write_new(card_path, [card.statement.to_bytes()])
        return cls(folder, keystore.lock)

    @classmethod
    def open(cls, path: Path | str, passphrase: str | Lock, *, today: datetime.date | None = None) -> Self:
        """Unlock a folder. OrderError: it is another party's. ForgedError: the passphrase is wrong."""
        keystore = read_keystore(Path(path), passphrase)
        if keystore.role != cls.role:
            raise OrderError(
                f"this is the folder of the {TITLES[keystore.role]}; only the {TITLES[cls.role]} does this",
                hint="pprl next FOLDER says what is due",
            )
        return cls(Path(path), keystore.lock, today or datetime.date.today())

    def read(self) -> ExchangeFolder:
        """The folder as it is now, every statement verified."""
        return open_folder(self.path, self.lock, today=self.today)

    def next_step(self) -> Step:
        return next_step(self.read())

    def words(self) -> Words:
        """The ten words that each role reads aloud. Deriving them takes half a second."""
        return words_of(self.read().cards)

    def confirm_words(self, heard: Mapping[Role, str], words: Words | None = None) -> None:
        """Check the words that the others read aloud on a call, and remember that they were right.

        ``words`` saves deriving them again. ForgedError: they differ. FileError: not ten words of the list, or a party
        is missing.
        """
        folder = self.read()
        order(folder.cards)  # refuses cards that are missing or of different exchanges
        words = words or words_of(folder.cards)
        others = [role for role in words if role != self.role]
        for role in others:
            check_heard(heard.get(role, ""), words[role], role)
        confirmed = {role: digest_of(folder.cards).hex() for role in others}
        folder.save(folder.keystore.holding(heard=confirmed))


def read_keystore(path: Path, passphrase: str | Lock) -> Keystore:
    keystore_path = path / keystores.NAME
    if not path.is_dir() or not keystore_path.exists():
        raise no_keystore(path)
    return Keystore.read(keystore_path, passphrase)


def refuse_second_card(path: Path) -> None:
    if (path / keystores.NAME).exists():
        raise OrderError(f"{container.called(path)}: has a keystore already", hint="pprl next FOLDER says what is due")


def refuse_to_sign(folder: ExchangeFolder, proposal: Proposal) -> None:
    """RefusedError: terms that have expired, or that outlive a card."""
    proposal.terms.refuse_expired(folder.today)
    refuse_outliving(folder, proposal.terms.expires)


def refuse_outliving(folder: ExchangeFolder, expires: datetime.date) -> None:
    first_expiry = min(card.expires for card in folder.cards.values())
    if expires > first_expiry:
        raise RefusedError(
            f"the agreement would outlive a card, which expires on {first_expiry}",
            hint=f"--expires {first_expiry}, or new cards",
        )


def require_code(proposal: Proposal, code: str) -> None:
    """ForgedError: this is not the code of these terms, so other terms may have been read."""
    if code.strip().lower() != proposal.code:
        raise ForgedError("this is not the code of these terms; nothing is signed", hint="read the terms again")
