"""Damaged rosters of every format, thousands of them: each must be read or refused, quickly and in little memory.

python benchmarks/fuzz_rosters.py --formats xlsx,ods --files 100000 --seed 1 --jobs 2 --keep FOLDER

Small valid files are changed at random (bits, lengths, counts, XML attributes, pieces cut, doubled or swapped; members
of a ZIP too) and read by `open_roster`, as every command reads them. A failure is any exception but a refusal, a
crash, more than 10 seconds, or more than 500 MB above what the process had before. A file depends on the seed and on
its number alone. Failing files are kept in the folder.

Old workbooks (XLS) are read by a separate program, as a damaged one may end the process. Here a worker calls the same
functions in its own process; where that ends it, the file counts as refused if `open_roster` refuses it.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gzip
import io
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from helpers import workbooks
from helpers.rosters import HEADER, as_csv

from pprl.core.errors import PprlError
from pprl.roster.files import spreadsheet, workbook
from pprl.roster.files.read import open_roster

SECONDS = 10
MEGABYTES = 500
KILLED_AFTER = 20  # seconds without an answer
SAMPLE = Path(__file__).resolve().parent.parent / "tests" / "data" / "roster_formats" / "small.xls"

# --- valid files ---

PEOPLE = [
    [f"Ёжиков{letter}", "Лев", "Львович", f"0{at}.03.198{at}", f"1234567{at}"]
    for at, letter in enumerate("абвгде", start=1)
]
MIXED = [
    ["ФИО", "Дата рождения", "Признак", "Номер"],
    ["Ёжиков Лев Львович", datetime.date(1985, 3, 2), True, 7],
    ["Совин Ян", datetime.datetime(1986, 4, 3, 21), workbooks.Error("#N/A"), 1.5],
    ["Рысин Пётр", "1987", datetime.timedelta(hours=30), workbooks.Error("#REF!")],
]
REPEATED = (
    workbooks.ods_rows([HEADER, *PEOPLE])
    + '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="2"/>'
    + workbooks.ods_cell("Ё", ' table:number-columns-repeated="2" table:number-rows-spanned="2"')
    + '</table:table-row><table:table-row table:number-rows-repeated="1048000"/>'
)
NESTED = (
    b'{"id":"a","schema":"Person","properties":{"name":[{"id":"b","schema":"Person","properties":{"name":["x"]}}]}}\n'
)
EDGE = b'{"id":"e","schema":"Employment","properties":{"employee":["p1","p2"],"role":["x"],"startDate":[1990]}}\n'


def seeds(name: str) -> list[bytes]:
    """Valid files of a format."""
    table = as_csv(PEOPLE)
    if name == "csv":
        quoted = [[f'{cell}; "{cell}"\n' for cell in row] for row in PEOPLE]
        return [table, as_csv(quoted), as_csv(PEOPLE, encoding="cp1251"), as_csv(PEOPLE, encoding="utf-16")]
    if name == "xlsx":
        return [workbooks.xlsx([HEADER, *PEOPLE]), workbooks.xlsx(MIXED, merged=[(1, 3, 2, 2)])]
    if name == "xlsb":
        return [workbooks.xlsb([HEADER, *PEOPLE]), workbooks.xlsb(MIXED, merged=[(1, 3, 2, 2)])]
    if name == "xls":
        return [SAMPLE.read_bytes()]
    if name == "ods":
        return [workbooks.ods(MIXED), workbooks.ods(REPEATED)]
    if name == "parquet":
        options = ({"compression": "none"}, {"compression": "zstd", "row_group_size": 2}, {"data_page_version": "2.0"})
        delta = {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"}
        return [workbooks.parquet(HEADER, PEOPLE, **each) for each in (*options, delta)] + [lists("parquet")]
    if name in ("arrow", "arrow stream"):
        write = workbooks.arrow if name == "arrow" else workbooks.arrow_stream
        return [*(write(HEADER, PEOPLE, compression=each) for each in (None, "zstd", "lz4")), lists(name)]
    if name == "ftm":
        return [workbooks.entities(PEOPLE) + EDGE, NESTED + workbooks.entities(PEOPLE[:1])]
    if name == "zip":
        return [
            workbooks.zipped({"list.csv": table, ".DS_Store": b"x"}),
            workbooks.zipped({"a/list.xlsx": workbooks.xlsx(MIXED)}),
            workbooks.zipped({"list.ods": workbooks.ods(MIXED)}, method=zipfile.ZIP_STORED),
        ]
    return [gzip.compress(data, mtime=0) for data in (table, workbooks.xlsx(MIXED), workbooks.entities(PEOPLE))]


def lists(name: str) -> bytes:
    """Several values in a cell, decimals, dates and indices of distinct values."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "name": pa.array([["Ёж", "Сова"], [], None, ["Рысь"]]),
            "rank": pa.array(["a", None, "a", "b"]).dictionary_encode(),
            "number": pa.array([1, 2, None, 4]).cast(pa.decimal128(21, 2)),
            "born": pa.array([datetime.date(1985, 3, 2)] * 4),
            "view": pa.array(["x" * 20, "y", None, "z"], pa.string() if name == "parquet" else pa.string_view()),
        }
    )
    out = io.BytesIO()
    if name == "parquet":
        pq.write_table(table, out)
        return out.getvalue()
    with (pa.ipc.new_file if name == "arrow" else pa.ipc.new_stream)(out, table.schema) as file:
        file.write_table(table)
    return out.getvalue()


