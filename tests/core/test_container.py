"""Our files: complete or refused, secret ones closed to others, and never left half-written."""

from __future__ import annotations

import dataclasses
import os
import secrets
import stat
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprl.core import container
from pprl.core.bits import MAX_LENGTH, BitMatrix
from pprl.core.encodings import EncodingParameters, Encodings, RegistryDecoys
from pprl.core.errors import FileError, MismatchError, PprlError
from pprl.core.key import LinkageKey
from pprl.core.planted import PlantedTable
from pprl.core.private_rows import MAX_ID_BYTES, Label, Policy, PrivateRows
from pprl.core.scores import KEEP, Scores
from pprl.exchange import keystore
from pprl.exchange.protocol import messages, package, sealed_file
from pprl.match.encodings import match_encodings

PARAMETERS = EncodingParameters(
    encodings=(("plain", 256),), folding=b"f" * 32, fingerprint=b"s" * 32, key_check=b"c" * 16
)
KEY = LinkageKey(bytes(range(32)), repeatable=False)
posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


def handles(*numbers):
    return np.frombuffer(b"".join(number.to_bytes(16, "big") for number in numbers), dtype="V16")


def encodings(count=2, side="registry"):
    words = np.arange(1, 4 * count + 1, dtype="<u8").reshape(count, 4)
    decoys = RegistryDecoys(
        BitMatrix(np.arange(100, 112, dtype="<u8").reshape(3, 4)), np.array([0, 4, 8], dtype=np.uint64)
    )
    return Encodings(
        side=side,
        parameters=PARAMETERS,
        rows_read=3,
        handles=handles(*range(count)),
        bits=BitMatrix(words),
        decoys=decoys if side == "registry" and count > 1 else None,
    )


PLANTED = PlantedTable(
    completeness=np.array([0, 8], dtype=np.int8),
    shapes=np.array([26, 20, 18], dtype=np.uint64),
    similarity=np.array([[255, 200, 90], [254, 0, 91]], dtype=np.uint8),
    differs=np.array([[True, False], [False, False]]),
)
PLANTED_BYTES = struct.pack("<HHB2B3Q", 2, 3, 2, 0, 8, 26, 20, 18) + bytes([255, 200, 90, 254, 0, 91, 1, 0, 0, 0])


def private_rows(count=3):
    return PrivateRows(
        side="list",
        parameters=PARAMETERS,
        rows_read=4,
        rate=500,
        fallbacks=1,
        repeatable=True,
        handles=handles(*range(count)),
        rows=np.arange(2, count + 2),
        person=np.zeros(count, dtype=np.int32),
        kind=(np.arange(count) > 0).astype(np.uint8),
        completeness=np.arange(count, dtype=np.int8),
        ids=np.array(["№1".encode(), b"two", b""][:count] + [b""] * (count - 3), dtype="S"),
        labels=(
            Label(
                name="вид",
                type="category",
                role="stratum",
                values=("a", "b"),
                codes=np.array([0, 1, -1][:count], dtype=np.int32),
            ),
        ),
        policy=Policy(public="no"),
        planted=PLANTED,
    )


def scores(count=2):
    common = np.tile(np.arange(KEEP + 3, 3, -1, dtype=np.uint32), (count, 1))
    theirs = np.broadcast_to(handles(*range(100, 100 + KEEP)), (count, KEEP)).copy()
    total = np.full((count, KEEP), 2 * KEEP + 6, dtype=np.uint32)
    return Scores(
        parameters=PARAMETERS,
        registry_read=9,
        registry_encoded=8,
        kernel="numpy",
        handles=handles(*range(count)),
        theirs=theirs,
        common=common,
        total=total,
        decoys=np.array([[4, 9, 0], [0, 0, 4], [5, 10, 8]], dtype=np.uint64),
    )


@dataclass(frozen=True)
class Kind:
    """How one kind of file is written and read, and the start of its header."""

    magic: bytes
    write: Any
    read: Any
    rows_at: int  # where the header counts the records, 0 for none
    private: bool = False


