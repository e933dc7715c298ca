"""Names in other alphabets are read as people write them in Latin letters, or the rows are named."""

import unicodedata

import pandas as pd
import pytest
from helpers import DATA
from helpers.rosters import HEADER, SCHEMA, as_csv, assert_nothing_lost_in_silence, clean_rosters, people, read
from helpers.sessions import run
from hypothesis import assume, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from pprl.core.schema_file import parse_schema
from pprl.normalize.dates import parse_date
from pprl.normalize.names import fold_name, split_full_name
from pprl.normalize.text import unread_alphabet
from pprl.normalize.values import fold_identifier, fold_number
from pprl.roster.column_guess import guess_columns
from pprl.roster.files.read import read_roster
from pprl.roster.load import load

NAMES = parse_schema(
    'format = 1\nname = "field"\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
    '[fields.birth_date]\ntype = "date"\n'
)


def roster(tmp_path, text, name="list.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def parts(cell):
    surname, given, _ = split_full_name(cell)
    return fold_name(surname, given=False), fold_name(given, given=True)


# alphabets that are read: a whole name is the one in Latin letters

WHOLE = {
    "Arabic": ("سامي الحداد", "Sami Al-Hadad"),
    "Arabic, surname first with a comma": ("الحداد، سامي", "Al Hadad, Sami"),
    "Arabic, surname first": ("الحداد سامي", "Al-Hadad Sami"),
    "son of": ("خالد بن سلمان", "Khalid bin Salman"),
    "the family of": ("خالد آل حسن", "Khalid Al Hassan"),
    "servant of, in two words": ("عبد الرحمن الحسن", "Abdulrahman Al-Hassan"),
    "the same in one word": ("عبدالرحمن الحسن", "Abdulrahman Al-Hassan"),
    "Persian": ("مهدی کریمی", "Karimi Mehdi"),
    "Persian, a word in two parts": ("مهدی حسن‌زاده", "Hassanzadeh Mehdi"),
    "Urdu": ("فیصل شاہ", "Shah Faisal"),
    "Kurdish": ("ئاراس بارزانی", "Barzani Aras"),
    "Hebrew": ("דוד לוי", "Levi David"),
    "Hebrew, son of": ("דוד בן שמעון", "David ben Shimon"),
    "Greek, surname first": ("Παπανδρέου Γεώργιος", "Papandreou Georgios"),
    "Greek in capitals": ("ΠΑΠΑΝΔΡΕΟΥ Γεώργιος", "PAPANDREOU Georgios"),
    "Armenian": ("Ռուբինյան Սուրեն", "Rubinyan Suren"),
    "Georgian": ("ჭავჭავაძე ნინო", "Ch'avch'avadze Nino"),
}


@pytest.mark.parametrize(("native", "latin"), WHOLE.values(), ids=WHOLE)
def test_a_whole_name_is_the_one_in_latin_letters(native, latin):
    assert parts(native) == parts(latin)


def test_armenian_names_meet_latin_and_russian():
    assert len({fold_name(name, given=False) for name in ("Ռուբինյան", "Rubinyan", "Рубинян")}) == 1


def test_people_of_a_list_in_arabic_are_found_in_columns_in_latin(tmp_path):
    native = read(roster(tmp_path, "name,birth_date\nسامي الحداد,09.02.1996\nكريم بن سلمان,24.12.1997\n"), NAMES)
    latin = "surname,given,birth_date\nAl-Hadad,Sami,09.02.1996\nbin Salman,Karim,24.12.1997\n"
    assert native.people == read(roster(tmp_path, latin, "latin.csv"), NAMES).people
    assert not any("left out" in line for line in native.lines)


GIVEN = {
    "Arabic": "محمد أحمد خالد سامي كريم فاطمة",
    "Persian": "محمدرضا احمد مهدی پرویز آرش زهرا",
    "Hebrew": "דוד משה יוסף רחל שרה מיכל",
    "Greek": "Γεώργιος Δημήτριος Ιωάννης Μαρία Ελένη Σοφία",
    "Armenian": "Արմեն Սուրեն Ռուբեն Տիգրան Լուսինե Մարիամ",
    "Georgian": "გიორგი დავით ლევან ნინო თამარ მარიამ",
}


@pytest.mark.parametrize("alphabet", GIVEN)
def test_columns_are_found_by_their_contents(tmp_path, alphabet):
    names = GIVEN[alphabet].split()
    given = "".join(f"{name},1{at}.03.1985\n" for at, name in enumerate(names))
    assert guess_columns(read_roster(roster(tmp_path, "x,y\n" + given)), 2026)[0].kind == "given"
    whole = "".join(f"{name} {names[0]},1{at}.03.1985\n" for at, name in enumerate(names))
    assert load(roster(tmp_path, "x,y\n" + whole), NAMES).columns[0]["full_name"] == "x"


# alphabets that no table knows

UNREAD = {
    "Thai": "สมชาย",
    "Devanagari": "राम",
    "Chinese": "李小龙",
    "Korean": "김철수",
    "Japanese": "ヤマダ",
    "Ethiopic": "አበበ",
    "Tamil": "முருகன்",
    "Khmer": "សុខ",
    "Burmese": "အောင်",
    "Bengali": "রহিম",
    "Mongolian": "ᠪᠠᠲᠤ",
    "Syriac": "ܝܘܚܢܢ",
}


@pytest.mark.parametrize("alphabet", UNREAD)
@pytest.mark.parametrize("header", ["surname", "name"])
def test_an_unknown_alphabet_is_named(tmp_path, alphabet, header):
    path = roster(tmp_path, f"{header},birth_date\n{UNREAD[alphabet]},09.02.1996\nЛугов Пётр,10.02.1996\n")
    found = load(path, NAMES)
    assert {reason for _, reason in found.people.left_out} == {f"unreadable: {alphabet} letters"}
    assert set().union(*found.people.left_out.values()) == {2}
    assert any(f"{alphabet} letters (row 2)" in line for line in found.warnings)


def test_a_frame_names_it_too():
    frame = pd.DataFrame({"surname": ["สมชาย", "Лугов"], "given": ["Пётр", "Пётр"], "birth_date": ["1985", "1986"]})
    assert load(frame, NAMES).people.left_out == {("surname", "unreadable: Thai letters"): (0,)}


def test_other_types_of_field_name_it():
    schema = parse_schema(
        'format = 1\nname = "x"\n[fields.surname]\ntype = "surname"\n[fields.sex]\ntype = "sex"\n'
        '[fields.home]\ntype = "category"\nrole = "stratum"\n[fields.birth_date]\ntype = "date"\n'
    )
    frame = pd.DataFrame({"surname": ["Лугов"], "sex": ["ชาย"], "home": ["กรุงเทพ"], "birth_date": ["๑๙๘๕"]})
    assert load(frame, schema).people.left_out == {
        ("birth_date", "not a date"): (0,),
        ("home", "unreadable: Thai letters"): (0,),
        ("sex", "unreadable: Thai letters"): (0,),
    }


def test_a_name_in_two_alphabets_is_read_without_the_unknown_one(tmp_path):
    found = load(roster(tmp_path, "surname,birth_date\nЛугов 李,09.02.1996\n"), NAMES, any_age=True)
    assert found.people.columns["surname"].values == ("lugov",)
    assert found.people.left_out == {("surname", "letters that no table knows"): (2,)}


def thai(tmp_path, header="surname,given"):
    names = [f"{a},{b}" if "," in header else f"{a} {b}" for a in ("สมชาย", "วิชัย", "มานี") for b in ("ใจดี", "สุข")]
    return roster(tmp_path, f"{header},birth_date\n" + "".join(f"{n},1{at}.02.1985\n" for at, n in enumerate(names)))


@pytest.mark.parametrize("header", ["surname,given", "name"])
def test_check_schema_and_refusals_say_why(tmp_path, monkeypatch, header):
    monkeypatch.chdir(tmp_path)
    thai(tmp_path, header)
    latin = "".join(f"Lugov{'abcdefgh'[at]},Petr,1{at}.02.1985\n" for at in range(8))
    roster(tmp_path, "surname,given,birth_date\n" + latin, "registry.csv")
    (tmp_path / "schema.toml").write_text(
        'format = 1\nname = "x"\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
        '[fields.birth_date]\ntype = "date"\n'
    )
    (tmp_path / "names.toml").write_text(
        'format = 1\nname = "x"\n[fields.surname]\ntype = "surname"\n[fields.given]\ntype = "given"\n'
    )
    run("pprl key -o key.pprl")
    for command in (
        "pprl check list.csv --schema schema.toml",
        "pprl schema list.csv -o new.toml",
        "pprl link list.csv registry.csv --schema schema.toml --no-ledger",
        "pprl link list.csv registry.csv --schema names.toml --no-ledger",
        "pprl encode list.csv --schema schema.toml --key-file key.pprl --as list -o list.enc",
    ):
        assert any("Thai letters" in line for line in run(command)), command
    refused = run("pprl link list.csv registry.csv --schema names.toml --no-ledger")
    assert "no linked field is filled in both rosters" in "\n".join(refused)


ALL_UNREAD = st.sampled_from(sorted(UNREAD.values()))


@settings(max_examples=25)
@hypothesis_given(clean_rosters(most=12), st.data())
def test_a_name_in_an_unknown_alphabet_names_its_row(tmp_path_factory, rows, data):
    at = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, 2))
    faulty = [list(row) for row in rows]
    faulty[at][column] = data.draw(ALL_UNREAD)
    folder = tmp_path_factory.mktemp("unread")
    (folder / "clean.csv").write_bytes(as_csv(rows))
    (folder / "faulty.csv").write_bytes(as_csv(faulty))
    clean, found = read(folder / "clean.csv", SCHEMA), read(folder / "faulty.csv", SCHEMA)
    assert found.people != clean.people
    assert_nothing_lost_in_silence(clean, found, [at + 2])


