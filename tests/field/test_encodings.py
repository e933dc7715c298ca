"""Encodings: no page is mistaken for another, two exports put together are both read, garbled cells are turned back."""

import io
import json
import random
from contextlib import suppress

import openpyxl
import pandas as pd
import pytest
from helpers import DATA
from helpers.rosters import SCHEMA, as_csv, assert_nothing_lost_in_silence, clean_rosters, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pprl.core.errors import RosterError
from pprl.roster.files.encodings import find_encoding
from pprl.roster.files.findings import Findings
from pprl.roster.files.garbled import GARBLED as GARBLED_TEXT
from pprl.roster.files.garbled import mended
from pprl.roster.files.read import read_roster, read_roster_parts
from pprl.roster.load import load

#: Invented people: surnames and given names of the languages whose pages are read.
NAMES = {
    "Russian": ("Обухов Щеглов Ельшин Замятнин Яхонтов Фонарёв Кругляков", "Пётр Кирилл Эдуард Фёдор Юрий Игорь"),
    "Ukrainian": ("Ковальчук Різник Ґудзь Їжакевич Єщенко Шевчук", "Сергій Олексій Юрій Андрій Євген Ігор"),
    "Greek": ("Καραμπελιάς Μηλοτάκης Ραφτόδημος Ξυλοκόπος Ψαροκώστας", "Πέτρος Ηλίας Γιάννης Ανδρέας Άγγελος"),
    "Hebrew": ("כהנוביץ לוינגר מזרחנוב פרידלנדר ביטונאי אזולאים", "דוד משה אברהם יוסף שלמה שרה"),
    "Arabic": ("الحدادي النجارين الخياطي السقافين العطارين", "محمد أحمد خالد يوسف إبراهيم"),
    "Turkish": ("Değirmenoğlu Şimşekçi Yıldızgöz Çınaraltı Gümüşdiş", "Ayşe İbrahim Gülşen Çağlar Işık"),
    "Polish": ("Wiśniakowski Żółtański Kołodziejaś Źrebięcki Dąbałła", "Paweł Łukasz Małgorzata Józef"),
    "Czech": ("Dvořáček Růžičkář Šťastníček Křížákov", "Jiří Lukáš Zdeněk Tomáš Žaneta"),
    "Hungarian": ("Kőművesi Szűcsödi Erdősházi Bíróváry", "György László Gergő Zsófia"),
    "German": ("Müllerstein Großkämper Häuserlöw Böttgerer", "Jürgen Jörg Käthe Günther"),
    "French": ("Lefèvrier Beauchêne Garçonnet Noëllier", "François Hélène Benoît Gaëlle"),
    "Spanish": ("Muñozal Ibáñezar Gutiérrezo Rincónes", "José María Ángel Íñigo Begoña"),
    "Lithuanian": ("Žemaitėnas Šaltūnėlis Ąžuolaitė Čiurlėnas", "Žydrūnas Česlovas Eglė Rūta"),
}
PAGES = {
    "Russian": ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic"),
    "Ukrainian": ("cp1251", "koi8-u", "mac-cyrillic"),
    "Greek": ("cp1253", "iso8859-7", "cp737"),
    "Hebrew": ("cp1255", "iso8859-8", "cp862"),
    "Arabic": ("cp1256", "iso8859-6"),
    "Turkish": ("cp1254", "cp857"),
    "Polish": ("cp1250", "iso8859-2"),
    "Czech": ("cp1250", "iso8859-2"),
    "Hungarian": ("cp1250", "iso8859-2"),
    "German": ("cp1252",),
    "French": ("cp1252",),
    "Spanish": ("cp1252",),
    "Lithuanian": ("cp1257",),
}
EACH = [(language, page) for language, pages in PAGES.items() for page in pages]


def text_in(language, rows, seed=1):
    surnames, given_names = (words.split() for words in NAMES[language])
    draw = random.Random(f"{language} {rows} {seed}")
    lines = [f"{draw.choice(surnames)};{draw.choice(given_names)};{draw.randint(1960, 2000)}" for _ in range(rows)]
    return "\r\n".join(lines) + "\r\n"


@pytest.mark.parametrize(("language", "page"), EACH)
def test_forty_rows_in_a_page_are_read(language, page):
    data = text_in(language, 40).encode(page)
    assert data.decode(find_encoding(io.BytesIO(data)).name) == text_in(language, 40)