FORMATS = ("csv", "xlsx", "xlsb", "xls", "ods", "parquet", "arrow", "arrow stream", "ftm", "zip", "gz")
OF_MEMBERS = {"xlsx", "xlsb", "ods", "zip"}

# --- changes ---

NUMBERS = (0, 1, -1, 127, 128, 255, 256, 32767, 65535, 65536, 1048576, 16777215, 2**31 - 1, -(2**31), 2**32 - 1, 10**9)
TEXTS = (b"0", b"-1", b"1048576", b"16384", b"99999999", b"4294967296", b"18446744073709551615", b"1e308", b"", b"\xff")
MARKS = (b"<", b">", b'"', b"'", b"&#0;", b"&a;", b"[" * 40, b"{" * 40, b"\0", b"\n", b";" * 300, b"]]>", b"<![CDATA[")


def changed(data: bytes, draw: random.Random) -> bytes:
    """A few changes of one file; most of them leave it nearly valid."""
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        data = draw.choice(CHANGES)(data, draw)
    return data


def _bits(data: bytes, draw: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5))):
        if result:
            result[draw.randrange(len(result))] ^= 1 << draw.randrange(8)
    return bytes(result)


def _number(data: bytes, draw: random.Random) -> bytes:
    """A length or an offset, 1 to 8 bytes in either order."""
    width, order = draw.choice((1, 2, 4, 4, 8)), draw.choice(("little", "little", "big"))
    value = draw.choice(NUMBERS) if draw.random() < 0.7 else draw.getrandbits(8 * width)
    at = draw.randrange(max(1, len(data)))
    return data[:at] + (value % (1 << (8 * width))).to_bytes(width, order) + data[at + width :]


def _written_number(data: bytes, draw: random.Random) -> bytes:
    """A count, a repeat, a reference to a cell or a text, or a date."""
    found = [*re.finditer(rb"\d+", data)]
    if not found:
        return _bits(data, draw)
    place = draw.choice(found)
    return data[: place.start()] + draw.choice(TEXTS) + data[place.end() :]


def _attribute(data: bytes, draw: random.Random) -> bytes:
    """The value of an attribute: another's, or none."""
    found = [*re.finditer(rb"([\w:]+)=\"([^\"]*)\"", data)]
    if not found:
        return _splice(data, draw)
    place, other = draw.choice(found), draw.choice(found)
    more = draw.choice(
        (
            b"",
            place[0] + b" ",
            b'table:number-columns-repeated="900000" ',
            b'table:number-rows-repeated="900000" ',
            b'r="ZZ999999" ',
        )
    )
    return data[: place.start()] + more + place[1] + b'="' + other[2] + b'"' + data[place.end() :]


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(max(1, len(data)))]


