"""An assessment is its record: what is written, read again and shown are one thing."""

import json
import random

import pandas as pd
import pytest

import pprl
from pprl.core.errors import FileError
from pprl.core.schema_file import parse_schema
from pprl.judge.assessment import Assessment
from pprl.report import REPORT_FILES
from pprl.report.disclosure import disclose
from pprl.report.record import AUDIT, REPORT, check

SCHEMA = parse_schema(
    'format = 1\nname = "small"\npolicy.disclosure = 10\n'
    '[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.born]\ntype = "date"\n'
    '[fields.unit]\ntype = "category"\nrole = "stratum"\n[fields.rank]\ntype = "rank"\nrole = "confirm"\n'
)
SURNAMES = ["Лугов", "Зимин", "Озеров", "Полев", "Снегов", "Дубов", "Горин", "Речной", "Лесной", "Камнев"]
GIVEN = ["Иван", "Олег", "Юрий", "Глеб", "Павел", "Фёдор"]


def roster(numbers: range, **same: str) -> pd.DataFrame:
    """Invented people, always the same for a number; ``same`` fixes columns."""

    def person(number: int) -> dict[str, str]:
        draw = random.Random(number)
        return {
            "surname": draw.choice(SURNAMES) + draw.choice(["", "ский", "ев"]),
            "given": draw.choice(GIVEN),
            "born": f"{draw.randint(1960, 2003)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
            "unit": draw.choice(["первая", "вторая"]),
            "rank": draw.choice(["рядовой", "сержант", "майор"]),
        }

    return pd.DataFrame([person(number) | same for number in numbers], dtype=object)


@pytest.fixture(scope="module")
def answer() -> Assessment:
    return pprl.link(roster(range(60)), roster(range(20, 400)), SCHEMA, seed=1)


NOBODY = {"surname": "Лугов", "given": "", "born": ""}


@pytest.mark.parametrize("same", [{}, {"unit": ""}, NOBODY], ids=["some match", "no strata", "nobody is judged"])
def test_the_record_is_read_as_it_was_written(same):
    allowed = {"allow_weak": True, "allow_empty": True}
    answer = pprl.link(roster(range(60), **same), roster(range(20, 400)), SCHEMA, seed=1, **allowed)
    assert check(json.loads(answer.audit_json())) == answer.record
    assert answer.record.exact
    assert (answer.found is None) == (answer.net_found is None) == (same == NOBODY)


def test_the_figures_are_those_of_the_record(answer):
    headline, result = answer.audit["headline"], answer.to_dict()
    assert answer.found == headline["found"]["count"] == result["found"]["count"] > 20
    assert answer.net_found._asdict() == headline["net_found"] == result["net_found"]
    assert answer.net_found.low <= answer.net_found.value <= answer.net_found.high
    assert result["p_value"] == headline["p"] == answer.p_value
    assert result["strata"] == answer.audit["strata"]
    assert result["seconds"].keys() == {"encode", "match", "plant", "judge"}
    assert "seconds" not in answer.audit


def test_an_assessment_writes_what_the_command_writes(answer, tmp_path):
    answer.write(tmp_path / "result", "ru")
    files = {path.name: path.read_text("utf-8") for path in (tmp_path / "result").iterdir()}
    assert set(files) == set(REPORT_FILES)
    audit, report = json.loads(files["audit.json"]), json.loads(files["report.json"])
    assert (audit["format"], report["format"]) == (AUDIT, REPORT)
    assert report == disclose(audit, 10)
    assert files["report.html"] == answer.to_html("ru") != answer.to_html()
    assert (tmp_path / "result" / "audit.json").stat().st_mode & 0o077 == 0
    with pytest.raises(FileError):
        answer.write(tmp_path / "result")
    answer.write(tmp_path / "result", force=True)
