"""Which rosters this machine has committed to: two answers about nearly the same roster reveal the difference.

Anyone who gets one answer with a person on a roster and one without that person has the answer for this person alone.
So each owner's machine keeps, beside the ledger of runs, keyed hashes of the rows that it committed to, with the name
of the exchange and of the other owner. A roster that differs from one of these by fewer than 20 rows is refused, unless
the owner allows it. The key is kept beside the hashes: anyone with both and a roster can tell whether it was sent, and
nothing else.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pprl.core import container
from pprl.core.errors import FileError, RefusedError
from pprl.core.schema import Schema
from pprl.core.state_folder import LEDGER_VARIABLE, ledger_path
from pprl.roster.people import People

FEWEST = 20  # rows by which a roster must differ from one that was sent
MOST_KEPT = 1_000
_MAGIC = b"pprl-snt"
_SIZE = struct.Struct("<I")
_HINT = f"move it away, or name another folder in {LEDGER_VARIABLE}"

Hashes = NDArray[np.uint64]


class SentRosters:
    """The rosters that were sent from this machine. With ``folder`` None nothing is kept and nothing refused."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @classmethod
    def at_home(cls) -> SentRosters:
        """Beside the ledger of runs, and off when the ledger is off."""
        ledger = ledger_path()
        return cls(ledger.parent / "sent" if ledger else None)

    def hashed(self, parts: Iterable[People], schema: Schema, hashes: list[Hashes]) -> Iterator[People]:
        """Pass the parts of a roster on, and append the hashes of the rows of each to ``hashes``."""
        key = self._key() if self._folder else b""
        for people in parts:
            if self._folder:
                hashes.append(_row_hashes(people, schema, key))
            yield people

    def refuse_nearly_sent(self, rows: Hashes, agreement: bytes) -> None:
        """RefusedError: this roster was sent in another exchange, or one that differs from it by fewer than 20 rows."""
        for head, sent_rows in self._all():
            if head["agreement"] == agreement.hex():
                continue  # the same step, repeated
            differing = len(np.setxor1d(rows, sent_rows, assume_unique=True))
            if differing < FEWEST:
                what = f"differs by {differing} rows from" if differing else "is"
                raise RefusedError(
                    f"this roster {what} one that you sent to {head['other']} in the exchange {head['matter']}",
                    hint="two answers that differ by a few rows reveal these rows; to send it anyway: --sent-before",
                )

    def remember(self, rows: Hashes, agreement: bytes, exchange: str, other: str) -> None:
        if self._folder is None:
            return
        head = json.dumps({"agreement": agreement.hex(), "matter": exchange, "other": other}).encode()
        name = hashlib.sha256(agreement).hexdigest()[:16] + ".rows"
        data = [_MAGIC, _SIZE.pack(len(head)), head, rows.astype("<u8").tobytes()]
        container.write_new(self._folder / name, data, private=True, force=True)

    def _key(self) -> bytes:
        assert self._folder is not None
        path = self._folder / "key"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                container.write_new(path, [secrets.token_bytes(32)], private=True)
            return path.read_bytes()[:64]
        except OSError as error:
            raise FileError(f"the record of sent rosters cannot be kept ({error.strerror})", hint=_HINT) from None

    def _all(self) -> Iterator[tuple[dict[str, str], Hashes]]:
        if self._folder is None or not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*.rows"))[:MOST_KEPT]:
            try:
                data = path.read_bytes()
                start = len(_MAGIC) + _SIZE.size
                (size,) = _SIZE.unpack_from(data, len(_MAGIC))
                head = json.loads(data[start : start + size])
                rows = np.frombuffer(data[start + size :], dtype="<u8")
                if data[: len(_MAGIC)] != _MAGIC or set(head) != {"agreement", "matter", "other"}:
                    raise ValueError
            except OSError as error:
                raise FileError(f"the record of sent rosters cannot be read ({error.strerror})", hint=_HINT) from None
            except (ValueError, TypeError, struct.error):
                raise FileError(f"the record of sent rosters is damaged: {path.name}", hint=_HINT) from None
            yield head, rows


def distinct(hashes: list[Hashes]) -> Hashes:
    """The distinct hashes of all parts, ascending."""
    return np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *hashes]))


def _row_hashes(people: People, schema: Schema, key: bytes) -> Hashes:
    """Eight keyed bytes for each row, over its linked values."""
    columns = [people.columns[field.name] for field in schema.linked()]
    texts = [[value.encode() + b"\0" for value in column.values] + [b"\0"] for column in columns]
    codes = [column.codes.tolist() for column in columns]
    hashes = np.empty(len(people), dtype=np.uint64)
    for row, row_codes in enumerate(zip(*codes, strict=True)):
        text = b"".join(values[code] for values, code in zip(texts, row_codes, strict=True))
        hashes[row] = int.from_bytes(hashlib.blake2b(text, key=key[:64], digest_size=8).digest(), "little")
    return hashes