KINDS = {
    "key": Kind(b"pprl-key", lambda path, **how: KEY.write(path, **how), LinkageKey.read, 0, private=True),
    "encodings": Kind(
        b"pprl-enc",
        lambda path, **how: encodings().write(path, **how),
        Encodings.read,
        10 + 1 + EncodingParameters.LAYOUT.size,
    ),
    "scores": Kind(
        b"pprl-sco", lambda path, **how: scores().write(path, **how), Scores.read, 10 + EncodingParameters.LAYOUT.size
    ),
    "rows": Kind(
        b"pprl-row",
        lambda path, **how: private_rows().write(path, **how),
        PrivateRows.read,
        10 + 1 + EncodingParameters.LAYOUT.size,
        private=True,
    ),
}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def put(path, data):
    """Write a file that only its owner can read, without the code under test."""
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def specimen(kind, folder):
    path = folder / "specimen"
    kind.write(path, force=True)
    return path.read_bytes()


def shape(value):
    """What must stay the same when bytes of a file change: types, and sizes of arrays."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape
    if dataclasses.is_dataclass(value):
        return type(value), [shape(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return type(value)


def content(value):
    """The contents of a value, in a form that can be compared."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if dataclasses.is_dataclass(value):
        return type(value), [content(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return [content(item) for item in value] if isinstance(value, tuple) else value


# ---------------------------------------------------------------- there and back


ROUND_TRIPS = {
    "encodings of a registry": (encodings(), Encodings.read),
    "encodings of a list": (encodings(side="list"), Encodings.read),
    "no encodings": (encodings(0), Encodings.read),
    "scores": (scores(), Scores.read),
    "no scores": (scores(0), Scores.read),
    "private rows": (private_rows(), PrivateRows.read),
    "private rows without planted people": (replace(private_rows(), planted=None), PrivateRows.read),
    "private rows without ids": (replace(private_rows(), ids=np.array([b""] * 3)), PrivateRows.read),
    "the longest id": (replace(private_rows(), ids=np.array([b"a" * MAX_ID_BYTES, b"", b""])), PrivateRows.read),
}


@pytest.mark.parametrize(("value", "read"), ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_what_is_written_is_read(tmp_path, value, read):
    value.write(tmp_path / "x")
    assert content(read(tmp_path / "x")) == content(value)


def test_a_key_comes_back(tmp_path):
    KEY.write(tmp_path / "key")
    assert LinkageKey.read(tmp_path / "key") == KEY
    assert (tmp_path / "key").read_bytes() == b"pprl-key\x02\x00\x00" + KEY.secret


def test_ids_come_back_as_text(tmp_path):
    private_rows().write(tmp_path / "rows")
    assert PrivateRows.read(tmp_path / "rows").id_texts() == ["№1", "two", ""]
    assert PrivateRows.read(tmp_path / "rows").people == 1


def test_an_id_beyond_what_fits_is_refused(tmp_path):
    rows = replace(private_rows(), ids=np.array([b"a" * (MAX_ID_BYTES + 1), b"", b""]))
    with pytest.raises(FileError, match=r"^x: an id is longer than 1,024 bytes$"):
        rows.write(tmp_path / "x")
    assert not list(tmp_path.iterdir())


@given(st.integers(0, 70), st.sampled_from([256, 512, 1024, 8192]), st.sampled_from(Encodings.SIDES), st.integers(0, 9))
def test_encodings_of_any_size(tmp_path_factory, count, length, side, seed):
    words = np.random.default_rng(seed).integers(0, 2**64, (count, length // 64), dtype=np.uint64)
    wanted = Encodings(
        side=side,
        parameters=replace(PARAMETERS, encodings=(("plain", length),)),
        rows_read=2**63,
        handles=handles(*range(count)),
        bits=BitMatrix(words),
    )
    path = tmp_path_factory.mktemp("any") / "x"
    wanted.write(path)
    assert content(Encodings.read(path, side)) == content(wanted)


def test_bytes_of_encodings():
    """docs/encoding.md §7, by hand."""
    layout = "<8sHBB16sI140s32s32s16sQQQ"
    header = struct.pack(layout, b"pprl-enc", 2, 1, 1, b"plain", 256, b"", b"f" * 32, b"s" * 32, b"c" * 16, 2, 3, 3)
    assert len(header) == 276
    decoys = b"".join(struct.pack("<6Q", n, (0, 4, 8)[n], *range(100 + 4 * n, 104 + 4 * n)) for n in range(3))
    rows = b"".join(
        offset.to_bytes(16, "big") + struct.pack("<4Q", *range(4 * offset + 1, 4 * offset + 5)) for offset in range(2)
    )
    written = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container, "write_new", lambda _path, parts, **_how: written.append(b"".join(parts)))
        encodings().write(Path("x"))
    assert written == [header + decoys + rows]


@pytest.mark.parametrize("side", ["list", "registry"])
def test_more_decoys_than_there_may_be_are_refused(side, tmp_path):
    few = replace(
        encodings(2, "registry").decoys,
        bits=BitMatrix(np.ones((5, 4), dtype="<u8")),
        shapes=np.zeros(5, dtype=np.uint64),
    )
    replace(encodings(2, side), decoys=few).write(tmp_path / "x")
    with pytest.raises(FileError, match=f"^x: has 5 decoys, more than a {side} of 2 rows may have$"):
        Encodings.read(tmp_path / "x")


def test_bytes_of_scores():
    header = struct.pack(
        "<B16sI140s32s32s16sQQQQBB", 1, b"plain", 256, b"", b"f" * 32, b"s" * 32, b"c" * 16, 2, 9, 8, 3, 16, 0
    )
    rows = b"".join(
        offset.to_bytes(16, "big")
        + b"".join(theirs.to_bytes(16, "big") for theirs in range(100, 116))
        + struct.pack("<16I", *range(19, 3, -1))
        + struct.pack("<16I", *[38] * 16)
        for offset in range(2)
    )
    assert scores().to_bytes() == header + rows + struct.pack("<9Q", 4, 9, 0, 0, 0, 4, 5, 10, 8)


LABELS = (
    '{"labels":[["вид","category","stratum",["a","b"]]],'
    '"policy":{"public":"no","disclosure":"5","small_cells":"round","matter":""}}'
).encode()


def test_bytes_of_private_rows(tmp_path):
    private_rows().write(tmp_path / "x")
    header = struct.pack(
        "<8sHBB16sI140s32s32s16sQQHQBHII",
        *(b"pprl-row", 2, 0, 1, b"plain", 256, b"", b"f" * 32, b"s" * 32, b"c" * 16, 3, 4, 500, 1, 1, 4),
        *(len(LABELS), len(PLANTED_BYTES)),
    )
    rows = [
        offset.to_bytes(16, "big") + struct.pack("<qiBb4s", offset + 2, 0, offset > 0, offset, text)
        for offset, text in enumerate(("№1".encode(), b"two", b""))
    ]
    codes = struct.pack("<iii", 0, 1, -1)
    assert (tmp_path / "x").read_bytes() == header + b"".join(rows) + LABELS + PLANTED_BYTES + codes


# ---------------------------------------------------------------- damage


@each_kind
def test_any_byte_changed_is_read_in_shape_or_refused(kind, tmp_path):
    whole = specimen(kind, tmp_path)
    wanted = shape(kind.read(tmp_path / "specimen"))
    refused = 0
    for offset in range(len(whole)):
        for flip in (0x01, 0x80, 0xFF):
            path = put(tmp_path / "damaged", whole[:offset] + bytes([whole[offset] ^ flip]) + whole[offset + 1 :])
            try:
                found = kind.read(path)
            except PprlError as error:
                assert str(error).startswith(("damaged: ", "not a file of pprl"))  # noqa: PT017  most of these files are read
                refused += 1
            else:
                assert shape(found) == wanted
                assert offset >= 10  # nothing of the preamble may differ
    assert refused >= 3 * 10


@each_kind
def test_a_file_cut_anywhere_is_refused(kind, tmp_path):
    whole = specimen(kind, tmp_path)
    for size in range(len(whole)):
        with pytest.raises(FileError) as caught:
            kind.read(put(tmp_path / "cut", whole[:size]))
        assert str(caught.value).startswith("cut: is cut short" if size >= 8 else "not a file of pprl; ")


@each_kind
@pytest.mark.parametrize("more", [b"\0", b"\n", bytes(1000)], ids=["a byte", "a line", "much"])
def test_bytes_behind_the_end_are_refused(kind, more, tmp_path):
    path = put(tmp_path / "long", specimen(kind, tmp_path) + more)
    with pytest.raises(FileError, match=r"^long: has bytes after its end$"):
        kind.read(path)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.rows_at], ids=lambda kind: kind.magic.decode()
)
@pytest.mark.parametrize("rows", [2**64 - 1, 2**60, 2**40, 2**32, 4], ids=lambda rows: f"{rows:,}")
def test_a_promise_of_more_rows_is_refused_before_anything_is_allocated(kind, rows, tmp_path):
    whole = specimen(kind, tmp_path)
    path = put(tmp_path / "big", whole[: kind.rows_at] + struct.pack("<Q", rows) + whole[kind.rows_at + 8 :])
    with pytest.raises(FileError, match=r"^big: is cut short$"):
        kind.read(path)


FEWER = r"^few: (has bytes after its end|its labels are damaged|holds scores that no search can .*|has 3 decoys, .*)$"


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.rows_at], ids=lambda kind: kind.magic.decode()
)
def test_a_promise_of_fewer_rows_is_refused(kind, tmp_path):
    whole = specimen(kind, tmp_path)
    path = put(tmp_path / "few", whole[: kind.rows_at] + struct.pack("<Q", 1) + whole[kind.rows_at + 8 :])
    with pytest.raises(
        FileError,
        match=FEWER,
    ):
        kind.read(path)


