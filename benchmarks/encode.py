"""How fast a roster becomes encodings, folding included, on one core.

    python benchmarks/encode.py DATA [--rows 1000000] [--undated] [--clkhash PYTHON] [--streamed 10000000]

DATA holds `names_ru`. Rows are drawn by frequency: surname, given name, patronymic, birth date, half of them in
Cyrillic, half in Latin letters; no date is compared with `--undated`. `--clkhash` names a Python with clkhash (in an
environment of its own: its NumPy is old); it encodes 10,000 of the rows with as many bits per token, and the ratio is
printed. `--streamed` writes that many rows to a CSV and to a Parquet file with real dates, repeating a million drawn
ones, and encodes both part by part as `pprl encode --agreement` does: seconds of each step and the most anonymous
memory (Linux only).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pprl.core.hardening import SET_NAMES
from pprl.core.key import LinkageKey
from pprl.core.schema import Schema, plain_bits
from pprl.core.schema_file import parse_schema
from pprl.demo.registry import ROMAN
from pprl.encode.encoder import encode
from pprl.encode.minwise import kernel
from pprl.roster.load import load

FIELDS = """format = 1
[fields.surname]
type = "surname"
[fields.given]
type = "given"
[fields.patronymic]
type = "patronymic"
[fields.birth_date]
type = "date"
"""
CLKHASH_ROWS = 10_000
CLKHASH = """
import json, sys, time
from clkhash import clk, schema
names = ("surname", "given", "patronymic", "birth_date")
k = int(sys.argv[2])
hashing = {"comparison": {"type": "ngram", "n": 2}, "strategy": {"bitsPerToken": k}, "hash": {"type": "blakeHash"}}
feature = {"format": {"type": "string", "encoding": "utf-8"}, "hashing": hashing}
doc = {
    "version": 3,
    "clkConfig": {"l": 1024, "kdf": {"type": "HKDF", "hash": "SHA256", "salt": "c2Fs", "info": "aW5m", "keySize": 64}},
    "features": [{"identifier": name, **feature} for name in names],
}
read = schema.from_json_dict(doc)
with open(sys.argv[1], encoding="utf-8") as file:
    start = time.perf_counter()
    clk.generate_clk_from_csv(file, "a secret for timing", read, progress_bar=False, max_workers=1)
    print(json.dumps(time.perf_counter() - start))
"""


def rosters(data: Path, rows: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns = {}
    for name, file in (("surname", "surnames.csv"), ("given", "given.csv"), ("patronymic", "patronymics.csv")):
        table = pd.read_csv(data / "names_ru" / file, keep_default_na=False)
        texts = table.text.to_numpy(dtype=object)
        latin = np.array(["".join(ROMAN.get(letter, letter) for letter in text.lower()).capitalize() for text in texts])
        drawn = rng.choice(len(texts), rows, p=table["count"] / table["count"].sum())
        half = np.arange(rows) % 2 == 0
        columns[name] = np.where(half, texts[drawn], latin.astype(object)[drawn])
    days = np.datetime64("1950-01-01") + rng.integers(0, 20_000, rows).astype("timedelta64[D]")
    columns["birth_date"] = days.astype(str).astype(object)
    return pd.DataFrame(columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--undated", action="store_true", help="names alone, which have 4,096 bits")
    parser.add_argument("--clkhash", metavar="PYTHON")
    parser.add_argument("--streamed", type=int, metavar="ROWS")
    arguments = parser.parse_args()
    if arguments.streamed:
        streamed(arguments.data, arguments.streamed)
        return
    frame, key = rosters(arguments.data, arguments.rows), LinkageKey.make(1).secret
    print(f"{len(frame):,} rows; distinct: " + ", ".join(f"{name} {frame[name].nunique():,}" for name in frame))
    speeds, fields = {}, FIELDS.partition("[fields.birth_date]")[0] if arguments.undated else FIELDS
    for name in SET_NAMES:
        schema = parse_schema(fields).with_hardening(name)
        compile_kernels(schema)
        start = time.process_time()
        people = load(frame, schema, "registry", any_age=True).people
        folded = time.process_time()
        encode(people, schema, key)
        done = time.process_time()
        speeds[name] = len(frame) / (done - start)
        print(
            f"{name}, {schema.parameters.described()}: {speeds[name]:,.0f} rows/s of one core (folding "
            f"{folded - start:.2f} s, encoding {done - folded:.2f} s)"
        )
    if arguments.clkhash:
        bits = plain_bits(parse_schema(FIELDS).linked(), 1024)["surname"]
        seconds = clkhash_seconds(frame.head(CLKHASH_ROWS), arguments.clkhash, bits)
        theirs = CLKHASH_ROWS / seconds
        print(
            f"clkhash: {theirs:,.0f} rows/s; "
            + ", ".join(f"{name}: {speed / theirs:.1f} ×" for name, speed in speeds.items())
        )


def compile_kernels(schema: Schema) -> None:
    """Before anything is timed; a plain filter needs no compiling."""
    if schema.parameters.minima:
        kernel(schema.parameters.minima)


def streamed(data: Path, rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"registry.{kind}" for kind in ("csv", "parquet")]
        frame = rosters(data, min(rows, 1_000_000))
        table = pa.Table.from_pandas(frame.assign(birth_date=pd.to_datetime(frame.birth_date).dt.date))
        with pq.ParquetWriter(paths[1], table.schema) as parquet:
            for top in range(0, rows, len(frame)):
                frame.head(rows - top).to_csv(paths[0], index=False, mode="a", header=not top)
                parquet.write_table(table.slice(0, rows - top))
        del frame, table
        for path in paths:
            print(f"{path.suffix[1:]}, {path.stat().st_size / 1e6:,.0f} MB", flush=True)
            subprocess.run([sys.executable, "-c", STREAMED, str(path), FIELDS], check=True)


STREAMED = """
import sys, threading, time
from pathlib import Path
from pprl.encode.encoder import Encoder
from pprl.core.key import LinkageKey
from pprl.roster.streaming import people_in_parts
from pprl.core.schema import parse_schema

def anonymous():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))

def watch():
    while True:
        seen.append(anonymous())
        time.sleep(0.05)

seen = [anonymous()]
threading.Thread(target=watch, daemon=True).start()
schema = parse_schema(sys.argv[2])
mark = time.perf_counter()
people = people_in_parts(Path(sys.argv[1]), schema, "registry")
laps, rows, encoder = [time.perf_counter() - mark, 0, 0], 0, Encoder(schema, LinkageKey.make(1).secret, bytes(32))
mark = time.perf_counter()
for part in people:
    laps[1] -= mark - (mark := time.perf_counter())
    rows += len(encoder.encode(part))
    laps[2] -= mark - (mark := time.perf_counter())
print("{:,} rows: first reading {:.1f} s, reading again and folding {:.1f} s, encoding {:.1f} s".format(rows, *laps))
figures = rows / sum(laps), time.process_time(), max(seen)
print("{:,.0f} rows/s, {:.1f} s of processor time, most RssAnon {:,.0f} MB".format(*figures))
"""


def clkhash_seconds(frame: pd.DataFrame, python: str, k: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        frame.to_csv(path, index=False)
        done = subprocess.run([python, "-c", CLKHASH, str(path), str(k)], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
