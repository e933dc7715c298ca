"""Reading rosters: a workbook of 20,000 rows compared with the bare spreadsheet reader; memory for a CSV of a million.

python benchmarks/read.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import python_calamine
import xlsxwriter

import pprl
import pprl.roster.files.spreadsheet
from pprl.core.randomness import RandomStream, seed_from
from pprl.demo import invent

RUNS = 9
READ = """
import resource, sys, pprl
pprl.read_roster(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def rows(count: int) -> list[list[str]]:
    """Rows of synthetic people: running number, whole name, date, rank, personal number."""
    registry = invent(1).registry
    draws = RandomStream(seed_from(1), "rows")
    picks = [draws.below(len(registry), count) for _ in range(3)]
    surname, given, patronymic = (
        registry[name].to_numpy()[at] for name, at in zip(("surname", "given", "patronymic"), picks, strict=True)
    )
    days = (np.datetime64("1970-01-01") + draws.below(12_000, count)).astype(str)
    return [
        [str(at), f"{s} {g} {p}", day, "рядовой", f"АБ-{at:06d}"]
        for at, (s, g, p, day) in enumerate(zip(surname, given, patronymic, days, strict=True), 1)
    ]


HEADER = ["№", "ФИО", "Дата рождения", "Звание", "Личный номер"]


def main() -> None:
    print(f"# {' '.join(sys.argv)}")
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "roster.xlsx"
        with xlsxwriter.Workbook(str(book)) as workbook:
            sheet = workbook.add_worksheet()
            for at, row in enumerate([HEADER, *rows(20_000)]):
                sheet.write_row(at, 0, row)

        def bare() -> None:
            python_calamine.CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()

        def whole() -> None:
            assert len(pprl.read_roster(book)) == 20_000

        times: dict[str, list[float]] = {"python-calamine": [], "read_roster": []}
        for _ in range(RUNS):
            for name, run in (("python-calamine", bare), ("read_roster", whole)):
                begin = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - begin)
        medians = {name: statistics.median(seconds) for name, seconds in times.items()}
        print("XLSX of 20,000 rows  " + ", ".join(f"{name} {seconds:.3f} s" for name, seconds in medians.items()))
        print(f"ratio                {medians['read_roster'] / medians['python-calamine']:.2f}")
        table = Path(folder) / "roster.csv"
        with table.open("w", encoding="utf-8") as file:
            file.writelines(";".join(row) + "\n" for row in [HEADER, *rows(1_000_000)])
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", READ, str(table)], capture_output=True, text=True, check=True)
        peak = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
        print(
            f"CSV of a million rows  {peak / 1e6:,.0f} MB at most, {time.perf_counter() - begin:.1f} s, Python included"
        )


if __name__ == "__main__":
    main()