LENGTH_AT, SIDE_AT = 28, 10  # in a file of encodings
BAD_LENGTHS = (0, 1, 63, 100, 2 * MAX_LENGTH, 2**32 - 64, 2**32 - 1)


@pytest.mark.parametrize("length", BAD_LENGTHS)
def test_a_length_that_is_none_is_refused(length, tmp_path):
    whole = specimen(KINDS["encodings"], tmp_path)
    path = put(tmp_path / "x", whole[:LENGTH_AT] + struct.pack("<I", length) + whole[LENGTH_AT + 4 :])
    with pytest.raises(FileError, match=r"^x: has encodings of [\d,]+ bits, which the parameter set 'plain'"):
        Encodings.read(path)


BAD_SETS = {
    "unknown": (b"plainest", "x: was encoded with the parameter set 'plainest', which this version"),
    "of another length": (b"high", "x: has encodings of 256 bits, which the parameter set 'high' never has"),
    "a number of format 1": (struct.pack("<H", 8), "x: was encoded with one that this version"),
    "not ASCII": ("é".encode(), "x: was encoded with one that this version"),
}


@pytest.mark.parametrize(("name", "message"), BAD_SETS.values(), ids=BAD_SETS)
@pytest.mark.parametrize("kind", ["encodings", "rows"])
def test_a_set_that_is_none_is_refused(kind, name, message, tmp_path):
    whole, at = specimen(KINDS[kind], tmp_path), LENGTH_AT - 16
    path = put(tmp_path / "x", whole[:at] + struct.pack("16s", name) + whole[at + 16 :])
    with pytest.raises(FileError) as caught:
        KINDS[kind].read(path)
    assert str(caught.value).startswith(message)
    assert caught.value.hint


