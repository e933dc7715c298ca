"""How often the code page of a CSV is found, and how often garbled text is turned back.

    python benchmarks/pages.py [--files 200] [--seed 1] [--only LANGUAGE]

Files of 1, 3, 10 and 100 invented people, without a header, in each page of each language: how many are read rightly,
refused, and read wrongly; a text in whose place another with equal values is read counts as right. Then rows of Russian
and Ukrainian names that one program wrote in one page and another read in another: how many are mended, only named,
neither (silent), or turned into a third text (wrong).

The names are those of Faker, if it is installed (`pip install Faker`); the margins between pages were chosen on names
of the same source with other seeds, so expect somewhat worse elsewhere. Without it only the languages in `tests/data`
are measured.
"""

from __future__ import annotations

import argparse
import importlib
import io
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from pprl.core.errors import RosterError
from pprl.normalize.names import fold_name
from pprl.roster.files.encodings import find_encoding
from pprl.roster.files.findings import Findings
from pprl.roster.files.garbled import mended

DATA = Path(__file__).parents[1] / "tests" / "data"
SIZES = (1, 3, 10, 100)
CYRILLIC = "cp1251 koi8-u cp866 iso8859-5 mac-cyrillic"
WEST = "cp1252 cp850 mac-roman"
CENTRAL = "cp1250 iso8859-2 cp852"
LANGUAGES = {  # locale of Faker: language, and the pages of its rosters
    "ru_RU": ("Russian", CYRILLIC),
    "uk_UA": ("Ukrainian", "cp1251 koi8-u iso8859-5 mac-cyrillic"),
    "bg_BG": ("Bulgarian", "cp1251"),
    "mk_MK": ("Macedonian", "cp1251"),
    "el_GR": ("Greek", "cp1253 iso8859-7 cp737"),
    "he_IL": ("Hebrew", "cp1255 cp862"),
    "ar_AA": ("Arabic", "cp1256 iso8859-6"),
    "fa_IR": ("Farsi", "cp1256"),
    "de_DE": ("German", WEST),
    "fr_FR": ("French", WEST),
    "es_ES": ("Spanish", WEST),
    "pt_PT": ("Portuguese", WEST),
    "it_IT": ("Italian", "cp1252"),
    "sv_SE": ("Swedish", WEST),
    "da_DK": ("Danish", "cp1252"),
    "no_NO": ("Norwegian", "cp1252"),
    "fi_FI": ("Finnish", "cp1252"),
    "nl_NL": ("Dutch", "cp1252"),
    "is_IS": ("Icelandic", "cp1252"),
    "pl_PL": ("Polish", CENTRAL),
    "cs_CZ": ("Czech", CENTRAL),
    "sk_SK": ("Slovak", "cp1250"),
    "hu_HU": ("Hungarian", CENTRAL),
    "ro_RO": ("Romanian", "cp1250 iso8859-2"),
    "hr_HR": ("Croatian", "cp1250"),
    "sl_SI": ("Slovene", "cp1250"),
    "tr_TR": ("Turkish", "cp1254 cp857"),
    "lt_LT": ("Lithuanian", "cp1257"),
    "lv_LV": ("Latvian", "cp1257"),
    "et_EE": ("Estonian", "cp1257"),
    "zh_CN": ("Chinese", "gb18030"),
    "zh_TW": ("Chinese, Taiwan", "big5 gb18030"),
    "ja_JP": ("Japanese", "shift_jis euc-jp"),
    "ko_KR": ("Korean", "euc-kr"),
    "th_TH": ("Thai", "cp874"),
    "vi_VN": ("Vietnamese", "cp1258"),
}
GARBLED = [
    *(("utf-8", page) for page in ("cp1251", "cp1252", "latin-1", "koi8-r", "cp866", "mac-roman", "mac-cyrillic")),
    *(("cp1251", page) for page in ("cp1252", "koi8-r", "cp866", "mac-cyrillic", "mac-roman")),
    *(("koi8-r", page) for page in ("cp1251", "cp1252", "cp866")),
    *(("cp866", page) for page in ("cp1251", "cp1252", "koi8-r")),
]
Draw = Callable[[random.Random], tuple[str, str]]


def names_of_tests() -> dict[str, Draw]:
    """A function that draws a surname and a given name, by locale, from `tests/data`."""

    def drawn(surnames: Sequence[str], given: Sequence[str]) -> Draw:
        return lambda rng: (rng.choice(surnames), rng.choice(given))

    def lines(path: str) -> list[list[str]]:
        text = (DATA / path).read_text(encoding="utf-8")
        return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]

    russian = [name for (name,) in lines("surnames_m_5000.txt")]
    given = [name for (name,) in lines("given_f_400.txt")]
    found = {"ru_RU": drawn(russian, given)}
    for locale, path, language, at in (("el_GR", "others.tsv", "el", 1), ("fa_IR", "others.tsv", "fa", 1)):
        rows = [row[at:] for row in lines(f"alphabets/{path}") if row[0] == language]
        found[locale] = drawn(*([row[1] for row in rows if row[0] == part] for part in ("surname", "given")))
    for locale, path, at in (("he_IL", "hebrew.tsv", 0), ("ar_AA", "arabic.tsv", 1)):
        rows = [row[at:] for row in lines(f"alphabets/{path}")[1:]]
        found[locale] = drawn(*([row[1] for row in rows if row[0] == part] for part in ("surname", "given")))
    return found


