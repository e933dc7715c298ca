"""How many people's names show their sex, and how far tables of names agree: `python benchmarks/sex.py DATA`.

`DATA/names_ru` has surnames.csv and patronymics.csv with the columns text, count and gender (m, f or something else),
from the PyPI package russiannames 2.0.0. Shares are weighted by the counts. That table goes by endings itself, so
for each surname taken for a woman's it is also checked whether the man's form is in the table.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from pprl.normalize.names import fold_name
from pprl.normalize.sex import sex_of


def measure(part: str, path: Path) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    women: Counter[str] = Counter()
    names = set()
    with path.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            folded = fold_name(row["text"], given=part == "patronymic")
            sex, count = sex_of(part, folded), int(row["count"])
            known = row["gender"] if row["gender"] in ("m", "f") else "-"
            counts[known, sex or "-"] += count
            names.add(folded)
            women[folded] += count if sex == "f" else 0
    total, decided = counts.total(), sum(count for (_, sex), count in counts.items() if sex != "-")
    labelled = sum(count for (known, _), count in counts.items() if known != "-")
    right, wrong = counts["m", "m"] + counts["f", "f"], counts["m", "f"] + counts["f", "m"]
    print(f"{part}: known for {decided / total:.1%} of {total:,}")
    print(f"  for {(right + wrong) / labelled:.1%} of {labelled:,} whose sex is in the table; {wrong:,} differ")
    if part == "surname":
        in_pairs = sum(count for name, count in women.items() if names & {name[:-1], name.removesuffix("aia") + "i"})
        print(f"  the man's form is there for {in_pairs / women.total():.1%} of those taken for women's")


if __name__ == "__main__":
    measure("surname", Path(sys.argv[1]) / "names_ru" / "surnames.csv")
    measure("patronymic", Path(sys.argv[1]) / "names_ru" / "patronymics.csv")
