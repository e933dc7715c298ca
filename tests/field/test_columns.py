"""Which column is which field, where a column of something else looks like one: codes, sexes, districts, middle names.

What is proposed never costs people their surnames, and a linked field that one roster lacks stops the linkage.
"""

import itertools

import pandas as pd
import pytest
from helpers.rosters import HEADER, SCHEMA, as_csv, clean_rosters, read
from helpers.sessions import run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pprl
from pprl.core.errors import RefusedError, RosterError
from pprl.core.schema_file import parse_schema
from pprl.roster.load import load
from pprl.roster.people import MISSING

NAMES = ["Лугов Олег Семёнович", "Тихий Кирилл Львович", "Седых Лев Петрович", "Бойко Иван Ильич", "Ким Пётр Егорович"]
DATES = ["12.03.1985", "14.04.1986", "15.05.1987", "16.06.1988", "17.07.1989"]
WITH_SEX = parse_schema(
    'format = 1\nname = "x"\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
    '[fields.birth_date]\ntype = "date"\n[fields.sex]\ntype = "sex"\n'
)
NAMES_AND_DATE = 'format = 1\nname = "x"\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
NAMES_AND_DATE += '[fields.patronymic]\ntype = "patronymic"\n[fields.birth_date]\ntype = "date"\n'


def table(**columns):
    return pd.DataFrame({header: list(cells) for header, cells in columns.items()}, dtype=object)


def people_of(frame, schema=SCHEMA, **options):
    """The values of each person, by field, and the lines that the owner sees."""
    lines: list[str] = []
    people = load(frame, schema, "list", note=lines.append, **options).people
    values = {
        name: [None if code == MISSING else column.values[code] for code in column.codes]
        for name, column in people.columns.items()
    }
    return values, "\n".join(lines)


CODES = {
    "a Russian card index": {"Группа учёта": "АБВГД"},
    "a Ukrainian one": {"Категорія обліку": "АБВГҐ"},
    "blood groups": {"Blood": ["A", "B", "O", "A", "B"]},
    "initials of clerks": {"Внёс": ["К.", "Л.", "К.", "М.", "Н."]},
    "sexes in Turkish": {"Cinsiyet": "EKEKE"},
    "sexes in Spanish": {"Sexo": "HMHMH"},
    "sexes in Polish": {"Płeć": "KMKMK"},
    "sexes under no known header": {"M/F": "MFMFM"},
    "companies of two letters": {"Рота": ["АК", "БК", "ВК", "АК", "БК"]},
    "districts": {"Район": ["Ленинский", "Кировский", "Советский", "Заводской", "Ленинский"]},
}


@pytest.mark.parametrize("column", CODES.values(), ids=CODES)
@pytest.mark.parametrize("first", [False, True])
def test_a_column_of_codes_displaces_no_whole_names(column, first):
    names = {"ФИО": NAMES, "Дата рождения": DATES}
    wanted, _ = people_of(table(**names))
    values, lines = people_of(table(**{**column, **names} if first else {**names, **column}))
    assert values == wanted
    assert None not in wanted["surname"]
    assert f"from column {next(iter(column))!r}" not in lines


@pytest.mark.parametrize("column", CODES.values(), ids=CODES)
def test_a_column_of_codes_proves_no_patronymic_beside_surnames_and_given_names(column):
    surnames, given, _ = (list(part) for part in zip(*map(str.split, NAMES), strict=True))
    values, _ = people_of(table(Фамилия=surnames, Имя=given, др=DATES, **column))
    assert values["patronymic"] == [None] * 5
    values, _ = people_of(table(Фамилия=surnames, др=DATES, **column))
    assert values["given"] == values["patronymic"] == [None] * 5