def _splice(data: bytes, draw: random.Random) -> bytes:
    """A piece is left out, doubled many times, or put somewhere else."""
    begin = draw.randrange(max(1, len(data)))
    end = min(len(data), begin + draw.choice((1, 2, 4, 16, 64, 400)))
    piece, rest = data[begin:end], data[:begin] + data[end:]
    at = draw.randrange(len(rest) + 1)
    return rest[:at] + piece * draw.choice((0, 0, 1, 2, 2, 20, 300)) + rest[at:]


def _mark(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.choice(MARKS) + data[at:]


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _bits,
    _bits,
    _number,
    _number,
    _written_number,
    _attribute,
    _cut,
    _splice,
    _mark,
)


def changed_members(data: bytes, draw: random.Random) -> bytes:
    """A ZIP with one or two members changed, left out, doubled or renamed; one that was damaged before, as bytes."""
    try:
        parts = list(workbooks.unzipped(data).items())
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError):
        return changed(data, draw)
    for _ in range(draw.choice((1, 1, 2))):
        at = draw.randrange(len(parts))
        name, part = parts[at]
        what = draw.random()
        if what < 0.85:
            inner = part[:2] == b"PK" and draw.random() < 0.8
            parts[at] = name, (changed_members if inner else changed)(part, draw)
        elif what < 0.9 and len(parts) > 1:
            del parts[at]
        elif what < 0.95:
            parts.append((f"{draw.randrange(9)}{name}", part))
        else:
            parts[at] = draw.choice(parts)[0], part
    return workbooks.zipped(dict(parts), method=draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)))


def file_of(name: str, valid: list[bytes], seed: int, number: int) -> bytes:
    """The changed file with this number."""
    draw = random.Random(f"{seed} {name} {number}")
    data = draw.choice(valid)
    if name in OF_MEMBERS and draw.random() < 0.8:
        return changed_members(data, draw)
    if name == "gz" and draw.random() < 0.7:
        inner = gzip.decompress(data)
        return gzip.compress((changed_members if inner[:2] == b"PK" else changed)(inner, draw), mtime=0)
    return changed(data, draw)


# --- reading ---


def read(path: Path) -> str:
    """``read`` or ``refused``; anything else that happens is a failure."""
    try:
        roster = open_roster(path)
        for _ in range(2):
            for part in roster.parts():
                part.shape  # noqa: B018
    except PprlError:
        return "refused"
    return "read"


def _read_old_here(data: bytes) -> object:
    try:
        return json.loads(json.dumps(workbook.read_all(data)))
    except BaseException as error:
        if type(error).__name__ == "PasswordError":
            return "password"
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise ValueError from None
        raise


class Memory:
    """The most memory since `begin`, in megabytes above what there was then."""

    _STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def begin(self) -> None:
        with contextlib.suppress(OSError):
            self._RESET.write_text("5")
        self._before = self._read("VmRSS")

    def most(self) -> float:
        return max(0.0, self._read("VmHWM") - self._before)

    def _read(self, name: str) -> float:
        try:
            found = re.search(rf"^{name}:\s+(\d+) kB", self._STATUS.read_text(), re.M)
        except OSError:
            import resource

            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
        return int(found[1]) / 1024 if found else 0.0