@settings(max_examples=25)
@hypothesis_given(st.lists(people, min_size=6, max_size=12, unique_by=lambda row: row[4]), st.data())
def test_a_whole_name_in_an_unknown_alphabet_names_its_row(tmp_path_factory, rows, data):
    at = data.draw(st.integers(0, len(rows) - 1))
    whole = [[" ".join(row[:3]), *row[3:]] for row in rows]
    faulty = [list(row) for row in whole]
    faulty[at][0] = " ".join(data.draw(st.lists(ALL_UNREAD, min_size=1, max_size=3)))
    folder = tmp_path_factory.mktemp("unread")
    header = ["ФИО", *HEADER[3:]]
    (folder / "clean.csv").write_bytes(as_csv(whole, header=header))
    (folder / "faulty.csv").write_bytes(as_csv(faulty, header=header))
    clean, found = read(folder / "clean.csv", SCHEMA), read(folder / "faulty.csv", SCHEMA)
    assert_nothing_lost_in_silence(clean, found, [at + 2])
    assert found.names(at + 2)


def test_signs_and_digits_are_no_letters():
    assert [unread_alphabet(text) for text in ("12", "-", "😀", "Лугов", "", "๑๒")] == [None] * 6


# the same name typed in other ways

ARABIC = st.text("ابتثجحخدذرزسشصضطظعغفقكلمنهويأإآؤئءةى", min_size=1, max_size=8)
HEBREW = st.text("אבגדהוזחטיכלמנסעפצקרשתךםןףץ", min_size=1, max_size=8)
NATIVE = st.lists(st.one_of(ARABIC, HEBREW), min_size=1, max_size=3).map(" ".join)
SIGNS = "\u0640\u200c\u200e\u200f\u061c\ufeff"