def test_initials_in_columns_of_their_own_are_names():
    frame = table(
        Фамилия=["Лугов", "Бойко", "Ким"], **{"И.": ["О.", "К.", "Л."], "О.": ["С.", "Л.", "П."]}, др=DATES[:3]
    )
    values, _ = people_of(frame)
    assert values["given"] == ["o.", "k.", "l."]
    assert values["patronymic"] == ["s.", "l.", "p."]
    frame = table(П=["Лугов", "Бойко", "Ким"], І=["О.", "К.", "Л."], Б=["С.", "Л.", "П."], др=DATES[:3])
    assert people_of(frame)[0] == values  # Ukrainian
    assert people_of(table(ФИО=NAMES[:3], И=["А", "Б", "В"], др=DATES[:3]))[0]["given"] == ["oleg", "kiril", "lev"]


def test_whole_names_go_before_a_lone_given_name_and_take_a_lone_patronymic_beside_them():
    parts = [name.split() for name in NAMES]
    short = [" ".join(words[:2]) for words in parts]
    wanted, _ = people_of(table(ФИО=NAMES, др=DATES))
    assert people_of(table(ФИО=NAMES, Имя=[words[1] for words in parts], др=DATES))[0] == wanted
    assert people_of(table(ФИО=NAMES, Отчество=[words[2] for words in parts], др=DATES))[0] == wanted
    assert people_of(table(ФИО=short, Отчество=[words[2] for words in parts], др=DATES))[0] == wanted
    assert people_of(table(ФИО=NAMES, Имя=[words[1][0] + "." for words in parts], др=DATES))[0] == wanted
    assert people_of(table(ФИО=NAMES, Отчество=[words[2][0] + "." for words in parts], др=DATES))[0] == wanted


def test_a_column_of_surnames_that_few_people_have_gives_way_to_whole_names():
    """Two clerks: one filled the whole name, the other began to split it."""
    split = {"Фамилия": ["Лугов", "", "", "", ""], "Имя": ["Олег", "", "", "", ""]}
    wanted, _ = people_of(table(ФИО=NAMES, др=DATES))
    assert people_of(table(**split, ФИО=NAMES, др=DATES))[0] == wanted


def test_given_names_without_surnames_are_not_proposed():
    values, lines = people_of(table(Имя=["Олег", "Лев"], Отчество=["Ильич", "Львович"], др=DATES[:2]))
    assert values["given"] == [None, None]
    assert "column 'Имя' is not used: there is no column of surnames" in lines
    values, _ = people_of(table(Имя=["Олег", "Лев"], др=DATES[:2]), columns={"given": "Имя"})
    assert values["given"] == ["oleg", "lev"]  # the owner knows better


def test_a_column_called_name_beside_surnames_holds_given_names():
    frame = table(name=["Жак", "Эмиль", "Поль"], Nachname=["Дюма", "Золя", "Бизе"], dob=DATES[:3])
    values, _ = people_of(frame, columns={"surname": "Nachname"})
    assert values["given"] == ["jak", "emil", "pol"]
    values, _ = people_of(frame.rename(columns={"Nachname": "last name"}))
    assert values["given"] == ["jak", "emil", "pol"]


def test_what_the_owner_maps_goes_before_the_parts_of_a_whole_name():
    """The parts fill it where it is empty."""
    frame = table(ФИО=NAMES, прежняя=["Орлов", "", "-", "Гусев", "Уткин"], др=DATES)
    values, _ = people_of(frame, columns={"surname": "прежняя"})
    assert values["surname"] == ["orlov", "tixi", "sedix", "gusev", "utkin"]
    assert values["given"] == ["oleg", "kiril", "lev", "ivan", "petr"]


def test_two_columns_of_whole_names_ask():
    with pytest.raises(RosterError, match=r"2 columns could be full_name: column 'ФИО', column 'П\.І\.Б\.'") as refusal:
        people_of(table(ФИО=NAMES, **{"П.І.Б.": NAMES[::-1]}, др=DATES))
    assert "--column full_name=HEADER" in refusal.value.hint


AMERICAN = {
    "First name": ["John", "Mary", "Peter"],
    "Middle name": ["Lee", "Ann", "J"],
    "Last name": ["Ash", "Elm", "Fir"],
}