@pytest.mark.parametrize("rows", [3, 10])
@pytest.mark.parametrize(("language", "page"), EACH)
def test_a_few_rows_are_read_rightly_or_refused(language, page, rows):
    for seed in range(10):
        data = text_in(language, rows, seed).encode(page)
        try:
            encoding = find_encoding(io.BytesIO(data))
        except RosterError:
            refused = True
        else:
            refused = False
            assert data.decode(encoding.name) == text_in(language, rows, seed)
        assert not (refused and language in ("Russian", "Ukrainian"))


MULTIBYTE = {  # surnames, given names, pages
    "Chinese": ("王 李 张 刘 陈 杨 黄 赵", "伟 小明 建国 秀英 志强 丽娟", "gb18030"),
    "Taiwanese": ("陳 林 黃 張 李 王", "志明 美玲 淑芬 家豪", "big5"),
    "Japanese": ("佐藤 鈴木 高橋 田中 渡辺 山本", "太郎 花子 健一 美咲 翔太", "shift_jis euc-jp"),
    "Korean": ("김 이 박 최 정 강", "철수 영희 민준 서연 지훈", "euc-kr"),
    "Thai": ("สุขใจ ทองดี ศรีสุข แก้วมณี", "สมชาย สมหญิง ประเสริฐ มาลี", "cp874"),
}
TWO = [("cp1251", "utf-8"), ("utf-8", "cp1251"), ("koi8-r", "cp1251"), ("cp1251", "koi8-r"), ("cp866", "utf-8")]
PEOPLE = [
    [surname, name, "Львович", f"{day}.02.1986"]
    for day, (surname, name) in enumerate(
        ((surname, name) for surname in NAMES["Russian"][0].split() for name in NAMES["Russian"][1].split()[:3]), 10
    )
    if day < 29
]
LABELS = ["Фамилия", "Имя", "Отчество", "Дата рождения"]


@pytest.mark.parametrize(("one", "other"), TWO)
def test_two_exports_put_together(tmp_path, one, other):
    path = tmp_path / "roster.csv"
    path.write_bytes(
        as_csv(PEOPLE[:14], header=LABELS, encoding=one) + as_csv(PEOPLE[14:], header=None, encoding=other)
    )
    frame = read_roster(path)
    assert frame.values.tolist() == PEOPLE
    (note,) = frame.attrs["notes"]
    assert note.startswith(f"row 16, 17, 18, 19, 20: in {other.replace('koi8-r', 'koi8-u')}, the other rows in")


def test_a_damaged_row_of_utf_8_is_refused_by_its_number(tmp_path):
    data = bytearray(as_csv(PEOPLE * 300, header=LABELS))
    at = data.index(b"\n", 80_000) + 2
    del data[at]
    (tmp_path / "roster.csv").write_bytes(data)
    with pytest.raises(RosterError, match=f"row {data[:at].count(10) + 1}: "):
        read_roster(tmp_path / "roster.csv")


def sloppy(data, page):
    """As browsers decode: a byte that the page does not define is the control of that number."""
    return "".join(bytes([code]).decode(page, "ignore") or chr(code) for code in data)


GARBLED = [
    ("utf-8", "cp1251"),
    ("utf-8", "cp1252"),
    ("utf-8", "latin-1"),
    ("utf-8", "koi8-r"),
    ("utf-8", "cp866"),
    ("utf-8", "mac-roman"),
    ("cp1251", "latin-1"),
    ("cp1251", "koi8-r"),
    ("koi8-r", "cp1251"),
    ("cp866", "cp1251"),
    ("cp1251", "cp866"),
]


def cells_of(rows, right, wrong, times=1):
    for _ in range(times):
        rows = [[sloppy(cell.encode(right), wrong) for cell in row] for row in rows]
    return rows


@pytest.mark.parametrize(("right", "wrong"), GARBLED)
def test_garbled_rows_are_turned_back_or_named(right, wrong):
    findings = Findings()
    after = list(mended(cells_of(PEOPLE, right, wrong), findings))
    named = {row for rows in findings.rows().values() for row in rows}
    assert named == set(range(1, len(PEOPLE) + 1))
    unmended = {row for row, pair in enumerate(zip(after, PEOPLE, strict=True), 1) if pair[0] != pair[1]}
    assert unmended <= set(findings.rows().get(GARBLED_TEXT, ()))
    assert len(unmended) < (1 if right == "utf-8" and wrong != "cp1252" else 16)


def test_text_that_was_garbled_twice_is_turned_back_twice():
    assert list(mended(cells_of(PEOPLE, "utf-8", "cp1251", times=2), Findings())) == PEOPLE


OTHERS = ["Müller", "Żółtański", "Καραμπελιάς", "כהנוביץ", "الحدادي", "გიორგაძე", "Հակոբյան"]


