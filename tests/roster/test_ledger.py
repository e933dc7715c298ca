"""The ledger counts the runs with a list, whatever was edited in it, and holds nothing readable."""

import json
import stat
from pathlib import Path

import pandas as pd
import pytest

from pprl.core.errors import FileError
from pprl.core.schema_file import parse_schema
from pprl.core.state_folder import ledger_path
from pprl.roster.ledger import SKETCH, common, count_run, sketch

SCHEMA = parse_schema('format = 1\nname = "x"\n[fields.a]\ntype = "surname"\n[fields.b]\ntype = "given"\n')
KEY = "0123456789abcdef" * 2


def roster(prefix: str, rows: int = 200, **extra: str) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"№": [str(index) for index in range(rows)], "a": [f"{prefix}-{index:04d}" for index in range(rows)]}
    )
    return frame.assign(**extra)


OURS, THEIRS = roster("ours"), roster("theirs")


def run(path, own=OURS, theirs=THEIRS, schema=SCHEMA, columns=None, rate=500, repeatable=False, controls=()) -> str:
    columns = [{"a": "a"}] if columns is None else columns
    return str(count_run(path, [own], [theirs], schema, columns, rate, repeatable=repeatable, controls=controls))


def test_the_first_run_and_the_same_again(ledger):
    assert run(ledger) == "1 with this list"
    assert run(ledger) == "2 with this list; changed since the last: nothing"
    assert run(ledger, own=roster("another")) == "1 with this list"
    assert run(ledger) == "3 with this list; changed since the last: nothing"


CHANGES = {
    "the schema": {"schema": SCHEMA.with_hardening("high")},
    "the columns": {"columns": [{"a": "№"}]},
    "the false-match rate": {"rate": 100},
    "the seed (now a number)": {"repeatable": True},
    "the registry": {"theirs": roster("others")},
    "the controls": {"controls": [roster("absent", 20)]},
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_count_says_what_changed(ledger, what):
    run(ledger)
    assert run(ledger, **CHANGES[what]) == f"2 with this list; changed since the last: {what}"


def test_an_edited_list_is_still_the_list(ledger):
    run(ledger)
    shorter = OURS.iloc[20:].reset_index(drop=True)
    count = run(ledger, own=shorter, theirs=THEIRS.iloc[::-1])
    assert count.startswith("2 with this list; changed since the last: the list (about ")
    assert 3 <= int(count.split("about ")[1].split("%")[0]) <= 20  # 10% of the cells are gone, estimated from 128
    assert run(ledger, own=roster("ours", note="a new column")).startswith("3 with this list")


def test_running_numbers_make_no_two_lists_alike():
    assert common(sketch([OURS], KEY), sketch([THEIRS], KEY)) == 0
    assert len(sketch([OURS], KEY)) == SKETCH
    assert sketch([OURS], KEY) == sketch([OURS.iloc[:100], OURS.iloc[100:]], KEY)
    assert sketch([OURS], KEY) != sketch([OURS], KEY[::-1])


def test_the_share_of_common_cells_is_about_right():
    half = common(sketch([roster("x", 2000)], KEY), sketch([roster("x", 4000)], KEY))
    assert abs(half - 0.5) < 4 * (0.25 / SKETCH) ** 0.5


def test_the_ledger_is_private_and_says_nothing(ledger):
    run(ledger)
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
    text = ledger.read_text()
    assert not any(word in text for word in ("ours-", "theirs-", "№", str(ledger.parent)))
    known = {"own", "theirs", "schema", "columns", "rate", "repeatable", "controls"}
    assert set(json.loads(text)["runs"][0]) == known


def test_a_ledger_from_before_controls_were_counted_goes_on(ledger):
    run(ledger)
    earlier = json.loads(ledger.read_text())
    del earlier["runs"][0]["controls"]
    ledger.write_text(json.dumps(earlier))
    assert run(ledger) == "2 with this list; changed since the last: nothing"


DAMAGED = '{"format": 1, "key": "00000000000000000000000000000000", "runs": [{"own": [], "whose": 1}]}'


@pytest.mark.parametrize(
    "text", ["", "{}", '{"format": 9, "key": "", "runs": []}', '{"format": 1, "runs": 7}', "[1]", DAMAGED]
)
def test_a_damaged_ledger_is_an_error_with_a_way_out(ledger, text):
    ledger.write_text(text)
    with pytest.raises(FileError, match="damaged") as refusal:
        run(ledger)
    assert "--no-ledger" in refusal.value.hint
    assert ledger.read_text() == text


def test_where_the_ledger_is(monkeypatch, tmp_path):
    monkeypatch.setenv("PPRL_LEDGER", "off")
    assert ledger_path() is None
    monkeypatch.delenv("PPRL_LEDGER")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert ledger_path() == tmp_path / "pprl" / "runs.json"
    assert run(ledger_path()) == "1 with this list"


def test_a_place_that_cannot_be_made_is_an_error_with_a_way_out():
    with pytest.raises(FileError, match="cannot be written") as refusal:
        run(Path("/proc/pprl/runs.json"))
    assert "--no-ledger" in refusal.value.hint


def nowhere():
    raise RuntimeError


def test_a_user_without_a_home_learns_what_to_name(monkeypatch):
    monkeypatch.delenv("PPRL_LEDGER")
    monkeypatch.setattr("pathlib.Path.home", nowhere)
    with pytest.raises(FileError, match="no home") as refusal:
        ledger_path()
    assert "PPRL_LEDGER" in refusal.value.hint
