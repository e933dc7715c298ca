"""FollowTheMoney in and out: nothing is dropped silently, every spelling of a name counts, pairs can be loaded."""

import json
from collections import Counter

import pandas as pd
import pytest
from helpers.exchange import run

import pprl
from pprl.core.errors import RosterError
from pprl.core.randomness import RandomStream
from pprl.core.schema_file import parse_schema
from pprl.demo import invent
from pprl.interop.followthemoney import entities_of
from pprl.judge.assessment import PAIR_COLUMNS
from pprl.roster.streaming import people_in_parts

SCHEMA = """\
format = 1
name = "entities"
[fields.surname]
type = "surname"
[fields.given]
type = "given"
[fields.patronymic]
type = "patronymic"
[fields.birth_date]
type = "date"
[fields.number]
type = "identifier"
role = "confirm"
"""


def lines(*entities: object) -> bytes:
    return b"".join(
        (item if isinstance(item, bytes) else json.dumps(item, ensure_ascii=False).encode()) + b"\n"
        for item in entities
    )


def entity(id_: str, schema: str = "Person", /, **properties: object) -> dict[str, object]:
    return {
        "id": id_,
        "schema": schema,
        "properties": properties,
    }


def read(tmp_path, *entities: object) -> pd.DataFrame:
    (tmp_path / "x.json").write_bytes(lines(*entities))
    return pprl.read_roster(tmp_path / "x.json")


@pytest.fixture(scope="module")
def made():
    """2,000 entities: people of the demo's registry under one to three names, some with one or two dates, with personal
    numbers and ranks on edges; and entities that are not people."""
    rows = invent(11).registry.head(1_100).to_dict("records")
    draws = RandomStream(b"entities", "shapes")
    shape = draws.below(6, len(rows)).tolist()
    people, edges = [], []
    for row, how in zip(rows, shape, strict=True):
        whole = f"{row['given']} {row['patronymic']} {row['surname']}".replace("  ", " ")
        names = {"name": [whole, f"{row['surname'].upper()} {row['given']}"]}
        if how == 0:
            names = {
                "lastName": [row["surname"], "Zzyzx"],
                "firstName": [row["given"]],
                "fatherName": [row["patronymic"]],
            }
        if how == 1:
            names |= {"alias": [f"{row['given']} Qwertov"], "weakAlias": ["Kot"]}
        date = row["birth_date"]
        dates = {2: [date[:4]], 3: [date[:7]], 4: [date, date[:4]], 5: []}.get(how, [date])
        number = f"N-{1_000_000 + len(people)}"
        people.append(entity(row["id"], **names, birthDate=[item for item in dates if item], country=["ru"]))
        if how != 3:
            edges.append(
                entity(f"i-{row['id']}", "Identification", holder=[row["id"]], number=[number], type=["personal"])
            )
        elif len(edges) % 2:
            edges.append(
                entity(f"m-{row['id']}", "Membership", member=[row["id"]], organization=["unit-3"], role=["driver"])
            )
    units = [entity(f"unit-{i}", "Organization", name=[f"Unit {i}"]) for i in range(5)]
    strange = [
        entity("i-x", "Passport", holder=["nobody"], number=["1"]),
        {"hello": "world"},
        entity("ship", "Vessel", name=["Zarya"]),
    ]
    return [*people, *edges[: 2_000 - len(people) - len(units) - len(strange)], *units, *strange]


ENDS = {"Identification": "holder", "Passport": "holder", "Membership": "member"}
OF_NAMES = ("alias", "lastName", "firstName", "fatherName")


def test_everything_of_two_thousand_entities_is_in_a_cell_or_in_a_note(made, tmp_path):
    assert len(made) == 2_000
    frame = read(tmp_path, *made)
    people = [item for item in made if item.get("schema") == "Person"]
    assert list(frame.id) == [item["id"] for item in people]
    assert frame.index.tolist() == list(range(1, len(people) + 1))
    row_of = frame.set_index("id").to_dict("index")
    units = {item["id"]: item["properties"]["name"][0] for item in made if item.get("schema") == "Organization"}
    for item in made:
        schema, properties = item.get("schema", ""), item.get("properties", {})
        end = ENDS.get(schema)
        person = row_of.get(properties[end][0] if end else item.get("id"), {})
        for key, values in properties.items() if person else ():
            column = f"{schema}.{key}" if end else "name" if key in OF_NAMES else key
            for value in values if key != end else ():
                assert units.get(value, value) in person[column], (item["id"], key)
    assert list(frame.attrs["notes"]) == [
        "1 Passport left out: they belong to nobody in the file",
        "not people: 5 Organization, 1 Vessel; some of their names are used",
        f"1 without id, schema or properties, left out (row {made.index({'hello': 'world'}) + 1})",
    ]


