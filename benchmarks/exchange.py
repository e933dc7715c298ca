"""The exchange at size, through the commands: seconds, and the most anonymous memory (RssAnon), of every step.

    python benchmarks/exchange.py [--list 1000] [--registry 1000000]

Three folders in a temporary folder share nothing but the files handed over; the people are those of the demo, with
their names recombined. RssAnon of a step is sampled every 20 ms from /proc, including children (Linux only).
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from pprl.core.randomness import RandomStream, seed_from
from pprl.demo import invent
from pprl.exchange.protocol.messages import HAND_OVERS

CLI = Path(__file__).resolve().parents[1] / "cli.py"
FOLDERS = {"list": "alfa", "registry": "bravo", "unit": "unit"}
SCHEMA = """format = 1
[fields.surname]
type = "surname"
[fields.given]
type = "given"
[fields.patronymic]
type = "patronymic"
[fields.birth_date]
type = "date"
[fields.rank]
type = "rank"
role = "confirm"
"""


def rosters(folder: Path, listed: int, held: int) -> None:
    registry = invent(1).registry
    draws = RandomStream(seed_from(1), "rows")
    columns = ("surname", "given", "patronymic", "rank")
    picked = {name: registry[name].to_numpy()[draws.below(len(registry), held)] for name in columns}
    days = (np.datetime64("1970-01-01") + draws.below(12_000, held)).astype(str)
    rows = list(zip(*(picked[name] for name in columns), days, strict=True))
    for name, count in (("registry.csv", held), ("list.csv", listed)):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*columns, "birth_date"])
            writer.writerows(rows[:count])


class Steps:
    """Runs commands and records what each role needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.most: dict[str, float] = defaultdict(float)

    def run(self, role: str, *words: str, quiet: bool = False) -> str:
        command = [sys.executable, str(CLI), *words, "--passphrase-file", f"{role}.pass"]
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        peak = [0]
        watcher = threading.Thread(target=_watch, args=(process, peak))
        watcher.start()
        out, _ = process.communicate()
        watcher.join()
        seconds, most = time.perf_counter() - begin, peak[0] / 1024
        self.most[role] = max(self.most[role], most)
        if process.returncode and not quiet:
            raise SystemExit(out)
        if not quiet:
            print(f"{role:9} {words[0]:7} {seconds:8.1f} s {most:8.0f} MB")
        return out

    def hand_over(self) -> None:
        for file in HAND_OVERS:
            for role in file.readers:
                if file.maker in FOLDERS and role in FOLDERS:
                    made, copy = (self.folder / FOLDERS[who] / file.name for who in (file.maker, role))
                    if made.exists() and not copy.exists():
                        shutil.copy(made, copy)


def _watch(process: subprocess.Popen[str], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _anonymous(process.pid))
        time.sleep(0.02)


def _anonymous(pid: int) -> int:
    """KiB of a process and its children."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                total += int(line.split()[1])
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += _anonymous(int(child))
    except OSError:
        pass
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", type=int, default=1_000)
    parser.add_argument("--registry", type=int, default=1_000_000)
    given = parser.parse_args()
    print(f"# {' '.join(sys.argv)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rosters(folder, given.list, given.registry)
        (folder / "schema.toml").write_text(SCHEMA)
        steps = Steps(folder)
        for role, where in FOLDERS.items():
            (folder / f"{role}.pass").write_text(f"six words that nobody guesses of {role}\n")
            (folder / f"{role}.pass").chmod(0o600)
            steps.run(role, "card", where, "--role", role, "--exchange", "benchmark", "--name", where.title())
        steps.hand_over()
        heard = {role: _words(steps.run(role, "agree", where, quiet=True)) for role, where in FOLDERS.items()}
        (folder / "heard").write_text("".join(f"{role}: {words}\n" for role, words in heard.items()))
        for role, where in FOLDERS.items():
            steps.run(role, "agree", where, "--words-file", "heard")
        steps.run("list", "agree", "alfa", "--schema", "schema.toml")
        steps.hand_over()
        code = next(
            line.split()[1]
            for line in steps.run("registry", "agree", "bravo", quiet=True).splitlines()
            if "code " in line
        )
        steps.run("registry", "agree", "bravo", "--accept", code)
        steps.hand_over()
        for role, file, where in (("list", "list.csv", "alfa"), ("registry", "registry.csv", "bravo")):
            steps.run(role, "encode", file, "--agreement", where)
            steps.hand_over()
        steps.run("list", "encode", "list.csv", "--agreement", "alfa")
        steps.hand_over()
        steps.run("unit", "agree", "unit", "--accept", code)
        steps.hand_over()
        for role, where in (("list", "alfa"), ("registry", "bravo")):
            steps.run(role, "encode", "--agreement", where)
        steps.hand_over()
        print(steps.run("unit", "match", "unit").strip().splitlines()[0])
        for role, most in steps.most.items():
            print(f"{role:9} at most {most:,.0f} MB of anonymous memory")


def _words(out: str) -> str:
    return next(line.partition(":")[2] for line in out.splitlines() if line.startswith("read aloud"))


if __name__ == "__main__":
    main()