def test_several_encodings_in_a_row_are_refused(tmp_path):
    whole = specimen(KINDS["encodings"], tmp_path)
    with pytest.raises(FileError, match=r"^x: has 2 encodings in each row, and this version of pprl reads one$"):
        Encodings.read(put(tmp_path / "x", whole[:11] + b"\x02" + whole[12:]))


#: The specimen of private rows, one field of its header or of its first record overwritten.
HEADER = struct.calcsize("<8sHBB16sI140s32s32s16sQQHQBHII")
DAMAGED_ROWS = {
    "a third side": (10, b"\x02", "header"),
    "no rate": (HEADER - 21, b"\x00\x00", "header"),
    "a rate of a half": (HEADER - 21, struct.pack("<H", 5_000), "header"),
    "ids without width": (HEADER - 10, b"\x00\x00", "header"),
    "a person below 0": (HEADER + 24, struct.pack("<i", -1), "records"),
    "a person that is not there": (HEADER + 24, struct.pack("<i", 1), "records"),
    "a fifth kind": (HEADER + 28, b"\x04", "records"),
    "a tenth class": (HEADER + 29, b"\x09", "records"),
    "a class below 0": (HEADER + 29, b"\xff", "records"),
    "an id that is no text": (HEADER + 30, b"\xff", "records"),
    "labels that are no JSON": (HEADER + 3 * 34, b"x", "labels"),
    "a label that is no role": (HEADER + 3 * 34 + 33, b"S", "labels"),
    "planted people of nobody": (HEADER + 3 * 34 + len(LABELS), b"\0\0", "table of planted people"),
    "more planted people": (HEADER + 3 * 34 + len(LABELS), b"\3", "table of planted people"),
    "a set of fields twice": (HEADER + 3 * 34 + len(LABELS) + 7, bytes([20]), "table of planted people"),
    "a value that is not there": (HEADER + 3 * 34 + len(LABELS + PLANTED_BYTES), struct.pack("<i", 2), "records"),
}