def folded(text):
    return fold_name(text, given=False), fold_name(text, given=True), parts(text)


@settings(max_examples=200)
@hypothesis_given(NATIVE)
def test_composed_or_not_is_one_name(text):
    assert folded(unicodedata.normalize("NFC", text)) == folded(unicodedata.normalize("NFD", text))


@settings(max_examples=200)
@hypothesis_given(NATIVE, st.data())
def test_stretched_words_and_invisible_signs_change_nothing(text, data):
    at = data.draw(st.integers(1, len(text)))
    sign = data.draw(st.sampled_from(SIGNS))
    if text[at - 1 : at] != " " and text[at : at + 1] not in ("", " "):
        assert folded(text[:at] + sign + text[at:]) == folded(text)


@settings(max_examples=200)
@hypothesis_given(NATIVE)
def test_persian_and_arabic_keyboards_write_one_name(text):
    assert folded(text.translate(str.maketrans("يك", "یک"))) == folded(text)


FORMS = {
    unicodedata.normalize("NFKC", chr(code)): chr(code)
    for code in (*range(0xFB1D, 0xFB4F), *range(0xFE80, 0xFEF5))
    if len(unicodedata.normalize("NFKC", chr(code))) == 1
}


@settings(max_examples=200)
@hypothesis_given(NATIVE)
def test_letters_by_their_place_in_the_word_are_the_letters(text):
    shaped = "".join(FORMS.get(letter, letter) for letter in text)
    assert folded(shaped) == folded(text)


@settings(max_examples=200)
@hypothesis_given(NATIVE)
def test_a_name_in_letters_that_are_read_is_never_lost(text):
    assume(text.strip("ء ") != "")
    surname, given, patronymic = split_full_name(text)
    assert len(f"{surname}{given}{patronymic}".replace(" ", "")) == len(text.replace(" ", ""))
    assert unread_alphabet(text) is None


DIGITS = ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "０１２３４５６７８９"]


@pytest.mark.parametrize("digits", DIGITS)
def test_digits_of_other_scripts_are_digits(digits):
    def write(text):
        return text.translate(str.maketrans("0123456789", digits))

    for cell in ("12.03.1985", "1985-03-12", "12/03/1985", "1985"):
        assert parse_date(write(cell), "dmy") == parse_date(cell, "dmy") is not None
    assert fold_number(write("1234.5")) == "1235"
    assert fold_identifier(write("АВ-123456")) == "AB123456"


def test_a_csv_of_the_evidence_has_no_row_twice():
    for name in ("arabic.tsv", "hebrew.tsv", "others.tsv"):
        text = (DATA / "alphabets" / name).read_text(encoding="utf-8")
        rows = [line for line in text.splitlines() if not line.startswith("#")]
        assert len(rows) == len(set(rows))