def test_people_of_entities_have_partial_dates_and_each_spelling_once(made, tmp_path):
    read(tmp_path, *made)
    schema = parse_schema(SCHEMA)
    parts = people_in_parts(tmp_path / "x.json", schema, "list", columns={"number": "Identification.number"}, rows=300)
    assert parts.columns["full_name"] == "name"
    assert parts.columns["birth_date"] == "birthDate"
    found = list(parts)
    assert sum(part.rows_read for part in found) == 1_100
    lengths = Counter(len(value) for part in found for value in part.columns["birth_date"].values)
    assert set(lengths) == {4, 7, 10}
    spellings = Counter(row for part in found for row in part.rows.tolist())
    assert set(spellings.values()) <= {1, 2, 3, 4, 6}
    assert spellings[1] >= 1


def test_a_list_of_entities_against_a_registry_of_entities(made, tmp_path):
    """Half of a list is in the registry under another of its names; the pairs name the entities of both."""
    people = [item for item in made if item.get("schema") == "Person"]
    edges = [item for item in made if item.get("schema") == "Identification"]
    ours = []
    for person in people[:150] + people[900:1_000]:
        names = person["properties"].get("name", ["Nobody Nemo"])
        properties = {**person["properties"], "name": [*names, "Someone Else"]}
        ours.append({"id": f"leak-{person['id']}", "schema": "Person", "properties": properties})
    (tmp_path / "list.json").write_bytes(lines(*ours))
    (tmp_path / "registry.ftm.json").write_bytes(lines(*people[:850], *edges))
    (tmp_path / "schema.toml").write_text(SCHEMA, encoding="utf-8")
    done = run(
        *("link", tmp_path / "list.json", tmp_path / "registry.ftm.json", "--schema", tmp_path / "schema.toml"),
        *("--registry-column", "number=Identification.number", "--pairs", tmp_path / "PRIVATE-pairs.json", "--seed", 3),
    )
    assert done.status == 0, done.err
    assert "250 on the list (250 rows) with 850 in the registry" in done.out
    pairs = [json.loads(line) for line in (tmp_path / "PRIVATE-pairs.json").read_text(encoding="utf-8").splitlines()]
    assert (tmp_path / "PRIVATE-pairs.json").stat().st_mode & 0o077 == 0
    assert {item["schema"] for item in pairs} == {"Similar"}
    assert len({item["id"] for item in pairs}) == len(pairs) >= 100
    ends = [(item["properties"]["candidate"][0], item["properties"]["match"][0]) for item in pairs]
    assert sum(ours == f"leak-{theirs}" for ours, theirs in ends) >= 0.9 * len(ends)
    assert all(0 <= float(item["properties"]["confidenceScore"][0]) <= 1 for item in pairs)


def test_pairs_of_rows_without_ids_get_entities_that_say_which_row_they_are():
    pairs = pd.DataFrame([(2, 7, 9, "", "R1", 0, 0.9, 0.01)], columns=["list", *PAIR_COLUMNS])
    person, similar = entities_of(pairs)
    assert person["properties"] == {"name": ["list 2, row 7"]}
    assert similar["properties"]["candidate"] == [person["id"]]
    assert similar["properties"]["match"] == ["R1"]
    assert similar["properties"]["confidenceScore"] == ["0.990000"]
    assert list(entities_of(pairs)) == [person, similar]


ANNA = {"lastName": ["Zimina"], "firstName": ["Anna"]}
NAMES = {
    "whole names": ({"name": ["Anna Zimina", "Анна Зимина"]}, "Anna Zimina; Анна Зимина"),
    "parts, surname first": ({**ANNA, "fatherName": ["Ilyinichna"]}, "Zimina Anna Ilyinichna"),
    "parts beside a whole name": (
        {**ANNA, "firstName": ["A.", "Anna"], "name": ["A Z"]},
        "Zimina A.; Zimina Anna; A Z",
    ),
    "a former name": ({"name": ["Anna Zimina"], "previousName": ["Anna Lugova"]}, "Anna Zimina; Anna Lugova"),
    "a surname alone": ({"lastName": ["Zimina"]}, "Zimina"),
    "a given name alone": ({"firstName": ["Anna"]}, "Anna"),
    "none": ({}, ""),
    "a text and no list": ({"name": "Anna Zimina"}, "Anna Zimina"),
    "the separator in a name": ({"name": ["Zimina; Anna"]}, "Zimina, Anna"),
    "white space": ({"name": [" Anna\t\nZimina "]}, "Anna Zimina"),
}


@pytest.mark.parametrize(("properties", "cell"), NAMES.values(), ids=NAMES)
def test_names_are_put_together(tmp_path, properties, cell):
    assert read(tmp_path, {"id": "p", "schema": "Person", "properties": properties}).name.tolist() == [cell]


def test_a_nickname_stays_apart_and_a_given_name_beside_a_whole_name_is_reported_as_left_out(tmp_path):
    frame = read(tmp_path, entity("p", name=["Anna Zimina"], weakAlias=["Kot"], firstName=["Anya"]))
    assert frame.to_dict("records") == [{"id": "p", "name": "Anna Zimina", "weakAlias": "Kot"}]
    assert list(frame.attrs["notes"]) == ["parts of a name without lastName beside a whole name, left out (row 1)"]