def test_middle_names_are_patronymics_only_where_they_are():
    values, lines = people_of(table(**AMERICAN, dob=DATES[:3]))
    assert values["patronymic"] == [None, None, None]
    assert "column 'Middle name' is not used: its middle names are no patronymics" in lines
    russian = {**AMERICAN, "Middle name": ["Ivanovich", "Petrovna", "Ilyich"]}
    values, _ = people_of(table(**russian, dob=DATES[:3]))
    assert None not in values["patronymic"]


SEXES = {
    "Russian": ("мжмжм", "mfmfm"),
    "Ukrainian": ("чжчжч", "mfmfm"),
    "English": ("mfmfm", "mfmfm"),
    "Spanish, where m is mujer": ("hmhmh", None),
    "Polish, where k is kobieta": ("kmkmk", None),
    "Turkish": ("ekeke", None),
}


@pytest.mark.parametrize(("letters", "sexes"), SEXES.values(), ids=SEXES)
@pytest.mark.parametrize("header", ["sex", "Пол", "графа"])
def test_letters_are_sexes_or_nothing(letters, sexes, header):
    names = ["Дюма Жак", "Золя Эмиль", "Мериме Поль", "Ренан Жорж", "Бизе Люк"]  # which show no sex
    values, lines = people_of(table(ФИО=names, др=DATES, **{header: letters}), WITH_SEX)
    assert values["sex"] == (list(sexes) if sexes else [None] * 5)
    if not sexes and header != "графа":
        assert f"column {header!r} is not used: most of its words for a sex are unknown" in lines


def test_a_year_fills_a_date_that_is_missing():
    frame = table(ФИО=NAMES, **{"Дата рождения": [*DATES[:3], "", "-"], "Год рождения": range(1985, 1990)})
    values, lines = people_of(frame.astype(str))
    assert values["birth_date"] == ["1985-03-12", "1986-04-14", "1987-05-15", "1988", "1989"]
    assert "birth_date.year from column 'Год рождения'" in lines
    whole, _ = people_of(frame.astype(str), columns={"birth_date.year": "Год рождения"})
    assert whole == values


def test_a_year_that_contradicts_the_dates_fills_nothing():
    rows = range(12)
    frame = table(ФИО=NAMES[:1] * 12, др=[f"{at + 1:02}.03.1985" for at in rows[:-1]] + [""], год=["1999"] * 12)
    values, _ = people_of(frame.rename(columns={"год": "Год рождения"}))
    assert values["birth_date"][-1] is None


def test_years_for_dates_are_the_same_in_parts(tmp_path):
    from pprl.roster.streaming import people_in_parts

    rows = [[NAMES[at % 5], "" if at % 3 else DATES[at % 5], str(1985 + at % 5)] for at in range(30)]
    (tmp_path / "r.csv").write_bytes(as_csv(rows, header=["ФИО", "Дата рождения", "Год рождения"]))
    whole = load(tmp_path / "r.csv", SCHEMA, "registry").people
    parts = list(people_in_parts(tmp_path / "r.csv", SCHEMA, "registry", rows=7))
    born = lambda people: [people.columns["birth_date"].values[code] for code in people.columns["birth_date"].codes]  # noqa: E731
    assert list(itertools.chain.from_iterable(map(born, parts))) == born(whole)


# What one roster lacks


def rosters(tmp_path, **removed):
    """A list and a registry of the same people, of which columns are left out."""
    parts = [name.split() for name in NAMES * 6]
    dates = [f"{at % 28 + 1:02}.{at // 28 + 1:02}.19{60 + at}" for at in range(30)]
    rows = [
        [f"{surname}{'аеиоу'[at % 5]}в", *rest, day]
        for at, ((surname, *rest), day) in enumerate(zip(parts, dates, strict=True))
    ]
    for name in ("list", "registry"):
        kept = [at for at, header in enumerate(HEADER[:4]) if header not in removed.get(name, ())]
        cells = [[row[at] if HEADER[at] not in removed.get("empty", ()) else "" for at in kept] for row in rows]
        (tmp_path / f"{name}.csv").write_bytes(as_csv(cells, header=[HEADER[at] for at in kept]))
    (tmp_path / "schema.toml").write_text(NAMES_AND_DATE, encoding="utf-8")