@pytest.mark.parametrize(("offset", "value", "where"), DAMAGED_ROWS.values(), ids=DAMAGED_ROWS)
def test_damaged_private_rows(offset, value, where, tmp_path):
    whole = specimen(KINDS["rows"], tmp_path)
    path = put(tmp_path / "x", whole[:offset] + value + whole[offset + len(value) :])
    with pytest.raises(FileError, match=rf"^x: its {where} (is|are) damaged$"):
        PrivateRows.read(path)


SCORES_HEADER = 10 + struct.calcsize("<B16sI140s32s32s16sQQQQBB")
DAMAGED_SCORES = {
    "another number of candidates": (SCORES_HEADER - 2, b"\x11", "x: its header is damaged"),
    "a kernel from nowhere": (SCORES_HEADER - 1, b"\x02", "x: its header is damaged"),
    "more common bits than bits": (SCORES_HEADER + 16 + 256, b"\x40", "x: holds scores that no search can give"),
    "many more common bits than bits": (
        SCORES_HEADER + 272,
        b"\x01\x00\x00\x80",
        "x: holds scores that no search can give",
    ),
    "a better candidate behind a worse one": (SCORES_HEADER + 272, b"\x01", "x: holds scores that no search can give"),
    "a candidate twice": (SCORES_HEADER + 31, bytes([101]), "x: holds scores that no search can give"),
    "a decoy with more common bits than bits": (
        SCORES_HEADER + 2 * Scores.RECORD.itemsize,
        b"\x05",
        "x: holds scores that no search can give",
    ),
    "a row twice": (SCORES_HEADER + Scores.RECORD.itemsize + 15, bytes([0]), "x: holds scores that no search can give"),
}


@pytest.mark.parametrize(("offset", "value", "message"), DAMAGED_SCORES.values(), ids=DAMAGED_SCORES)
def test_damaged_scores(offset, value, message, tmp_path):
    whole = specimen(KINDS["scores"], tmp_path)
    path = put(tmp_path / "x", whole[:offset] + value + whole[offset + len(value) :])
    with pytest.raises(FileError) as caught:
        Scores.read(path)
    assert str(caught.value) == message


