"""Who is who: cards with public keys, and the words by which people make sure that they hold the same cards.

Cards travel as files and can be swapped on the way, so their holders compare words live. The words of a role come from
all cards together; each party reads his own aloud and types those of the others, which are on no screen of his. So no
one can confirm without having heard (docs/protocol.md §3).
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
from typing import Literal

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
from pprl.exchange.protocol.statements import AGAIN, Statement

Role = Literal["list", "registry", "unit", "auditor"]
ROLES: tuple[Role, ...] = ("list", "registry", "unit", "auditor")
NEEDED: tuple[Role, ...] = ("list", "registry", "unit")
TITLES: dict[Role, str] = {
    "list": "list owner",
    "registry": "registry owner",
    "unit": "linkage unit",
    "auditor": "auditor",
}
WORDS = 10
MATTER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
MAX_NAME = 64


@dataclass(frozen=True)
class Card:
    """A party of a matter. ``statement`` is the card as it was received."""

    role: Role
    matter: str
    name: str
    expires: datetime.date
    keys: PublicKeys
    statement: Statement

    @classmethod
    def make(cls, role: Role, matter: str, name: str, expires: datetime.date, keys: SecretKeys) -> Card:
        if not MATTER.fullmatch(matter):
            raise RefusedError(
                "the matter's name is not small letters, digits and hyphens, at most 40 of them",
                hint="all parties type the same: agree on a word, say division-2022",
            )
        if not _nameable(name):
            raise RefusedError(f"the name is empty, longer than {MAX_NAME} letters, or not printable")
        public = keys.public()
        body = {
            "expires": expires.isoformat(),
            "kem": public.kem.hex(),
            "matter": matter,
            "name": name,
            "role": role,
            "signing": public.signing.hex(),
            "x25519": public.x25519.hex(),
        }
        return cls(role, matter, name, expires, public, Statement.make(b"pprl-crd", body, keys))

    @classmethod
    def of(cls, statement: Statement) -> Card:
        """FileError: no card; ForgedError: its own key did not sign it, or one that no honest party has.

        Nothing here says whose card it is: that is what the words are for. No expiry check: an expired card may still
        be needed to read what was signed in its time. Steps check the expiry of the agreement, which no card outlives.
        """
        # (1) the form of a card
        statement.expect(expires=str, kem=str, matter=str, name=str, role=str, signing=str, x25519=str)
        body = statement.body
        role = next((role for role in ROLES if role == body["role"]), None)
        try:
            expires = datetime.date.fromisoformat(body["expires"])
        except ValueError:
            expires = None
        if role is None or expires is None or expires.isoformat() != body["expires"]:
            raise FileError("a card: holds an unknown role or no day of expiry", hint=AGAIN)
        if not MATTER.fullmatch(body["matter"]) or not _nameable(body["name"]):
            raise FileError("a card: its matter or its name is not written as a card's is", hint=AGAIN)
        keys = PublicKeys(
            statement.bytes_of("signing", SIGNING_PUBLIC),
            statement.bytes_of("kem", KEM_PUBLIC),
            statement.bytes_of("x25519", X25519_PUBLIC),
        )
        # (2) keys of full order
        if not keys.usable():
            raise ForgedError(
                f"the card of the {TITLES[role]}: holds a key with which anybody could sign or read",
                hint="no copy of pprl makes such keys: whoever made this card is up to something",
            )
        # (3) signed by itself, so nobody put the keys of another into it
        statement.verify(keys)
        return cls(role, body["matter"], body["name"], expires, keys, statement)


def _nameable(name: str) -> bool:
    """Printable letters that stand in their order: a name is shown to people who decide by it."""
    return bool(name.strip()) and len(name) <= MAX_NAME and name.isprintable()


def order(cards: Mapping[Role, Card]) -> list[Card]:
    """The cards of a matter in the order in which they are hashed.

    MismatchError: one of another matter. FileError: a needed one is missing.
    """
    found = [cards[role] for role in ROLES if role in cards]
    if missing := [TITLES[role] for role in NEEDED if role not in cards]:
        raise FileError(f"the card of the {' and of the '.join(missing)} is missing", hint="put it into the folder")
    if len({card.matter for card in found}) > 1:
        raise MismatchError(
            "the cards are of different matters: " + ", ".join(f"{TITLES[c.role]} {c.matter}" for c in found),
            hint="agree on one word and make the card anew that differs",
        )
    if len({card.keys.signing for card in found}) < len(found):
        raise ForgedError("two roles have one key", hint="each party makes a card of his own, in a folder of his own")
    return found


def digest_of(cards: Mapping[Role, Card]) -> bytes:
    """32 bytes for all cards of a matter."""
    return digest(b"pprl/1/cards\0", *(card.statement.hash for card in order(cards)))


def words_of(cards: Mapping[Role, Card]) -> dict[Role, tuple[str, ...]]:
    """The ten words of each role, 129 bits: what its holder reads aloud.

    An adversary between the parties looks for two sets of cards that give the same words (a collision), so each try
    is made to cost half a second and 256 MiB, and all ten words count.
    """
    stretched = stretch(digest_of(cards), b"pprl/1/words\0\0\0\0")
    told: dict[Role, tuple[str, ...]] = {}
    for card in order(cards):
        draws = derive(stretched, b"", b"pprl/1/words/" + card.role.encode(), 8 * WORDS)
        told[card.role] = tuple(word_list()[draw % len(word_list())] for draw in struct.unpack(f"<{WORDS}Q", draws))
    return told


@cache
def word_list() -> tuple[str, ...]:
    text = resources.files("pprl.exchange.protocol").joinpath("words.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if not line.startswith("#"))


def check_heard(typed: str, words: tuple[str, ...], role: Role) -> None:
    """ForgedError: what was heard is not what these cards give. FileError: a word that is in no list, or too few.

    Hyphens, spaces and capitals do not count: no word of the list begins another, so letters alone settle it.
    """
    if _letters(typed) == _letters("".join(words)):
        return
    heard = typed.lower().replace(",", " ").split()
    for at, word in enumerate(heard, start=1):
        if word not in word_list():
            close = difflib.get_close_matches(word, word_list(), 1)
            hint = f"did you mean {close[0]!r}?" if close else "ask to have it spelt"
            raise FileError(f"word {at} of the {TITLES[role]} is in no list", hint=hint)
    if len(heard) != WORDS:
        raise FileError(f"{len(heard)} words of the {TITLES[role]} were typed; there are {WORDS}")
    wrong = [str(at) for at, (one, other) in enumerate(zip(heard, words, strict=True), start=1) if one != other]
    raise ForgedError(
        f"the words of the {TITLES[role]} differ from yours (word {', '.join(wrong)})",
        hint="hear them again; if they still differ, somebody swapped a card on the way: stop, and send the cards by "
        "another way",
    )


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