def link(tmp_path, *words):
    (tmp_path / "more.csv").write_bytes((tmp_path / "registry.csv").read_bytes() + as_csv([["Один"]], header=None))
    fixed = "--schema schema.toml --no-ledger --threads 1 --any-age --yes-list"
    return run(" ".join(["pprl link list.csv more.csv", fixed, *words]))


def test_a_field_that_is_mapped_on_one_side_only_stops_the_linkage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rosters(tmp_path, list=["Отчество"])
    *_, error, hint, status = link(tmp_path)
    assert status == "[exit 1]"
    assert "list: no row has a value for what is linked: patronymic (no column found)" in error
    assert "the registry has patronymic (column 'Отчество')" in error
    assert "--list-column patronymic=HEADER" in hint
    assert "--allow-empty" in hint
    assert "'Фамилия', 'Имя', 'Дата рождения'" in hint
    assert link(tmp_path, "--allow-empty")[-1] != "[exit 1]"


def test_a_field_that_is_empty_in_every_row_stops_the_linkage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rosters(tmp_path, empty=["Отчество"])
    *_, error, _, status = link(tmp_path)
    assert status == "[exit 1]"
    assert "list: no row has a value for what is linked: patronymic (column 'Отчество')" in error


def test_the_registry_is_named_where_it_lacks_a_field():
    frames = [table(ФИО=NAMES * 2, др=DATES * 2), table(Фамилия=["Лугов"] * 11, Имя=["Олег"] * 11, др=[*DATES * 2, ""])]
    with pytest.raises(RefusedError, match="registry: no row has a value for what is linked: patronymic") as refusal:
        pprl.link(*frames, parse_schema(NAMES_AND_DATE))
    assert "--registry-column patronymic=HEADER" in refusal.value.hint
    assert "list has patronymic (column 'ФИО')" in str(refusal.value)


def test_a_registry_in_parts_is_read_until_every_field_has_a_value(tmp_path):
    from pprl.roster.empty_fields import refuse_empty_parts
    from pprl.roster.streaming import people_in_parts

    rows = [
        [*name.split()[:2], "" if at < 4 else name.split()[2], day]
        for at, (name, day) in enumerate(zip(NAMES, DATES, strict=True))
    ]
    (tmp_path / "r.csv").write_bytes(as_csv(rows, header=HEADER[:4]))
    refuse_empty_parts(people_in_parts(tmp_path / "r.csv", SCHEMA, "registry", rows=2))
    (tmp_path / "r.csv").write_bytes(as_csv(rows[:4], header=HEADER[:4]))
    with pytest.raises(RefusedError, match="registry: no row has a value for what is linked: patronymic") as refusal:
        refuse_empty_parts(people_in_parts(tmp_path / "r.csv", SCHEMA, "registry", rows=2))
    assert "(column 'Отчество')" in str(refusal.value)


