"""The table of keys in docs/report.md is the record itself: `python tests/rewrite.py report` writes it again."""

from helpers import ROOT

from pprl.report.fields import FieldSpec, Kind
from pprl.report.record import CANNOT_TELL, LADDER, Record
from pprl.report.text import Words

PAGE = ROOT / "docs" / "report.md"
BEGIN, END = "<!-- keys: written by tests/rewrite.py -->\n", "<!-- end of keys -->\n"


def rows(specs: dict[str, FieldSpec], above: str = "") -> list[str]:
    lines = []
    for key, spec in specs.items():
        path = f"{above}{key}"
        kind = f"list of {spec.kind.value}s" if spec.many else spec.kind.value
        if spec.optional:
            kind += " or null"
        if spec.text or not (spec.record or spec.keys):
            lines.append(f"| `{path}` | {kind} | {spec.text} |\n")
        inner = spec.record.specs() if spec.record else dict(spec.keys)
        lines += rows(inner, f"{path}[]." if spec.kind is Kind.PARTS else f"{path}.")
    return lines


def table() -> str:
    return "".join([BEGIN, "| key | holds | meaning |\n", "|---|---|---|\n", *rows(Record.specs()), END])


def rewrite() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(before + table() + rest.partition(END)[2], encoding="utf-8")


def test_the_table_of_keys_is_the_record():
    assert table() in PAGE.read_text(encoding="utf-8")


def test_the_page_explains_every_kind_rung_and_reason():
    text = PAGE.read_text(encoding="utf-8")
    reasons = [key.removeprefix("reason.") for key in Words("en").sentences() if key.startswith("reason.")]
    assert not [code for code in (CANNOT_TELL, *LADDER, *reasons) if code != "other" and f"`{code}`" not in text]
    disclosed = text.partition("## What a report discloses")[2].partition("\n## ")[0]
    explained = [Kind.COUNT, Kind.EXPECTED, Kind.ESTIMATE, Kind.SHARE, Kind.PROPORTION, Kind.RATE, Kind.P_VALUE]
    explained += [Kind.BOUND, Kind.SPAN, Kind.SIMILARITY, Kind.DECOY_COUNT, Kind.DECOYS_A_PERSON]
    assert not [kind for kind in explained if kind.value not in disclosed]