def work(pipe: Connection, folder: str, name: str, seed: int) -> None:
    """Read files by their numbers, and answer how each went, until there are no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where the compiled reader tells of its panics
    valid, memory = seeds(name), Memory()
    path = Path(folder) / f"{multiprocessing.current_process().pid}"
    if name == "xls":
        spreadsheet.read_old = _read_old_here  # type: ignore[assignment]
        _limit_memory()
    for data in valid:
        path.write_bytes(data)
        assert read(path) == "read", f"a valid file of {name} is refused"
    pipe.send(None)
    while (number := pipe.recv()) is not None:
        path.write_bytes(file_of(name, valid, seed, number))
        memory.begin()
        begin = time.perf_counter()
        try:
            how = read(path)
        except BaseException as error:
            how = f"{type(error).__name__}: {error}"[:200]
        pipe.send((number, how, time.perf_counter() - begin, memory.most()))


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        size = workbook.MEMORY_OF_A_PROGRAM
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


@dataclass
class Row:
    """How the files of a format went."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    most: float = 0.0
    failures: list[tuple[int, str]] = field(default_factory=list)

    def take(self, number: int, how: str, seconds: float, megabytes: float) -> None:
        self.counts[how if how in ("read", "refused") else "failed"] += 1
        self.slowest, self.most = max(self.slowest, seconds), max(self.most, megabytes)
        if how not in ("read", "refused"):
            self.failures.append((number, how))
        elif seconds > SECONDS or megabytes > MEGABYTES:
            self.failures.append((number, f"{seconds:.1f} s, {megabytes:.0f} MB"))

    def __str__(self) -> str:
        return (
            f"{self.name:<13}{sum(self.counts.values()):>8,}{self.counts['refused']:>9,}{self.counts['read']:>8,}"
            f"{self.slowest:>9.2f} s{self.most:>8.0f} MB{len(self.failures):>10,}"
        )


HEAD = f"{'format':<13}{'files':>8}{'refused':>9}{'read':>8}{'slowest':>11}{'memory':>11}{'failures':>10}"


class Worker:
    """A process that reads files, and is replaced when one ends it."""

    def __init__(self, folder: str, name: str, seed: int) -> None:
        self.pipe, there = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=work, args=(there, folder, name, seed))
        self.process.start()
        there.close()
        self.number = -1
        self.since = time.monotonic()
        self.pipe.recv()

    def give(self, number: int | None) -> None:
        self.number, self.since = -1 if number is None else number, time.monotonic()
        self.pipe.send(number)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def fuzz(name: str, files: int, seed: int, jobs: int = 1, first: int = 0) -> Row:
    """Read so many changed files of a format."""
    row = Row(name)
    valid = seeds(name)
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(first, first + files))
        workers = [Worker(folder, name, seed) for _ in range(min(jobs, files))]
        for worker in workers:
            worker.give(next(numbers, None))
        while busy := [worker for worker in workers if worker.number >= 0]:
            ready = wait([worker.pipe for worker in busy], timeout=1)
            for worker in busy:
                try:
                    if worker.pipe in ready:
                        row.take(*worker.pipe.recv())
                    elif time.monotonic() - worker.since > KILLED_AFTER:
                        raise EOFError
                    else:
                        continue
                except (EOFError, ConnectionResetError):
                    took = time.monotonic() - worker.since
                    worker.end()
                    how = _again(file_of(name, valid, seed, worker.number)) if name == "xls" else "the process ended"
                    row.take(worker.number, how, 0 if how in ("read", "refused") else took, 0)
                    workers[workers.index(worker)] = worker = Worker(folder, name, seed)
                worker.give(next(numbers, None))
        for worker in workers:
            worker.end()
    return row


_READ = """
import sys, pathlib
sys.path.insert(0, sys.argv[2])
import fuzz_rosters
print(fuzz_rosters.read(pathlib.Path(sys.argv[1])))
"""


def _again(data: bytes) -> str:
    """How `open_roster` takes a file that ended a worker, in a process of its own."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = [sys.executable, "-c", _READ, file.name, str(Path(__file__).parent)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=KILLED_AFTER)
        except subprocess.TimeoutExpired:
            return "no end"
    return done.stdout.strip() or "the process ended"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--formats", default=",".join(FORMATS), help="comma-separated")
    parser.add_argument("--files", type=int, default=1_000, help="of each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for files that fail")
    options = parser.parse_args()
    print(f"# {' '.join(sys.argv)}\n{HEAD}", flush=True)
    for name in options.formats.split(","):
        row = fuzz(name, options.files, options.seed, options.jobs, options.first)
        print(row, flush=True)
        for number, how in row.failures[:20]:
            print(f"  file {number}: {how}", flush=True)
        if options.keep and row.failures:
            options.keep.mkdir(parents=True, exist_ok=True)
            for number, _ in row.failures:
                data = file_of(name, seeds(name), options.seed, number)
                (options.keep / f"{name.replace(' ', '-')}-{options.seed}-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
