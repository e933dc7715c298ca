"""Whether our encoder of linkage schemas gives the same bits as clkhash, and how much faster it is.

    python benchmarks/clkhash_parity.py PYTHON [--schemas 200] [--seed 1] [--speed DATA] [--rows 100000]

PYTHON is a Python with clkhash 0.18.3 (in an environment of its own: its NumPy is old). Random schemas of version 3
cover all formats, comparisons, strategies, hashes, folds, missing values and ignored columns. Rows in several alphabets
go through both encoders one by one, since clkhash gives nothing for a chunk with a refused row; ours must then give the
same for all accepted rows at once. A row that both refuse counts as equal, and is counted. `--speed` times records in
memory to bits, in process and on one core: names by their frequency in DATA's `names_ru`, half in Cyrillic and half in
Latin letters, and a date; blakeHash. clkhash remembers values, so each of its runs is a process of its own, and ours
makes a new encoder each time; the rows are new objects in every run.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from encode import rosters

from pprl.core.errors import PprlError
from pprl.interop.clkhash import encode_records, texts
from pprl.interop.linkage_schema import parse_linkage_schema

THEIRS = """
import base64, json, sys, time
from clkhash import clk, schema
with open(sys.argv[1], encoding="utf-8") as file:
    cases = json.load(file)