def test_check_says_what_link_would_refuse(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rosters(tmp_path, list=["Отчество"])
    lines = run("pprl check list.csv --schema schema.toml --any-age")
    assert any("no row has a value for patronymic" in line and "--allow-empty" in line for line in lines)


ALONE = {
    "a birth date": (["Код", "Дата рождения"], [["А", day] for day in DATES]),
    "a whole name in an unknown alphabet": (["ชื่อ", "dob"], [["สมชาย ใจดี", day] for day in DATES]),
}


@pytest.mark.parametrize(("header", "rows"), ALONE.values(), ids=ALONE)
def test_schema_proposes_nothing_that_link_refuses(header, rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roster.csv").write_bytes(as_csv(rows, header=header))
    *_, error, hint, status = run("pprl schema roster.csv -o new.toml")
    assert status == "[exit 1]"
    assert "only 1 field(s) with 11 expected tokens can be linked" in error
    assert ("column 'ชื่อ' is not read" in hint) == (header[0] == "ชื่อ")
    assert not (tmp_path / "new.toml").exists()


def test_schema_says_between_which_columns_it_cannot_choose(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [[name, other, day] for name, other, day in zip(NAMES, NAMES[::-1], DATES, strict=True)]
    (tmp_path / "roster.csv").write_bytes(as_csv(rows, header=["ФИО", "П.І.Б.", "др"]))
    assert "pprl: roster 1: 2 columns could be full_name: column 'ФИО', column 'П.І.Б.'; none is proposed" in run(
        "pprl schema roster.csv -o new.toml"
    )


def test_schema_proposes_no_field_that_a_roster_never_fills(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roster.csv").write_bytes(
        as_csv([[" ".join(n.split()[:2]), d] for n, d in zip(NAMES, DATES, strict=True)], header=["ФИО", "др"])
    )
    lines = run("pprl schema roster.csv -o new.toml")
    assert any("patronymic is not proposed: no row of roster 1 has a value for it" in line for line in lines)
    assert "patronymic" not in (tmp_path / "new.toml").read_text(encoding="utf-8")


TOGETHER = {
    "a known header": "Имя Отчество",
    "with a comma": "Имя, отчество",
    "in Ukrainian": "Ім'я та по батькові",
    "an unknown header": "графа 2",
}


@pytest.mark.parametrize("header", TOGETHER.values(), ids=TOGETHER)
def test_given_names_and_patronymics_in_one_column_are_two_fields(header, tmp_path):
    from pprl.roster.streaming import people_in_parts

    parts = [name.split() for name in NAMES]
    surnames, given, patronymics = (list(column) for column in zip(*parts, strict=True))
    wanted, _ = people_of(table(Фамилия=surnames, Имя=given, Отчество=patronymics, др=DATES))
    both = [" ".join(words[1:]) for words in parts]
    values, lines = people_of(table(Фамилия=surnames, **{header: both}, др=DATES))
    assert values == wanted
    assert "not used" not in lines
    rows = [list(row) for row in zip(surnames, both, DATES, strict=True)]
    (tmp_path / "r.csv").write_bytes(as_csv(rows, header=["Фамилия", header, "др"]))
    (people,) = people_in_parts(tmp_path / "r.csv", SCHEMA, "registry")
    column = people.columns["patronymic"]
    assert [column.values[code] for code in column.codes] == wanted["patronymic"]


@pytest.mark.parametrize("header", ["И.О.", "Инициалы", "Ініціали"])
def test_initials_in_one_column_are_two_fields(header):
    values, _ = people_of(table(Фамилия=["Лугов", "Бойко"], др=DATES[:2], **{header: ["О.С.", "К. Л."]}))
    assert values["given"] == ["o.", "k."]
    assert values["patronymic"] == ["s.", "l."]


def test_a_schema_has_both_fields_of_such_a_column(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [[*name.split(" ", 1), day] for name, day in zip(NAMES, DATES, strict=True)]
    (tmp_path / "roster.csv").write_bytes(as_csv(rows, header=["Фамилия", "Имя Отчество", "др"]))
    run("pprl schema roster.csv -o new.toml")
    assert "[fields.patronymic]" in (tmp_path / "new.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", ["Мария Анна", "Anna M.", "Пётр б/о"])
def test_other_words_behind_a_given_name_are_no_patronymic(word):
    values, _ = people_of(table(Фамилия=["Лугов", "Бойко"], Имя=["Олег", word], др=DATES[:2]))
    assert values["patronymic"] == [None, None]


def test_schema_proposes_no_names_without_surnames(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [[*name.split()[1:], day, "рядовой"] for name, day in zip(NAMES, DATES, strict=True)]
    (tmp_path / "roster.csv").write_bytes(as_csv(rows, header=["Имя", "Отчество", "др", "Звание"]))
    *_, error, hint, status = run("pprl schema roster.csv -o new.toml")
    assert status == "[exit 1]"
    assert "only 1 field(s)" in error
    assert "given names are not proposed without surnames" in hint
    lines = run("pprl schema roster.csv -o - --allow-weak")
    assert "[fields.birth_date]" in lines
    assert "[fields.given]" not in lines


def test_schema_proposes_no_names_where_every_surname_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        ["#REF!", *name.split()[1:], day, f"{at}0000017"]
        for at, (name, day) in enumerate(zip(NAMES, DATES, strict=True))
    ]
    (tmp_path / "roster.csv").write_bytes(as_csv(rows))
    lines = run("pprl schema roster.csv -o - --allow-weak")
    assert "pprl: given is not proposed without surnames" in lines
    assert not {"[fields.surname]", "[fields.given]", "[fields.patronymic]"} & {*lines}


def test_a_known_header_above_something_else_is_named():
    years = [str(65 + at) for at in range(5)]
    _, lines = people_of(table(ФИО=NAMES, **{"Год рождения": years}))
    assert "column 'Год рождения' is not used: contents: 100% of them are running numbers" in lines
    whole, lines = people_of(table(Фамилия=NAMES, др=DATES))
    assert "not used" not in lines
    assert None not in whole["given"]


def test_two_columns_of_one_name_are_to_be_renamed():
    frame = pd.DataFrame([["Лугов", "Лугов", "12.03.1985"]] * 2, columns=["Фамилия", "Фамилия", "др"])
    with pytest.raises(RosterError, match="2 columns could be surname") as refusal:
        people_of(frame)
    assert refusal.value.hint == "give them different headers"


def test_a_schema_of_which_nothing_is_left_says_why(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [[name, f"1{at}.03.2528"] for at, name in enumerate(["สมชาย ใจดี", "วิชัย สุข"] * 3)]
    (tmp_path / "roster.csv").write_bytes(as_csv(rows, header=["full_name", "birth_date"]))
    *_, error, hint, status = run("pprl schema roster.csv -o new.toml")
    assert status == "[exit 1]"
    assert "no field of names or birth dates has a value in every roster" in error
    assert "column 'full_name' is not read: Thai letters" in hint


# Any column of something else


LETTERS = ["АБВГД", "ABCDE", "abc", "мж", "МЖ", "mf", "MF", "чж", "km", "hm", "HF", "ek"]
others = st.one_of(
    st.sampled_from(LETTERS).map(lambda letters: st.sampled_from(letters)),
    st.sampled_from(LETTERS).map(lambda letters: st.sampled_from(letters).map("{}.".format)),
    st.just(st.integers(1, 999).map(str)),
    st.just(st.sampled_from(["АК", "БК", "1А", "2Б", "RU", "UA"])),
)
LAYOUTS = {
    "parts": (HEADER, lambda row: row),
    "whole names": (["ФИО", *HEADER[3:]], lambda row: [" ".join(row[:3]), *row[3:]]),
    "unknown headers": (["кто", "когда", "что"], lambda row: [" ".join(row[:3]), *row[3:]]),
    "no header": (None, lambda row: [" ".join(row[:3]), *row[3:]]),
}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), rows=clean_rosters(least=6, most=12), layout=st.sampled_from(list(LAYOUTS)))
def test_a_further_column_of_something_else_changes_nobody(data, rows, layout, tmp_path):
    header, lay_out = LAYOUTS[layout]
    clean = [lay_out(row) for row in rows]
    cells = data.draw(st.lists(data.draw(others), min_size=len(rows), max_size=len(rows)))
    at = data.draw(st.integers(0, len(clean[0])))
    name = data.draw(st.sampled_from(["Группа учёта", "Код", "Sexo", "Cinsiyet", "Тип", "C1"]))
    more = [[*row[:at], cell, *row[at:]] for row, cell in zip(clean, cells, strict=True)]
    wider = [*header[:at], name, *header[at:]] if header else None
    (tmp_path / "clean.csv").write_bytes(as_csv(clean, header=header))
    (tmp_path / "more.csv").write_bytes(as_csv(more, header=wider))
    assert read(tmp_path / "more.csv").people == read(tmp_path / "clean.csv").people