def names_of_faker() -> dict[str, Draw]:
    """The same from Faker; {} if it is not installed."""
    try:
        faker = importlib.import_module("faker")
    except ImportError:
        return {}

    def drawn(locale: str) -> Draw:
        source = faker.Faker(locale)

        def draw(rng: random.Random) -> tuple[str, str]:
            source.seed_instance(rng.getrandbits(64))
            return source.last_name(), source.first_name()

        return draw

    return {locale: drawn(locale) for locale in LANGUAGES}


def in_page(text: str, page: str) -> bytes | None:
    """The text as a program writes it, or None if the page lacks its letters."""
    if page == "cp1256":
        text = text.replace("ی", "ي")
    if page in ("cp1250", "iso8859-2", "cp852"):
        text = text.translate(str.maketrans("șțȘȚ", "şţŞŢ"))
    if page == "cp1258":  # vowels as they are, tones as marks behind them
        text = "".join(
            letter if letter in "ăâđêôơưĂÂĐÊÔƠƯ" else _with_tone(letter)
            for letter in unicodedata.normalize("NFC", text)
        )
    try:
        return text.encode(page)
    except UnicodeEncodeError:
        return None


def _with_tone(letter: str) -> str:
    base, *marks = list(unicodedata.normalize("NFD", letter))
    tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
    rest = [mark for mark in marks if mark not in tones]
    return unicodedata.normalize("NFC", "".join([base, *rest])) + "".join(tones)


def outcome(data: bytes, page: str) -> str:
    try:
        found = find_encoding(io.BytesIO(data))
    except RosterError as error:
        return f"refused {error}"
    text, read = data.decode(page), data.decode(found.name, "replace")
    if found.others or (text != read and not folds_alike(text, read)):
        return f"wrong {found.name} {' '.join(found.others)}"
    return "right"


def folds_alike(one: str, other: str) -> bool:
    cells = zip(re.split("[;\\r\\n]+", one), re.split("[;\\r\\n]+", other), strict=False)
    return all(fold_name(a, given=given) == fold_name(b, given=given) for a, b in cells for given in (False, True))


def a_file(draw: Draw, rows: int, page: str, rng: random.Random) -> bytes:
    """A file with letters outside ASCII, which alone make a difference."""
    for _ in range(1_000):
        lines: list[bytes] = []
        while len(lines) < rows:
            surname, given = draw(rng)
            date = f"{rng.randint(1, 28):02}.{rng.randint(1, 12):02}.{rng.randint(1950, 2005)}"
            line = in_page(f"{surname};{given};{date}\r\n", page)
            if line is not None:
                lines.append(line)
        if not b"".join(lines).isascii():
            return b"".join(lines)
    raise SystemExit(f"no names outside ASCII for {page}")


def measure_pages(source: dict[str, Draw], files: int, seed: int, only: str, *, why: bool) -> None:
    print(f"{'':28}" + "".join(f"{f'{size} row' + 's' * (size > 1):>16}" for size in SIZES))
    print(f"{'':28}" + f"{'right/ref./wrong':>16}" * len(SIZES))
    total = Counter[str]()
    for locale, (language, pages) in LANGUAGES.items():
        if locale not in source or only not in language:
            continue
        for page in pages.split():
            cells, reasons = [], Counter[str]()
            for size in SIZES:
                rng = random.Random(f"{seed} {locale} {page} {size}")
                results = [outcome(a_file(source[locale], size, page, rng), page) for _ in range(files)]
                counts = Counter(result.split()[0] for result in results)
                reasons.update(f"{size}: {result}" for result in results if result != "right")
                total += counts
                cells.append(f"{counts['right']}/{counts['refused']}/{counts['wrong']}")
            print(f"{language + ', ' + page:28}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
            for reason, count in reasons.most_common(8) if why else ():
                print(f"      {count:4} {reason}")
    print(", ".join(f"{kind} {count:,}" for kind, count in total.items()))


def sloppy(data: bytes, page: str) -> str:
    """As browsers decode: a byte that the page does not define is the control of that number."""
    return "".join(bytes([code]).decode(page, "ignore") or chr(code) for code in data)


def measure_garbled(source: dict[str, Draw], rows: int, seed: int) -> None:
    """Each row by itself, as a single bad row of a roster."""
    print(f"\n{'rows of Russian, Ukrainian':28}{'mended':>8}{'named':>8}{'silent':>8}{'wrong':>8}")
    for right, wrong in GARBLED:
        counts = Counter[str]()
        for locale in ("ru_RU", "uk_UA"):
            rng = random.Random(f"{seed} {locale} {right} {wrong}")
            while locale in source and counts.total() < rows * (1 + (locale == "uk_UA")):
                clean = list(source[locale](rng))
                try:
                    row = [sloppy(cell.encode(right), wrong) for cell in clean]
                except UnicodeEncodeError:
                    continue
                findings = Findings()
                (after,) = mended([row], findings)
                kind = "mended" if after == clean else "wrong" if after != row else "named"
                counts[kind if findings.rows() else "silent"] += 1
        figures = "".join(f"{counts[kind]:8}" for kind in ("mended", "named", "silent", "wrong"))
        print(f"{f'{right} read as {wrong}':28}{figures}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="languages whose name contains this")
    parser.add_argument("--why", action="store_true", help="the most frequent refusals and errors")
    parser.add_argument("--part", choices=("pages", "garbled"))
    given = parser.parse_args()
    source = names_of_faker() or names_of_tests()
    if given.part != "garbled":
        measure_pages(source, given.files, given.seed, given.only, why=given.why)
    if given.part != "pages":
        measure_garbled(source, given.files, given.seed)


if __name__ == "__main__":
    main()
