"""Several spellings of a person: all are tried, the best counts, and decoys get as many tries."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers.exchange import Exchange, rosters, run
from hypothesis import given
from hypothesis import strategies as st

import pprl
from pprl.core.errors import FileError
from pprl.core.key import LinkageKey
from pprl.core.private_rows import PrivateRows, RecordKind
from pprl.core.randomness import Randomness, RandomStream
from pprl.core.schema_file import parse_schema
from pprl.encode.list import encode_list, unused_spellings
from pprl.encode.registry import encode_registry
from pprl.exchange.parties.list_owner import LIST_ROWS
from pprl.exchange.protocol import reveal as ending
from pprl.exchange.protocol.commitments import NONCE, Opening
from pprl.exchange.protocol.crypto import digest
from pprl.exchange.protocol.reveal import check_reveal, label_size
from pprl.judge.assessment import judge
from pprl.judge.assignment import NONE, Candidates
from pprl.match.encodings import match_encodings
from pprl.roster.columns_file import Columns
from pprl.roster.persons import persons_of
from pprl.roster.spellings import MOST_SPELLINGS
from pprl.roster.streaming import people_in_parts

SCHEMA = parse_schema(
    'format = 1\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n[fields.born]\ntype = "date"\n'
    '[fields.unit]\ntype = "category"\nrole = "stratum"\n'
)
SEVERAL = {"surname": ";", "given": ";", "born": ";", "unit": ";"}


def frame(*rows: str, several=SEVERAL) -> pd.DataFrame:
    made = pd.DataFrame([row.split("|") for row in rows], columns=["surname", "given", "born", "unit"], dtype=object)
    made.attrs["several"] = several
    return made


def people(*rows: str, several=SEVERAL):
    return pprl.load(frame(*rows, several=several), SCHEMA, "list", any_age=True).people


def cells(read) -> list[tuple[str | None, ...]]:
    columns = [[*column.values, None] for column in read.columns.values()]
    return [
        tuple(column[code] for column, code in zip(columns, row, strict=True))
        for row in zip(*(c.codes for c in read.columns.values()), strict=True)
    ]


CASES = {
    "two names": (["Müller; Schmidt|Anna|1985-03-12|A"], [("muler", 0), ("wmidt", 0)]),
    "one name in two alphabets is one": (["Иванов; Ivanov|Anna|1985-03-12|A"], [("ivanov", 0)]),
    "every name with every date": (["Zimin; Lugov|Anna|1985-03-12;1986|A"], [("zimin", 0)] * 2 + [("lugov", 0)] * 2),
    "nothing between two separators": (["Zimin;; Lugov ;|Anna|1985|A"], [("zimin", 0), ("lugov", 0)]),
    "people beside them": (
        ["Zimin; Lugov|Anna|1985|A", "Orlov|Ivan|1990|B"],
        [("zimin", 0), ("lugov", 0), ("orlov", 1)],
    ),
    "nothing but separators": (["; ;|Anna|1985|A"], [(None, 0)]),
}


@pytest.mark.parametrize(("rows", "expected"), CASES.values(), ids=CASES)
def test_a_cell_of_several_values_is_several_spellings_of_one_row(rows, expected):
    read = people(*rows)
    assert [(item[0], row) for item, row in zip(cells(read), read.rows.tolist(), strict=True)] == expected
    assert read.rows_read == len(rows)


def test_a_field_that_is_not_linked_has_its_first_value():
    assert {item[-1] for item in cells(people("Zimin; Lugov|Anna|1985|Alpha; Beta"))} == {"alpha"}


def test_a_separator_counts_only_where_it_was_named():
    assert cells(people("Zimin; Lugov|Anna|1985|A", several={}))[0][0] == "zimin lugov"


def test_more_than_eight_spellings_are_counted_by_their_row():
    many = "; ".join(f"Zimin{letter}ov" for letter in "abcdefghij")
    read = people("Orlov|Ivan|1990|B", f"{many}|Anna|1985|A")
    assert len(read) == 1 + 8
    assert read.left_out == {("surname", "more than 8 spellings of a person"): (1,)}


def test_rows_in_any_order_keep_their_spellings():
    made = frame("Zimin; Lugov|Anna|1985|A", "Orlov|Ivan|1990|B", "Belov; Gorin; Kubin|Oleg|1991|B").set_axis([9, 3, 5])
    read = pprl.load(made, SCHEMA, "list", any_age=True).people
    assert read.rows.tolist() == [9, 9, 3, 5, 5, 5]
    assert [item[0] for item in cells(read)] == ["zimin", "lugov", "orlov", "belov", "gorin", "kubin"]


def test_written_in_more_ways_than_are_considered():
    same = "; ".join(["Zimin", "Зимин", "ZIMIN", "zimin", "ЗИМИН", "зимин", "ZiMin", "ЗиМин", "zImin"])
    given_name = "; ".join(["Anna", "Анна", "ANNA", "anna", "АННА", "анна", "AnNa", "АнНа", "aNNa"])
    read = people(f"{same}|{given_name}|1985|A")
    assert len(read) == 1
    assert read.left_out[("surname", "more than 8 spellings of a person")] == (0,)


def test_rows_of_a_frame_with_equal_labels_are_not_taken_for_spellings():
    twice = pd.concat([frame("Zimin; Orlov|Anna|1985|A"), frame("Lugov|Ivan|1990|B")])
    assert pprl.load(twice, SCHEMA, "list", any_age=True).people.rows.tolist() == [0, 0, 1]


def test_a_second_name_joins_nobody():
    """Anna Zimin is also called Lugov; that does not make her and Anna Lugov one person."""
    read = people("Zimin; Lugov|Anna|1985-03-12|A", "Lugov|Anna|1985-03-12|A", "Zimin|A.|1985|A")
    assert persons_of(read, SCHEMA).tolist() == [0, 0, 2, 0]


def test_parts_of_a_file_give_the_same_as_the_whole(tmp_path):
    made = frame(*(f"Zimin{i % 7}; Lugov{i % 5}|Anna|{1960 + i % 30}-02-03;19{i % 30 + 60}|A" for i in range(20)))
    made.to_csv(tmp_path / "list.csv", index_label="no")
    whole = pprl.read_roster(tmp_path / "list.csv")
    whole.attrs["several"] = SEVERAL
    expected = pprl.load(whole, SCHEMA, "list", any_age=True).people
    parts = list(
        people_in_parts(
            tmp_path / "list.csv", SCHEMA, "list", columns=Columns(separators=SEVERAL), any_age=True, rows=3
        )
    )
    assert len(parts) == 7
    assert [row for part in parts for row in cells(part)] == cells(expected)
    assert [row for part in parts for row in part.rows.tolist()] == expected.rows.tolist()


scores = st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=3), min_size=1, max_size=6)


@given(scores, st.data())
def test_the_best_of_several_rows_is_that_of_a_slow_search(found, data):
    """Against dictionaries: of each registry row the best, the most similar first, as many as a row holds."""
    ids, dice = np.full((len(found), 3), NONE), np.zeros((len(found), 3))
    for row, candidates in enumerate(found):
        for slot, (theirs, fifths) in enumerate(sorted(candidates, key=lambda item: -item[1])):
            ids[row, slot], dice[row, slot] = theirs, fifths / 5
    mains = data.draw(st.integers(1, len(found)))
    stands_for = np.array([row if row < mains else data.draw(st.integers(0, mains - 1)) for row in range(len(found))])
    best = Candidates(ids, dice).best_of(stands_for)
    for main in range(mains):
        known: dict[int, float] = {}
        for row in np.flatnonzero(stands_for == main):
            for theirs, fifths in found[row]:
                known[theirs] = max(known.get(theirs, 0), fifths / 5)
        wanted = sorted(known.values(), reverse=True)[:3]
        there = best.ids[main] != NONE
        assert best.dice[main][there].tolist() == wanted
        assert all(
            known[item] == each_dice
            for item, each_dice in zip(best.ids[main][there], best.dice[main][there], strict=True)
        )
        assert len(set(best.ids[main][there].tolist())) == there.sum()


SURNAMES = [
    first + last
    for first in ("Zim", "Lug", "Orl", "Bel", "Gor", "Kub", "Mir", "Sob", "Tar", "Vol")
    for last in ("ov", "in", "enko", "chuk", "yan", "skii", "aev", "ulin")
]
GIVEN = ["Ivan", "Oleg", "Petr", "Anton", "Ilya", "Fedor", "Gleb", "Timur", "Yegor", "Roman"]


def invented(count: int, name: str) -> list[tuple[str, str, str]]:
    draws = RandomStream(name.encode(), "people")
    surname, given_name, day = draws.below(80, count), draws.below(10, count), draws.below(12_000, count)
    dates = (np.datetime64("1965-01-01") + day.astype("timedelta64[D]")).astype(str)
    return [(SURNAMES[s], GIVEN[g], d) for s, g, d in zip(surname, given_name, dates, strict=True)]


def rows_of(members, others=None) -> pd.DataFrame:
    others = others or [""] * len(members)
    return frame(*(f"{other}; {s}|{g}|{d}|A" for (s, g, d), other in zip(members, others, strict=True)))


def test_the_best_spelling_counts_and_each_person_once():
    """With the first spelling of everybody wrong, the same people match as with the right ones, and the registry's
    spellings count nobody twice."""
    registry, absent = invented(400, "registry"), invented(40, "absent")
    leaked = [*registry[:60], *absent]
    wrong = [SURNAMES[i % 80][::-1].title() for i in range(len(leaked))]
    plain = pprl.link(rows_of(leaked), rows_of(registry), SCHEMA, seed=4)
    spelled = pprl.link(rows_of(leaked, wrong), rows_of(registry, wrong * 4), SCHEMA, seed=4)
    rosters = spelled.record.rosters
    assert (spelled.people, rosters.list_rows, rosters.registry_rows) == (100, 100, 400)
    for answer in (plain, spelled):
        pairs = answer.to_frame()
        assert pairs.list_row.is_unique
        assert pairs.registry_row.is_unique
        right = (pairs.list_row == pairs.registry_row) & (pairs.list_row < 60)
        assert right.sum() >= 57
        assert (~right).sum() <= 5
    first_only = pprl.link(
        rows_of([(other, g, d) for (_, g, d), other in zip(leaked, wrong, strict=True)]),
        rows_of(registry),
        SCHEMA,
        seed=4,
    )
    assert (first_only.found or 0) < plain.found - 20


def test_two_of_the_list_do_not_share_the_spellings_of_one_of_the_registry():
    others = invented(300, "registry")
    registry = rows_of(others)
    registry.loc[0, ["surname", "given", "born"]] = ["Zimin; Lugov", "Anna", "1985-03-12"]
    leaked = rows_of(others[40:100])
    leaked.loc[0, ["surname", "given", "born"]] = ["Zimin", "Anna", "1985-03-12"]
    leaked.loc[1, ["surname", "given", "born"]] = ["Lugov", "Anna", "1985-03-12"]
    pairs = pprl.link(leaked, registry, SCHEMA, seed=4).to_frame()
    assert (pairs.registry_row == 0).sum() <= 1


def auc_of_absent() -> float:
    people, other, third = (invented(250, name) for name in ("absent", "other", "third"))
    leaked = frame(
        *(f"{a[0]}; {b[0]}; {c[0]}|{a[1]}; {b[1]}|{a[2]}|A" for a, b, c in zip(people, other, third, strict=True))
    )
    return pprl.link(leaked, rows_of(invented(1_500, "registry")), SCHEMA, seed=4).audit["headline"]["auc"]


def test_absent_people_of_many_names_are_no_more_like_the_registry_than_their_decoys(monkeypatch):
    """Six spellings each, 250 people: one standard error of the area under the curve is 1 / √(12 · 250) = .018. If
    decoys had one spelling, absent people would seem to be in the registry."""
    assert auc_of_absent() < 0.5 + 4 * 0.018
    nobody = np.zeros(0, dtype=np.int64)
    monkeypatch.setattr("pprl.encode.list.respelled", lambda decoys, *_, **__: (decoys.people.take(nobody), nobody))
    assert auc_of_absent() > 0.7


def test_what_is_synthetic_has_as_many_spellings_as_its_person_and_is_nobody():
    read = people(
        *(f"{s}; {o}|{g}|{d}|A" for (s, g, d), (o, _, _) in zip(invented(40, "a"), invented(40, "b"), strict=True))
    )
    encodings, rows = encode_list(read, SCHEMA, LinkageKey.make(1), randomness=Randomness.make(1))
    spelled, bits = (
        rows.stands_for(),
        {h.tobytes(): w.tobytes() for h, w in zip(encodings.handles, encodings.bits.words, strict=True)},
    )
    count = np.bincount(spelled, minlength=len(rows))
    of_person = count[rows.of_kind(RecordKind.REAL)]
    for kind in (RecordKind.DECOY, RecordKind.RELATIVE):
        made = rows.of_kind(kind)
        assert (count[made] == of_person[rows.person[made]]).all()
    real = {bits[rows.handles[i].tobytes()] for i in np.flatnonzero(rows.of_roster())}
    assert not real & {bits[rows.handles[i].tobytes()] for i in np.flatnonzero(~rows.of_roster())}
    shuffled = rows.reorder(np.lexsort((np.arange(len(rows))[::-1] * (rows.kind != RecordKind.REAL), rows.kind)))
    named = rows.handles[rows.stands_for()][np.argsort(rows.handles)]
    assert (shuffled.handles[shuffled.stands_for()][np.argsort(shuffled.handles)] == named).all()


def test_the_order_of_records_decides_nothing():
    members = invented(60, "list")
    read = people(*(f"{s}; {o}|{g}|{d}|A" for (s, g, d), (o, _, _) in zip(members, invented(60, "b"), strict=True)))
    key = LinkageKey.make(1)
    ours, rows = encode_list(read, SCHEMA, key, randomness=Randomness.make(1))
    members_and_others = rows_of([*members[:30], *invented(300, "registry")])
    theirs, registry = encode_registry(
        pprl.load(members_and_others, SCHEMA, "registry"), SCHEMA, key, randomness=Randomness.make(1)
    )
    found = match_encodings(ours, theirs)
    order = np.concatenate(
        [rows.of_kind(RecordKind.REAL), RandomStream(b"x", "order").permutation(len(rows) - 60) + 60]
    )
    first, second = (judge(found, item, registry) for item in (rows, rows.reorder(order)))
    assert first.found >= 27
    assert first.to_dict() == second.to_dict()


@pytest.fixture(scope="module")
def spelled(tmp_path_factory):
    """An exchange in which a third of the list has a second name, up to the reveal."""
    root = tmp_path_factory.mktemp("spelled")
    rosters(root / "rosters", people=45, rows=1_000)
    leaked = pd.read_csv(root / "rosters" / "list.csv", dtype=str, keep_default_na=False)
    name = leaked.columns[2]
    leaked.loc[::3, name] = "Иной Олег Ильич; " + leaked.loc[::3, name]
    leaked.to_csv(root / "rosters" / "list.csv", index=False)
    (root / "columns.toml").write_text(
        f'[columns]\nfull_name = "{name}"\n[several]\nfull_name = ";"\n', encoding="utf-8"
    )
    exchange = Exchange.begin(root / "now", source=root / "rosters")
    for step in (
        "propose",
        "accept",
        "conclude",
        "list rows",
        "registry rows",
        "list package",
        "receipt",
        "list seal",
        "registry seal",
        "match",
        "acknowledge",
        "reveal",
    ):
        exchange.do(step, *(("--columns", root / "columns.toml") if step in ("list rows", "list package") else ()))
    return exchange


def test_an_exchange_with_spellings_is_judged_and_verified(spelled):
    exchange = spelled.copy(spelled.root.parent / "judged")
    home = PrivateRows.read(exchange.folder("list") / "PRIVATE-list.rows")
    assert home.counts()["further spellings"] >= 12
    for step in ("judge", "registry result", "list result"):
        exchange.do(step)
    done = run("verify", exchange.transcript(), "--words-file", exchange.words_file())
    assert done.status == 0, done.err + done.out


def opened(exchange) -> tuple[list[Opening], object, bytes]:
    matter = exchange.opened("unit")
    size, strata = label_size(matter.agreement.terms), len(matter.agreement.terms.strata)
    rows = len(PrivateRows.read(exchange.folder("list") / LIST_ROWS))
    labels = matter.reveal.attachment[: rows * size]
    pieces = [labels[i : i + size] for i in range(0, len(labels), size)]
    return [Opening.from_bytes(piece[NONCE:], strata) for piece in pieces], matter, labels


def test_decoys_with_fewer_spellings_than_their_people_are_refused(spelled, monkeypatch):
    """If decoys had one name and people two, more people than decoys would match by chance."""
    openings, matter, labels = opened(spelled)
    decoy_spelling = next(i for i, label in enumerate(openings) if label.kind == 5)
    changes = {
        "a spelling of a decoy is called one of another": (
            decoy_spelling,
            {
                "person": next(
                    i
                    for i, label in enumerate(openings)
                    if label.kind == RecordKind.DECOY and i != openings[decoy_spelling].person
                )
            },
        ),
        "a spelling of a decoy is called a decoy": (decoy_spelling, {"kind": RecordKind.DECOY, "person": 0}),
        "a decoy is called a spelling": (
            next(i for i, label in enumerate(openings) if label.kind == RecordKind.DECOY),
            {"kind": 5, "person": decoy_spelling},
        ),
    }
    monkeypatch.setattr("pprl.exchange.protocol.reveal.root_of", lambda _: b"")
    size = label_size(matter.agreement.terms)
    roots = {"list_root": b"", "package_root": b"", "planted": digest(b"")}
    check_reveal(labels, bytes(32 * len(openings)), matter.agreement, **roots)
    for i, change in changes.values():
        piece = labels[size * i : size * i + NONCE] + replace(openings[i], **change).to_bytes()
        changed = labels[: size * i] + piece + labels[size * (i + 1) :]
        with pytest.raises(FileError, match="spellings"):
            check_reveal(changed, bytes(32 * len(openings)), matter.agreement, **roots)


def test_both_sides_mean_the_same_kinds_and_the_same_limit():
    assert [*range(RecordKind.SPELLING + 1)] == [
        ending.REAL,
        ending.DECOY,
        ending.RELATIVE,
        ending.CONTROL,
        ending.SPELLING,
    ]
    assert ending.MOST_SPELLINGS == MOST_SPELLINGS


def test_private_rows_with_spellings_are_read_again_and_damage_is_found(tmp_path):
    read = people(*(f"{s}; Lugov|{g}|{d}|A" for s, g, d in invented(40, "a")))
    _, rows = encode_list(read, SCHEMA, LinkageKey.make(1), randomness=Randomness.make(1))
    rows.write(tmp_path / "x.rows")
    again = PrivateRows.read(tmp_path / "x.rows", "list")
    assert np.array_equal(again.person, rows.person)
    assert again.counts() == rows.counts()
    spelling = int(np.flatnonzero(rows.kind == RecordKind.SPELLING)[0])
    for person in (-1, len(rows), spelling):
        person_of = rows.person.copy()
        person_of[spelling] = person
        replace(rows, person=person_of).write(tmp_path / "y.rows", force=True)
        with pytest.raises(FileError, match="its records are damaged"):
            PrivateRows.read(tmp_path / "y.rows", "list")


ALIKE = (
    "Konstantinova; Konstantinava; Shakhovskaya|Anna|1985-03-12|A",
    "Orlov|Anna|1985-03-12;1985-03-13|A",
    "Obolenskij; Shuvalov|Ivan|1960-01-07|B",
)


@pytest.mark.parametrize(("hardening", "kept"), [("plain", [2, 1, 1]), ("standard", [1, 0, 1]), ("high", [1, 0, 1])])
def test_spellings_that_agree_are_left_out_of_a_hardened_list(hardening, kept):
    """How alike the spellings of a person are would name them (tests/preflight/test_attacks_on_lists.py)."""
    read, schema = people(*ALIKE), SCHEMA.with_hardening(hardening)
    _, rows = encode_list(read, schema, LinkageKey.make(1), randomness=Randomness.make(1))
    spelled = rows.person[rows.kind == RecordKind.SPELLING]
    assert [int((spelled == person).sum()) for person in range(3)] == kept
    said = [text.partition(":")[0] for text in unused_spellings(read, schema, rows)]
    assert said == ([] if hardening == "plain" else ["2 of 4 further spellings left out"])


def test_rows_that_share_one_of_several_spellings_are_two_people():
    """Only rows with the same spellings are one: else a pair would name a row that has not the spelling it matched."""
    rows = people("Zimin; Lugov|Anna|1985-03-12|A", "Lugov; Orlov|Anna|1985-03-12|B", "Zimin; Lugov|Anna|1985-03-12|C")
    _, private = encode_registry(rows, SCHEMA, LinkageKey.make(1), randomness=Randomness.make(1))
    person = dict(zip(private.rows.tolist(), private.person.tolist(), strict=True))
    first, second, third = (person[row] for row in sorted(person))
    assert first == third != second
    assert private.counts() == {"people": 2, "repeated rows": 1, "further spellings": 3}
