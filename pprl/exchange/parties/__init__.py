"""What each party of an exchange does, as calls: the Python twin of the commands.

Each party has a folder and a class: `ListOwner`, `RegistryOwner`, `LinkageUnit`, `Auditor`. A call does one step and
writes its files; handing them over is up to the parties. `Party.next_step` says what is due, as `pprl next` does.

>>> from pprl.exchange.parties.list_owner import ListOwner
>>> alfa = ListOwner.create("alfa", exchange="division-2022", name="Newsroom Alfa", passphrase="six unrelated words")
>>> alfa.next_step().what
'waiting for the card of the registry owner and the linkage unit'
>>> [(file.name, file.readers) for file in alfa.next_step().send]
[('list-1-card.pprl', ('registry', 'unit', 'auditor'))]
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pprl.exchange.keystore import Lock
from pprl.exchange.parties.party import Party, read_keystore

if TYPE_CHECKING:
    from pprl.exchange.protocol.roles import Role


def class_of(role: Role) -> type[Party]:
    """The class of a role. Only the module of that party is imported: the linkage unit needs no roster code."""
    match role:
        case "list":
            from pprl.exchange.parties.list_owner import ListOwner

            return ListOwner
        case "registry":
            from pprl.exchange.parties.registry_owner import RegistryOwner

            return RegistryOwner
        case "unit":
            from pprl.exchange.parties.linkage_unit import LinkageUnit

            return LinkageUnit
        case "auditor":
            from pprl.exchange.parties.auditor import Auditor

            return Auditor


def open_party(path: Path | str, passphrase: str | Lock, *, today: datetime.date | None = None) -> Party:
    """The party whose folder this is."""
    keystore = read_keystore(Path(path), passphrase)
    return class_of(keystore.role).open(path, keystore.lock, today=today)