def test_fragments_of_one_entity_and_entities_inside_others_are_put_together(tmp_path):
    """As Aleph writes them in pieces, and OpenSanctions as targets with their edges inside."""
    inside = entity("p", name=["Anna Zimina"])
    passport = {"id": "x", "schema": "Passport", "properties": {"holder": ["p"], "number": ["A1", 7]}}
    inside["properties"]["passport"] = [passport]
    frame = read(
        tmp_path,
        entity("o", "Organization", name=["Unit"]),
        inside,
        entity("p", name=["A. Zimina"], birthDate=["1985"]),
    )
    assert frame.index.tolist() == [2]
    (row,) = frame.to_dict("records")
    assert row == {
        "id": "p",
        "name": "Anna Zimina; A. Zimina",
        "passport": "x",
        "birthDate": "1985",
        "Identification.number": "A1; 7",
    }


def test_values_that_are_no_text_are_counted_by_property(tmp_path):
    frame = read(tmp_path, entity("p", name=["Anna Zimina", None], topics=[["a"], True, 3]))
    assert list(frame.attrs["notes"]) == ["values that are not text, left out: 1 of Person.name, 2 of Person.topics"]
    assert frame.topics.tolist() == ["3"]


def test_notes_show_no_more_of_a_file_than_names_of_schemas_and_properties(tmp_path):
    """Anything in their place may be a person's name or an escape sequence, and there may be thousands."""
    many = (entity(f"o-{i}", "Kind" + chr(97 + i % 26) * (1 + i // 26)) for i in range(60))
    strange = entity("x", "Зкъхжвин\x1b[31m", **{"Зкъхжвин 1985": [None]})
    notes = " ".join(read(tmp_path, entity("p", name=["Anna Zimina"]), strange, *many).attrs["notes"])
    assert "(other)" in notes
    assert "1 of (other).(other)" in notes
    assert "41 others" in notes
    assert "\x1b" not in notes
    assert "хжвин" not in notes


REFUSED = {
    "a line that is cut short": ([entity("p", name=["A"]), b'{"id": "q", "sch'], "row 2 of the roster is not JSON"),
    "nobody": ([entity("o", "Company", name=["A"])], "holds no Person"),
    "other JSON": ([{"clks": ["abc="]}], "holds no Person"),
    "one list": ([b"[{}, {}]"], "is one JSON list"),
    "a pit of brackets": ([b'{"id":' + b"[" * 100_000], "row 1 of the roster is nested too deep"),
    "a number without end": ([b'{"id":' + b"9" * 10_000 + b"}"], "row 1 of the roster is not JSON"),
    "no UTF-8": ([b'{"id": "\xff"}'], "row 1 of the roster is not JSON"),
}


@pytest.mark.parametrize(("entities", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_roster_of_entities_is_refused_by_its_row(tmp_path, entities, message):
    with pytest.raises(RosterError, match=message) as refusal:
        read(tmp_path, *entities)
    assert refusal.value.hint


def test_half_a_letter_stops_nobody(tmp_path):
    (tmp_path / "x.json").write_bytes(
        b'{"id": "p\\ud800", "schema": "Person", "properties": {"name": ["Zimin\\udfff Ivan"]}}\n'
    )
    frame = pprl.read_roster(tmp_path / "x.json")
    assert len(pprl.load(frame, parse_schema(SCHEMA), "list").people) == 1


def test_cells_of_several_values_by_the_columns_file(tmp_path):
    """The transcript of the README's example holds no such cells; here the registry's surnames have a second one."""
    leaked = pd.DataFrame({"ФИО": [f"Лугов{'абвгде'[i % 6]} Иван / Иной Пётр" for i in range(12)], "родился": "1985"})
    leaked.to_csv(tmp_path / "list.csv", index=False)
    (tmp_path / "schema.toml").write_text(SCHEMA, encoding="utf-8")
    columns = tmp_path / "columns.toml"
    columns.write_text('[columns]\nfull_name = "ФИО"\n[several]\nfull_name = "/"\n', encoding="utf-8")
    done = run("check", tmp_path / "list.csv", "--schema", tmp_path / "schema.toml", "--columns", columns)
    assert done.status == 0, done.err
    assert "rows               12\npeople             6; 6 row(s) repeat" in done.out
    for text, message in (
        ('[several]\nrank = ";"\n', "no column holds 'rank'"),
        ("[several]\nfull_name = 3\n", "something other than text in [several]"),
        ('[several]\nfull_name = ""\n', "something other than text in [several]"),
    ):
        columns.write_text('[columns]\nfull_name = "ФИО"\n' + text, encoding="utf-8")
        done = run("check", tmp_path / "list.csv", "--schema", tmp_path / "schema.toml", "--columns", columns)
        assert done.status != 0
        assert message in done.err