@pytest.mark.parametrize("name", OTHERS)
def test_other_alphabets_are_turned_back_too(name):
    assert list(mended([[sloppy(name.encode(), "cp1252")]], Findings())) == [[name]]


def test_cells_of_a_workbook_are_turned_back_too(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(LABELS)
    for row in [*PEOPLE[:5], *cells_of(PEOPLE[5:7], "utf-8", "cp1252")]:
        book.active.append(row)
    book.save(tmp_path / "roster.xlsx")
    frame = read_roster(tmp_path / "roster.xlsx")
    assert frame.values.tolist() == PEOPLE[:7]
    assert frame.attrs["notes"][0].startswith("row 7, 8: text that was garbled")


LEGITIMATE = """
Р. С. Иванов;СЁМИН Рёнтген;Сірко Різник;иВАНОВ;ЗАО «Ромашка»;Ғалым Қайрат Өмір;Љубица Његош;Ñuñez;Åse Ærø;Ñ;ÇAĞLAR
Tomáš Lukáš;Jíša ÁŠOVÁ;Éanna Óg Ó Súilleabháin;Țurcanu Ștefan;Đorđević;O’Brien;Müller–Lüdenscheidt;Nguyễn Văn Ánh
Αθηνά Παπαδοπούλου;דוד כהן;محمد علی;Հովհաննիսյան;გიორგი;Ähtäri Öö;Łódź Żółć;д'Артаньян;Ибн-Сīна;№ 5;20°
""".strip()


def test_no_clean_value_is_ever_changed():
    lists = [DATA / name for name in ("surnames_m_5000.txt", "surnames_f_400.txt", "given_f_400.txt")]
    names = [name for path in lists for name in path.read_text(encoding="utf-8").splitlines()]
    lines = (DATA / "names_cases" / "groups.txt").read_text(encoding="utf-8").splitlines()
    rows = [[name] for name in [*names, *map(str.upper, names), *map(str.lower, names), *lines]]
    rows += [line.split(";") for line in LEGITIMATE.splitlines()]
    findings = Findings()
    assert list(mended(rows, findings)) == rows
    assert not findings.rows()


@settings(
    max_examples=30,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), people=clean_rosters())
def test_rows_garbled_anywhere_are_turned_back_or_named(tmp_path, data, people):
    path = tmp_path / "roster.csv"
    path.write_bytes(as_csv(people))
    clean = read(path)
    rows = data.draw(st.sets(st.integers(2, len(people) + 1), min_size=1, max_size=4))
    right, wrong = data.draw(st.sampled_from(GARBLED))
    for row in rows:
        (people[row - 2],) = cells_of([people[row - 2]], right, wrong)
    path.write_bytes(as_csv(people))
    assert_nothing_lost_in_silence(clean, read(path), rows)


@settings(
    max_examples=30,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), people=clean_rosters())
def test_rows_in_another_encoding_lose_nobody(tmp_path, data, people):
    path = tmp_path / "roster.csv"
    path.write_bytes(as_csv(people))
    clean = read(path)
    at = data.draw(st.integers(2, len(people) - 2))
    one, other = data.draw(st.sampled_from(TWO))
    path.write_bytes(as_csv(people[:at], encoding=one) + as_csv(people[at:], header=None, encoding=other))
    if "utf-8" in (one, other):
        assert read(path).people == clean.people
        return
    with suppress(RosterError):  # a few rows do not show which of two pages of one alphabet they are in
        assert_nothing_lost_in_silence(clean, read(path), range(at + 2, len(people) + 2))


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("language", MULTIBYTE)
def test_pages_that_are_not_read_are_refused_by_name(language, rows):
    surnames, given_names = (words.split() for words in MULTIBYTE[language][:2])
    for page in MULTIBYTE[language][2].split():
        for seed in range(20):
            draw = random.Random(f"{language} {rows} {seed}")
            lines = [f"{draw.choice(surnames)};{draw.choice(given_names)};1980\r\n" for _ in range(rows)]
            with pytest.raises(RosterError) as caught:
                find_encoding(io.BytesIO("".join(lines).encode(page)))
            if rows > 1:
                assert page in str(caught.value)
                assert "not read" in str(caught.value) or "nothing shows which" in str(caught.value)


#: Lists with one accented letter or two, as are common in the West.
ALMOST_ASCII = {
    "cp1252": ["Müller;Hans", "Björk;Nils", "Sørensen;Mads", "Håkansson;Nils", "García;José"],
    "cp1250": ["Dvořák;Pavel", "Gołąbek;Łukasz", "Kovačević;Ivan"],
}


