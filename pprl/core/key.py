"""The linkage key: 32 bytes that both owners hold and the linkage unit must never get."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pprl.core import container
from pprl.core.errors import FileError
from pprl.core.randomness import RandomStream, fresh_seed, seed_from


@dataclass(frozen=True)
class LinkageKey:
    """``secret`` holds the bytes; a ``repeatable`` key was made from a number that somebody chose and is not secret."""

    secret: bytes
    repeatable: bool

    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<B32s")

    @classmethod
    def make(cls, seed: int | None = None) -> LinkageKey:
        """A key from the operating system, or from a number, for runs that can be repeated."""
        if seed is None:
            return cls(fresh_seed(), repeatable=False)
        return cls(RandomStream(seed_from(seed), "linkage key").bytes(32), repeatable=True)

    def write(self, path: Path, *, force: bool = False) -> None:
        """Write a new file that only its owner can read, mode 0600."""
        body = self.LAYOUT.pack(self.repeatable, self.secret)
        container.write_new(path, [container.preamble(b"pprl-key"), body], private=True, force=force)

    @classmethod
    def read(cls, path: Path) -> LinkageKey:
        """The key in a file. FileError: not a complete key file, or one that others can read."""
        body = container.read_body(path, b"pprl-key", private=True)
        (repeatable, secret), _ = body.header(cls.LAYOUT)
        body.expect(body.data, cls.LAYOUT.size)
        if repeatable not in (0, 1):
            raise FileError(f"{path.name}: is damaged", hint="copy it again, or make a new one with `pprl key`")
        return cls(secret, bool(repeatable))

    def __repr__(self) -> str:
        return f"LinkageKey(repeatable={self.repeatable})"


def key_of(key: LinkageKey | Path | str) -> LinkageKey:
    """A key, or the one in a key file."""
    return key if isinstance(key, LinkageKey) else LinkageKey.read(Path(key))