# ---------------------------------------------------------------- the wrong file


@each_kind
def test_a_file_of_another_kind_is_named(kind, tmp_path):
    for other in KINDS.values():
        if other is not kind:
            other.write(tmp_path / "other", force=True)
            with pytest.raises(FileError) as caught:
                kind.read(tmp_path / "other")
            held, needed = container.KINDS[other.magic], container.KINDS[kind.magic]
            assert str(caught.value) == f"other: holds {held}; {needed} needed here"


@each_kind
@pytest.mark.parametrize("data", [b"", b"pprl", b"PK\x03\x04" + bytes(100), b"pprl-key"[::-1] + bytes(50)])
def test_a_file_of_someone_else(kind, data, tmp_path):
    with pytest.raises(FileError, match=r"^not a file of pprl; .* needed here$"):
        kind.read(put(tmp_path / "x", data))


@each_kind
def test_a_later_version_is_named(kind, tmp_path):
    whole = specimen(kind, tmp_path)
    with pytest.raises(FileError, match=r"^x: is in format 513, but this version of pprl reads format 2$"):
        kind.read(put(tmp_path / "x", whole[:8] + b"\x01\x02" + whole[10:]))


@each_kind
def test_missing_files_and_directories(kind, tmp_path):
    with pytest.raises(FileError, match=r"^gone: cannot be read \(No such file or directory\)$"):
        kind.read(tmp_path / "gone")
    with pytest.raises(FileError, match=rf"^{tmp_path.name}: is a directory, not {container.KINDS[kind.magic]}$"):
        kind.read(tmp_path)
    with pytest.raises(FileError, match=r": cannot be read \(File name too long\)$"):
        kind.read(tmp_path / ("x" * 300))


@pytest.mark.parametrize(("side", "other"), [("list", "registry"), ("registry", "list")])
def test_the_other_side(side, other, tmp_path):
    encodings(side=side).write(tmp_path / "x")
    replace(private_rows(), side=side).write(tmp_path / "y")
    assert Encodings.read(tmp_path / "x", side).side == PrivateRows.read(tmp_path / "y", side).side == side
    with pytest.raises(FileError, match=f"^x: was encoded as a {side}, but a {other} is needed here$"):
        Encodings.read(tmp_path / "x", other)
    with pytest.raises(FileError, match=f"^y: holds the rows of a {side}, but those of a {other} are needed$"):
        PrivateRows.read(tmp_path / "y", other)


def test_kinds_are_distinct(tmp_path):
    for kind in KINDS.values():
        kind.write(tmp_path / "x", force=True)
        assert container.kind_of(tmp_path / "x") == kind.magic
    assert container.kind_of(put(tmp_path / "x", b"surname,given\n")) is None
    elsewhere = {*messages.BY_TAG, keystore.KIND, package.KIND}  # written in tests/exchange/test_exchange_vectors.py
    elsewhere |= {sealed_file.KIND, b"pprl-chk"}  # and in tests/match/test_checkpoint.py
    assert {kind.magic for kind in KINDS.values()} == set(container.KINDS) - elsewhere


# ---------------------------------------------------------------- secrets


@posix
@each_kind
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_files_are_closed_whatever_the_umask(kind, mask, tmp_path):
    before = os.umask(mask)
    try:
        kind.write(tmp_path / "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.private], ids=lambda kind: kind.magic.decode()
)
def test_a_secret_file_is_closed_before_anything_is_in_it(kind, tmp_path):
    seen = []
    before = os.umask(0)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                os,
                "fsync",
                lambda number: seen.append((stat.S_IMODE(os.fstat(number).st_mode), os.fstat(number).st_size)),
            )
            kind.write(tmp_path / "x")
    finally:
        os.umask(before)
    assert [mode for mode, _ in seen] == [0o600]
    assert seen[0][1] == (tmp_path / "x").stat().st_size  # all was written when it was synced


