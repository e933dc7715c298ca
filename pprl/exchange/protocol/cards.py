"""Who is who: cards with public keys, and the words by which people make sure that they hold the same cards.

Cards travel as files and can be swapped on the way, so their holders compare words on a live call. The words of a role
come from all cards together. Each party reads their own words aloud and types the words of the others, which their own
screen never shows: nobody can confirm without listening (docs/protocol.md §3).
"""

from __future__ import annotations

import datetime
import difflib
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pprl.core.errors import FileError, ForgedError, MismatchError, RefusedError
from pprl.exchange.protocol.crypto import (
    KEM_PUBLIC,
    SIGNING_PUBLIC,
    X25519_PUBLIC,
    PublicKeys,
    SecretKeys,
    derive,
    digest,
    stretch,
)
from pprl.exchange.protocol.messages import CARD
from pprl.exchange.protocol.roles import PARTIES, ROLES, TITLES, Role, titles_of
from pprl.exchange.protocol.statements import AGAIN, Statement

WORDS = 10
EXCHANGE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
MAX_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Card:
    """A party of an exchange. ``statement`` is the card as it was received."""

    role: Role
    exchange: str
    name: str
    expires: datetime.date
    keys: PublicKeys
    statement: Statement

    @classmethod
    def make(cls, role: Role, exchange: str, name: str, expires: datetime.date, keys: SecretKeys) -> Card:
        if not EXCHANGE_NAME.fullmatch(exchange):
            raise RefusedError(
                "the name of the exchange must be at most 40 lower-case letters, digits and inner hyphens",
                hint="all parties type the same word: agree on one, such as division-2022",
            )
        if not _is_readable(name):
            raise RefusedError(f"the name is empty, longer than {MAX_NAME} characters, or not printable")
        public = keys.public()
        body = {
            "expires": expires.isoformat(),
            "kem": public.kem.hex(),
            "matter": exchange,
            "name": name,
            "role": role,
            "signing": public.signing.hex(),
            "x25519": public.x25519.hex(),
        }
        statement = Statement.make(CARD, body, keys)
        return cls(role=role, exchange=exchange, name=name, expires=expires, keys=public, statement=statement)

    @classmethod
    def from_statement(cls, statement: Statement) -> Card:
        """FileError: not a card. ForgedError: not signed by its own key, or with a key that no honest party has.

        Nothing here tells whose card it is: that is what the words are for. Expiry is not checked: an expired card may
        still be needed to read what was signed in its time. The steps check that the agreement has not expired, and no
        agreement outlives a card.
        """
        # (1) the form of a card
        statement.require_form()
        body = statement.body
        role = next((role for role in ROLES if role == body["role"]), None)
        try:
            expires = datetime.date.fromisoformat(body["expires"])
        except ValueError:
            expires = None
        if role is None or expires is None or expires.isoformat() != body["expires"]:
            raise FileError("a card: holds an unknown role or no valid day of expiry", hint=AGAIN)
        if not EXCHANGE_NAME.fullmatch(body["matter"]) or not _is_readable(body["name"]):
            raise FileError("a card: the name of its exchange or of its holder is malformed", hint=AGAIN)
        keys = PublicKeys(
            statement.bytes_of("signing", SIGNING_PUBLIC),
            statement.bytes_of("kem", KEM_PUBLIC),
            statement.bytes_of("x25519", X25519_PUBLIC),
        )
        # (2) keys of full order
        if not keys.usable():
            raise ForgedError(
                f"the card of the {TITLES[role]}: holds a key with which anybody could sign or read",
                hint="pprl never makes such keys: do not trust the maker of this card",
            )
        # (3) signed with its own key, so nobody can put the keys of another party into a card
        statement.verify(keys)
        return cls(
            role=role,
            exchange=body["matter"],
            name=body["name"],
            expires=expires,
            keys=keys,
            statement=statement,
        )


def _is_readable(name: str) -> bool:
    """Printable, and not empty: people decide by the name that they see."""
    return bool(name.strip()) and len(name) <= MAX_NAME and name.isprintable()


def order(cards: Mapping[Role, Card]) -> list[Card]:
    """The cards of an exchange in the order in which they are hashed.

    FileError: one of the three is missing. MismatchError: they are of different exchanges. ForgedError: two roles share
    a key.
    """
    ordered = [cards[role] for role in ROLES if role in cards]
    if missing := [role for role in PARTIES if role not in cards]:
        raise FileError(f"the card of {titles_of(missing)} is missing", hint="put it into the folder")
    if len({card.exchange for card in ordered}) > 1:
        names = ", ".join(f"{TITLES[card.role]} {card.exchange}" for card in ordered)
        raise MismatchError(
            f"the cards are of different exchanges: {names}",
            hint="agree on one word and make the card that differs again",
        )
    if len({card.keys.signing for card in ordered}) < len(ordered):
        raise ForgedError("two roles have the same key", hint="each party makes their own card, in their own folder")
    return ordered


def digest_of(cards: Mapping[Role, Card]) -> bytes:
    """32 bytes that stand for all cards of an exchange together."""
    return digest(b"pprl/1/cards\0", *(card.statement.hash for card in order(cards)))


def words_of(cards: Mapping[Role, Card]) -> dict[Role, tuple[str, ...]]:
    """The ten words that the holder of each card reads aloud, 129 bits.

    An adversary between the parties looks for two sets of cards that give the same words (a collision), so each attempt
    is made to cost half a second and 256 MiB, and all ten words count.
    """
    stretched = stretch(digest_of(cards), b"pprl/1/words\0\0\0\0")
    words: dict[Role, tuple[str, ...]] = {}
    for card in order(cards):
        draws = derive(stretched, b"", b"pprl/1/words/" + card.role.encode(), 8 * WORDS)
        words[card.role] = tuple(word_list()[draw % len(word_list())] for draw in struct.unpack(f"<{WORDS}Q", draws))
    return words


@cache
def word_list() -> tuple[str, ...]:
    text = resources.files("pprl.exchange.protocol").joinpath("words.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if not line.startswith("#"))


def check_heard(typed: str, words: tuple[str, ...], role: Role) -> None:
    """Compare the words that were typed with those that the cards give.

    ForgedError: they differ. FileError: a word is not in the word list, or there are not ten. Hyphens, spaces and
    capitals do not count: no word of the list begins another, so the letters alone decide.
    """
    if _letters(typed) == _letters("".join(words)):
        return
    heard = typed.lower().replace(",", " ").split()
    for number, word in enumerate(heard, start=1):
        if word not in word_list():
            close = difflib.get_close_matches(word, word_list(), 1)
            hint = f"did you mean {close[0]!r}?" if close else "ask to have it spelt"
            raise FileError(f"word {number} of the {TITLES[role]} is not in the word list", hint=hint)
    if len(heard) != WORDS:
        raise FileError(f"{len(heard)} words of the {TITLES[role]} were typed; there are {WORDS}")
    pairs = enumerate(zip(heard, words, strict=True), start=1)
    wrong = [str(number) for number, (typed_word, word) in pairs if typed_word != word]
    raise ForgedError(
        f"the words of the {TITLES[role]} differ from yours (word {', '.join(wrong)})",
        hint="listen again; if they still differ, somebody swapped a card on the way: stop, and send the cards another "
        "way",
    )


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