answers = []
for case in cases:
    try:
        read = schema.from_json_dict(case["schema"])
    except Exception as error:
        answers.append({"refused": type(error).__name__})
        continue
    rows = []
    mark = time.process_time()
    for at in range(0, len(case["rows"]), case["chunk"]):
        chunk = case["rows"][at : at + case["chunk"]]
        try:
            rows += clk.generate_clks(chunk, read, base64.b64decode(case["secret"]), max_workers=1)
        except Exception:
            rows += [None] * len(chunk)
    seconds = time.process_time() - mark
    rows = [each and base64.b64encode(each.tobytes()).decode() for each in rows]
    answers.append({"rows": rows, "seconds": seconds})
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump(answers, file)
"""
ALPHABETS = (
    *("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "àéîõüßłøđ", "абвгдежзиклмнопрстуфхцчшщыэюяіїє"),
    *(
        "αβγδεζηθικλμνξοπρσςτυφχψω",
        "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
        "王李张刘陈杨黄赵周吴",
        "😀🎉👩‍🚀",
        "e\u0301o\u0308",
    ),
    *("0123456789", " .-'"),
)
FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%y", "%Y%m%d", "%Y", "%B %d, %Y", "%Y-%m-%dT%H:%M:%S")


def word(dice: random.Random) -> str:
    letters = "".join(dice.sample(ALPHABETS, dice.randint(1, 2)))
    return "".join(dice.choice(letters) for _ in range(dice.choice((0, 1, 1, 2, 3, 5, 8, 13))))


def feature(dice: random.Random, at: int) -> tuple[dict[str, Any], Any]:
    """A column and a function that draws a cell for it, occasionally a wrong one."""
    name = f"column {at}"
    if dice.random() < 0.1:
        return {"identifier": name, "ignored": True}, lambda: word(dice)
    comparison, cell = dice.choice((ngram, ngram, exact, numeric))(dice)
    form: dict[str, Any] = {"type": "string"}
    if cell is None:
        form, cell = dice.choice((text, text, integer, date, enum))(dice)
    amount = dice.randint(1, 200)
    hashing: dict[str, Any] = {
        "comparison": comparison,
        "strategy": {"bitsPerToken": amount % 70 + 1} if dice.random() < 0.5 else {"bitsPerFeature": amount},
    }
    if dice.random() < 0.5:
        hashing["hash"] = {"type": "blakeHash"}
    if DOUBLE in dice_flags:
        hashing["hash"] = {"type": "doubleHash"}
        if dice.random() < 0.5:
            hashing["hash"]["prevent_singularity"] = dice.random() < 0.7
    if dice.random() < 0.3:
        hashing["missingValue"] = {"sentinel": dice.choice(("", "NA", "-"))}
        if dice.random() < 0.6:
            hashing["missingValue"]["replaceWith"] = dice.choice(("", "0", "none", "1985"))
    sentinel = hashing.get("missingValue", {}).get("sentinel")
    drawn = cell
    return {
        "identifier": name,
        "format": form,
        "hashing": hashing,
    }, lambda: sentinel if sentinel is not None and dice.random() < 0.2 else drawn()


DOUBLE = "double"
dice_flags: set[str] = set()


def ngram(dice: random.Random) -> tuple[dict[str, Any], Any]:
    made: dict[str, Any] = {"type": "ngram", "n": dice.choice((1, 2, 2, 3, 5))}
    if dice.random() < 0.5:
        made["positional"] = dice.random() < 0.5
    return made, None


def exact(_dice: random.Random) -> tuple[dict[str, Any], Any]:
    return {"type": "exact"}, None


def numeric(dice: random.Random) -> tuple[dict[str, Any], Any]:
    made: dict[str, Any] = {
        "type": "numeric",
        "thresholdDistance": dice.choice((1, 3, 8, 0.5, 2.25, 1000)),
        "resolution": dice.randint(1, 9),
    }
    if dice.random() < 0.7:
        made["fractional_precision"] = dice.randint(0, 4)
    shapes = ("{:d}", "{:.1f}", "{:.3f}", "{:e}", " {:d}", "+{:d}")

    def cell() -> str:
        shape = dice.choice(shapes)
        value = dice.randint(-5_000, 5_000)
        return shape.format(value if "d" in shape else value / dice.choice((1, 7, 8, 1000)))

    return made, lambda: cell() if dice.random() < 0.95 else word(dice)


def text(dice: random.Random) -> tuple[dict[str, Any], Any]:
    form: dict[str, Any] = {"type": "string"}
    if dice.random() < 0.6:
        form["encoding"] = dice.choice(("ascii", *["utf-8", "utf-16", "utf-32"] * 4))
    roll = dice.random()
    if roll < 0.15:
        form["pattern"] = dice.choice((r"\w*", r"[^0-9]*", ".{0,13}"))
    elif roll < 0.5:
        form["case"] = dice.choice(("upper", "lower", "mixed"))
        form["minLength"] = dice.randint(0, 2)
        form["maxLength"] = dice.randint(4, 20)
        turned = {"upper": str.upper, "lower": str.lower, "mixed": str}[form["case"]]
        return form, lambda: word(dice) if dice.random() < 0.1 else turned(word(dice) + "ab")[: form["maxLength"]]
    return form, lambda: word(dice)


def integer(dice: random.Random) -> tuple[dict[str, Any], Any]:
    form: dict[str, Any] = {"type": "integer"}
    if dice.random() < 0.5:
        form |= {"minimum": -50, "maximum": 5_000}
    shapes = ("{}", "{}", "{}", "{:05d}", "+{}", " {}", "{:_}", "{}.0")
    return form, lambda: dice.choice(shapes).format(dice.randint(-100, 6_000))


def date(dice: random.Random) -> tuple[dict[str, Any], Any]:
    form = dice.choice(FORMATS)

    def cell() -> str:
        import datetime

        day = datetime.datetime(dice.randint(1900, 2030), dice.randint(1, 12), dice.randint(1, 28))
        return day.strftime(form if dice.random() < 0.97 else dice.choice(FORMATS))

    return {"type": "date", "format": form}, cell


def enum(dice: random.Random) -> tuple[dict[str, Any], Any]:
    values = [word(dice) for _ in range(dice.randint(1, 5))]
    return {"type": "enum", "values": values}, lambda: dice.choice(values) if dice.random() < 0.97 else word(dice)


def case(dice: random.Random, rows: int) -> dict[str, Any]:
    dice_flags.clear()
    if dice.random() < 0.4:
        dice_flags.add(DOUBLE)
    kdf: dict[str, Any] = {"type": "HKDF"}
    if dice.random() < 0.5:
        kdf |= {"hash": dice.choice(("SHA256", "SHA512")), "keySize": dice.choice((16, 32, 64))}
    for name in ("salt", "info"):
        if dice.random() < 0.5:
            kdf[name] = base64.b64encode(dice.randbytes(dice.randint(0, 40))).decode()
    length = dice.randint(40, 3000) if dice_flags else 2 ** dice.randint(3, 12)
    config: dict[str, Any] = {"l": length, "kdf": kdf}
    if dice.random() < 0.4:
        config["xor_folds"] = dice.randint(0, 3)
    columns = [feature(dice, at) for at in range(dice.randint(1, 6))]
    return {
        "schema": {"version": 3, "clkConfig": config, "features": [column for column, _ in columns]},
        "rows": [[cell() for _, cell in columns] for _ in range(rows)],
        "secret": base64.b64encode(dice.randbytes(dice.randint(1, 40))).decode(),
        "chunk": 1,
    }


def ours(case: dict[str, Any]) -> dict[str, Any]:
    try:
        schema = parse_linkage_schema(json.dumps(case["schema"]))
    except PprlError as error:
        return {"refused": str(error)}
    made: list[Any] = []
    secret, mark = base64.b64decode(case["secret"]), time.process_time()
    for start in range(0, len(case["rows"]), case["chunk"]):
        chunk = case["rows"][start : start + case["chunk"]]
        try:
            made += encode_records(chunk, schema, secret)
        except PprlError:
            made += [None] * len(chunk)
    seconds = time.process_time() - mark
    rows = [text for part in made for text in ([None] if part is None else texts(part))]
    accepted = [row for row, text in zip(case["rows"], rows, strict=True) if text is not None]
    at_once = [text for part in encode_records(accepted, schema, secret) for text in texts(part)]
    assert at_once == [text for text in rows if text is not None], "rows at once are not the rows one by one"
    return {"rows": rows, "seconds": seconds}


def theirs(python: str, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = Path(folder) / "cases.json", Path(folder) / "answers.json"
        questions.write_text(json.dumps(cases), encoding="utf-8")
        subprocess.run([python, "-c", THEIRS, str(questions), str(answers)], check=True, stderr=subprocess.DEVNULL)
        return list(json.loads(answers.read_text(encoding="utf-8")))


def parity(python: str, schemas: int, seed: int) -> None:
    dice = random.Random(seed)
    cases = [case(dice, 20) for _ in range(schemas)]
    equal = refused = schemas_refused = 0
    for each, own, other in zip(cases, map(ours, cases), theirs(python, cases), strict=True):
        if "refused" in own or "refused" in other:
            schemas_refused += "refused" in own and "refused" in other
            if ("refused" in own) != ("refused" in other):
                print(
                    "only one refuses the schema:", own.get("refused"), other.get("refused"), json.dumps(each["schema"])
                )
            continue
        for row, one, two in zip(each["rows"], own["rows"], other["rows"], strict=True):
            equal += one == two
            refused += one is None and two is None
            if one != two:
                print("different:", json.dumps(each["schema"]), json.dumps(row), one and "made", two and "made")
    print(
        f"{schemas} schemas (seed {seed}), {20 * schemas:,} rows: {equal:,} equal, of them {refused:,} refused by both;"
    )
    print(f"{schemas_refused} schemas refused by both")


def speed(python: str, data: Path, rows: int) -> None:
    drawn = rosters(data, rows)
    whole = drawn[["birth_date"]].assign(name=drawn.surname + " " + drawn.given + " " + drawn.patronymic)
    for title, frame in (("four columns", drawn), ("whole name and date", whole)):
        for strategy in ({"bitsPerToken": 20}, {"bitsPerFeature": 200}):
            columns = [timed_column(str(name), strategy) for name in frame.columns]
            each = {
                "schema": {"version": 3, "clkConfig": {"l": 1024, "kdf": {"type": "HKDF"}}, "features": columns},
                "rows": frame.to_numpy().tolist(),
                "secret": base64.b64encode(bytes(32)).decode(),
                "chunk": rows,
            }
            text = json.dumps(each)
            answers: list[tuple[dict[str, Any], dict[str, Any]]] = []
            for _ in range(3):  # in turns, since other work on the machine comes and goes
                answer = theirs(python, [each])[0]
                answers += [(ours(json.loads(text)), answer) for _ in range(5)]
            own, other = (min(runs, key=lambda run: float(run["seconds"])) for runs in zip(*answers, strict=True))
            assert own["rows"] == other["rows"]
            print(
                f"{title}, {next(iter(strategy))}: clkhash {rows / other['seconds']:,.0f} rows/s, "
                f"ours {rows / own['seconds']:,.0f}, {other['seconds'] / own['seconds']:.1f} ×"
            )
    print(f"{rows:,} rows; CPU time on one core, the best of three runs of clkhash and fifteen of ours, in turn")


def timed_column(name: str, strategy: dict[str, int]) -> dict[str, Any]:
    comparison: dict[str, Any] = {"type": "ngram", "n": 2}
    form: dict[str, Any] = {"type": "string", "encoding": "utf-8"}
    if name == "birth_date":
        comparison = {"type": "ngram", "n": 1, "positional": True}
        form = {"type": "date", "format": "%Y-%m-%d"}
    return {"identifier": name, "format": form, "hashing": {"comparison": comparison, "strategy": strategy}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python")
    parser.add_argument("--schemas", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=Path, metavar="DATA")
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    if given.speed:
        speed(given.python, given.speed, given.rows)
    else:
        parity(given.python, given.schemas, given.seed)


if __name__ == "__main__":
    main()