@posix
@each_kind
def test_force_closes_a_file_that_was_open(kind, tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "x").chmod(0o644)
    kind.write(tmp_path / "x", force=True)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


@posix
@each_kind
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o660, 0o644])
def test_a_secret_that_others_can_reach_is_refused(kind, mode, tmp_path):
    kind.write(tmp_path / "x")
    (tmp_path / "x").chmod(mode)
    if kind.private:
        with pytest.raises(FileError, match=r"^x: others on this machine can read it$") as caught:
            kind.read(tmp_path / "x")
        assert caught.value.hint == "chmod 600 x"
    else:
        kind.read(tmp_path / "x")


@posix
def test_a_key_its_owner_alone_can_read_is_read(tmp_path):
    for mode in (0o400, 0o600, 0o700):
        KEY.write(tmp_path / "key", force=True)
        (tmp_path / "key").chmod(mode)
        assert LinkageKey.read(tmp_path / "key") == KEY


# ---------------------------------------------------------------- complete or absent


@each_kind
def test_an_existing_file_stays(kind, tmp_path):
    (tmp_path / "x").write_bytes(b"precious")
    with pytest.raises(FileError, match=r"^x: exists already$") as caught:
        kind.write(tmp_path / "x")
    assert "--force" in caught.value.hint
    assert (tmp_path / "x").read_bytes() == b"precious"
    kind.write(tmp_path / "x", force=True)
    assert (tmp_path / "x").read_bytes() == specimen(kind, tmp_path)


def test_places_where_no_file_can_be(tmp_path):
    for force in (False, True):
        with pytest.raises(FileError, match=r": is a directory$"):
            container.write_new(tmp_path, [b"x"], force=force)
        with pytest.raises(FileError, match=r"^x: its folder does not exist$"):
            container.write_new(tmp_path / "gone" / "x", [b"x"], force=force)
        with pytest.raises(FileError, match=r": cannot be written \(File name too long\)$"):
            container.write_new(tmp_path / ("x" * 300), [b"x"], force=force)
        with pytest.raises(FileError, match=r": cannot be written \(File name too long\)$"):
            container.write_new(tmp_path / ("x" * 250), [b"x"], force=force)  # with .part it is too long
    assert not list(tmp_path.iterdir())


FAILURES = MappingProxyType(
    {
        "no space left": (OSError(28, "No space left on device"), FileError),
        "Ctrl-C": (KeyboardInterrupt(), KeyboardInterrupt),
        "a bug": (ZeroDivisionError(), ZeroDivisionError),
        "a refusal": (MismatchError("x"), MismatchError),
    }
)


def parts_that_fail(error):
    yield b"first part"
    raise error


@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
@pytest.mark.parametrize(("error", "raised"), FAILURES.values(), ids=FAILURES)
def test_a_failed_write_leaves_all_as_it_was(error, raised, existing, tmp_path):
    if existing:
        (tmp_path / "x").write_bytes(b"precious")
    with pytest.raises(raised) as caught:
        container.write_new(tmp_path / "x", parts_that_fail(error), force=True)
    if raised is FileError:
        assert str(caught.value) == "x: cannot be written (No space left on device)"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == ({"x": b"precious"} if existing else {})


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_sync_or_rename_leaves_all_as_it_was(call, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    (tmp_path / "x").write_bytes(b"precious")
    monkeypatch.setattr(os if call == "fsync" else Path, call, fail)
    with pytest.raises(FileError, match=r"^x: cannot be written \(Input/output error\)$"):
        container.write_new(tmp_path / "x", [b"new"], force=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x": b"precious"}


def test_a_file_is_synced_before_it_has_its_name(tmp_path, monkeypatch):
    order = []
    sync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("sync"), sync(number)))
    monkeypatch.setattr(Path, "replace", lambda path, target: (order.append("rename"), rename(path, target))[1])
    container.write_new(tmp_path / "x", [b"a", b"b"])
    assert order == ["sync", "rename"]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_a_killed_run_left_beside_is_taken_away_and_nothing_else(tmp_path):
    for name in (".x[1].0123abcd.part", ".x1.0123abcd.part", ".x[1].part", "x[1].0123abcd.part", ".x[1].mine.part"):
        (tmp_path / name).write_bytes(b"half")
    container.write_new(tmp_path / "x[1]", [b"whole"])
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"x[1]", ".x1.0123abcd.part", ".x[1].part", "x[1].0123abcd.part", ".x[1].mine.part"}