@pytest.mark.parametrize(("page", "row"), [(page, row) for page, rows in ALMOST_ASCII.items() for row in rows])
def test_a_few_accents_among_plain_letters_are_enough(page, row):
    text = "Surname;Given name;Born\r\n" + "Smith;John;1971\r\n" * 40 + f"{row};1980\r\n"
    data = text.encode(page)
    assert data.decode(find_encoding(io.BytesIO(data)).name) == text


def test_accents_that_come_late_in_a_long_file_count():
    rows = ["Smith;John;1971\r\n"] * 20_000
    rows[100], rows[15_000], rows[19_000] = "Muñoz;Ana;1\r\n", "Dvořák;Jiří;2\r\n", "Růžička;Žaneta;3\r\n"
    text = "".join(rows).replace("Muñoz", "Muńoz")
    data = text.encode("cp1250")
    assert data.decode(find_encoding(io.BytesIO(data)).name) == text


def frame_with_garbled_rows():
    rows = [*PEOPLE[:5], *cells_of(PEOPLE[5:7], "utf-8", "cp1252"), *cells_of(PEOPLE[7:9], "cp1251", "mac-cyrillic")]
    return pd.DataFrame(rows, columns=LABELS, index=pd.RangeIndex(1, 10))


def test_one_line_of_many_words_is_refused(tmp_path):
    words = b" ".join(bytes([0xC0 + a, 0xE0 + b, 0xE0 + c]) for a in range(8) for b in range(8) for c in range(8))
    (tmp_path / "roster.csv").write_bytes(words)
    with pytest.raises(RosterError, match="the roster"):
        read_roster(tmp_path / "roster.csv")


def test_a_frame_given_in_python_is_turned_back_and_stays_as_it_is_for_its_owner():
    frame, lines = frame_with_garbled_rows(), []
    before = frame.copy()
    roster = load(frame, SCHEMA, "list", note=lines.append)
    assert roster.tables[0].values.tolist() == PEOPLE[:9]
    assert [line for line in lines if "row 6, 7: text that was garbled" in line]
    assert [line for line in lines if "row 8, 9: text that was garbled" in line]
    pd.testing.assert_frame_equal(frame, before)


def test_a_parquet_file_is_turned_back_too(tmp_path):
    pytest.importorskip("pyarrow")
    frame_with_garbled_rows().to_parquet(tmp_path / "roster.parquet", index=False)
    frame = read_roster(tmp_path / "roster.parquet")
    assert frame.values.tolist() == PEOPLE[:9]
    assert frame.attrs["notes"][0].startswith("row 6, 7: text that was garbled")
    parts = list(read_roster_parts(tmp_path / "roster.parquet", rows=2))
    assert pd.concat(parts).values.tolist() == PEOPLE[:9]


def test_entities_are_turned_back_too(tmp_path):
    ((surname, name),) = cells_of([["Ельшин", "Кирилл"]], "utf-8", "cp1251")
    lines = [
        {"id": str(number), "schema": "Person", "properties": {"lastName": [last], "firstName": [first]}}
        for number, (last, first) in enumerate([("Щеглов", "Пётр"), (surname, name)])
    ]
    (tmp_path / "roster.json").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    frame = read_roster(tmp_path / "roster.json")
    assert frame["name"].tolist() == ["Щеглов Пётр", "Ельшин Кирилл"]
    assert "row 2: text that was garbled by a wrong encoding (UTF-8 read as cp1251)" in frame.attrs["notes"][0]


@pytest.mark.parametrize("wrong", ["mac-cyrillic", "mac-roman", "cp1252", "koi8-r", "cp866"])
def test_cp1251_read_wrongly_is_never_turned_into_a_third_text(wrong):
    lines = (DATA / "surnames_m_5000.txt").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if not line.startswith("#")][::40]
    clean = [[name, given] for name, given in zip(names, PEOPLE * 10, strict=False) for given in given[1:2]]
    findings = Findings()
    after = list(mended(cells_of(clean, "cp1251", wrong), findings))
    garbled = cells_of(clean, "cp1251", wrong)
    assert all(row in (was, right) for row, was, right in zip(after, garbled, clean, strict=True))
    named = {row for rows in findings.rows().values() for row in rows}
    assert len(named) > 0.9 * len(clean)


@pytest.mark.parametrize(
    "cell", ["ÅÄÖ", "Öö", "Éà", "ÁÉÍ", "Ærø", "«Ромашка» завод", "јован", "Ђорђе", "Џон", "Ѕвездан"]
)
def test_legitimate_letters_draw_no_note(cell):
    findings = Findings()
    assert list(mended([[cell, "Smith"]], findings)) == [[cell, "Smith"]]
    assert not findings.rows()