@posix
@each_kind
def test_a_link_laid_at_the_place_of_the_part_is_not_followed(kind, tmp_path, monkeypatch):
    """Somebody who guessed the random name could otherwise read the secret, or overwrite one of our files."""
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    for target in (tmp_path / "victim", tmp_path / "not there"):
        if target.name == "victim":
            target.write_bytes(b"precious")
        trap = tmp_path / ".x.guessed.part"
        trap.symlink_to(target)
        with pytest.raises(FileError, match=r"^x: cannot be written \(File exists\)$"):
            kind.write(tmp_path / "x")
        trap.unlink(missing_ok=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"victim": b"precious"}


@posix
def test_force_replaces_a_link_and_not_what_it_points_to(tmp_path):
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "x").symlink_to(tmp_path / "victim")
    KEY.write(tmp_path / "x", force=True)
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert not (tmp_path / "x").is_symlink()


# ---------------------------------------------------------------- what can be compared

MISMATCHES = {
    "hardening": (
        replace(PARAMETERS, encodings=(("high", 4096),), fingerprint=b"t" * 32, key_check=b"d" * 16),
        "the two files were encoded with different hardening (plain and high)",
    ),
    "folding tables": (
        replace(PARAMETERS, folding=b"g" * 32, fingerprint=b"t" * 32, key_check=b"d" * 16),
        "the two files were encoded with different tables of folding or rarity",
    ),
    "schema": (
        replace(PARAMETERS, fingerprint=b"t" * 32, key_check=b"d" * 16),
        "the two files were encoded with different schemas",
    ),
    "length": (replace(PARAMETERS, encodings=(("plain", 512),)), "the two files were encoded with different schemas"),
    "key": (replace(PARAMETERS, key_check=b"d" * 16), "the two files were encoded with different linkage keys"),
}


@pytest.mark.parametrize(("other", "message"), MISMATCHES.values(), ids=MISMATCHES)
def test_what_differs_is_named(other, message):
    with pytest.raises(MismatchError) as caught:
        PARAMETERS.require_same(other)
    assert str(caught.value) == message
    assert caught.value.hint


def test_equal_parameters_are_the_same():
    PARAMETERS.require_same(EncodingParameters.from_bytes(PARAMETERS.to_bytes(), "x"))


def test_encodings_that_differ_are_not_matched():
    theirs = encodings()
    with pytest.raises(MismatchError, match="different linkage keys"):
        match_encodings(
            encodings(side="list"), replace(theirs, parameters=replace(PARAMETERS, key_check=b"d" * 16)), kernel="numpy"
        )
    assert len(match_encodings(encodings(side="list"), theirs, kernel="numpy")) == 2


# ---------------------------------------------------------------- bits


@given(st.lists(st.sets(st.integers(0, 255)), max_size=5))
def test_bytes_are_the_bits_in_order(rows):
    matrix = BitMatrix.from_positions([sorted(row) for row in rows], 256)
    assert matrix.to_bytes() == b"".join(sum(1 << bit for bit in row).to_bytes(32, "little") for row in rows)
    assert matrix.weights().tolist() == [len(row) for row in rows]
    assert (len(matrix), matrix.length) == (len(rows), 256)


@pytest.mark.parametrize(
    "words", [np.zeros(4, dtype="<u8"), np.zeros((4, 4), dtype=">u8"), np.zeros((4, 4), dtype="<i8")]
)
def test_a_bit_matrix_holds_nothing_else(words):
    with pytest.raises(ValueError, match="little-endian"):
        BitMatrix(words)
