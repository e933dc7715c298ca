"""Write the vectors: `python tests/vectors/generate.py`.

A second implementation of `docs/encoding.md`, from the standard library alone and one bit at a time; it imports
nothing of pprl and reads only the bytes of its tables. The canonical value of each cell is written here by hand. So
a vector that pprl passes says that two programs agree, not that one agrees with itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import struct
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import count, pairwise
from pathlib import Path

HERE = Path(__file__).parent
TABLES = HERE.parents[1] / "pprl" / "normalize" / "data"
RARITY = HERE.parents[1] / "pprl" / "encode" / "data" / "rarity.tsv"
KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))

# ---------------------------------------------------------------- docs/encoding.md, section by section


def folding_hash() -> bytes:
    """§2."""
    message = b"pprl-folding-4"
    tables = (
        "letters lookalikes scripts known_names rules particles ranks months sex sex_endings services "
        "nothing titles date_words"
    )
    for name in (f"{table}.tsv" for table in tables.split()):
        data = (TABLES / name).read_bytes()
        message += f"{name} {len(data)}\n".encode() + data
    return hashlib.sha256(message).digest()


def tables_hash() -> bytes:
    """§8."""
    return hashlib.sha256(b"pprl/2/tables\0" + folding_hash() + hashlib.sha256(RARITY.read_bytes()).digest()).digest()


def bigrams(word: str) -> list[str]:
    padded = "_" + word + "_"
    return [a + b for a, b in pairwise(padded)]


def tokens(kind: str, value: str) -> list[str]:
    """§4, without repetitions."""
    found: list[str] = []
    if kind in ("surname", "given", "patronymic", "text"):
        for word in value.split(" "):
            found += ["_" + word[0]] if word[-1] == "." else bigrams(word)
    elif kind in ("date", "year"):
        parts = value.split("-")
        found += ["ymd"[at] + part for at, part in enumerate(parts)]
        found += [f"{at}:{digit}" for at, digit in enumerate("".join(parts))]
    elif kind == "identifier":
        found += [f"{at}:{letter}" for at, letter in enumerate(value)] + bigrams(value)
    elif kind == "number":
        found += [str(int(value) + step) for step in (-2, -1, 0, 1, 2)]
    else:
        found.append(value)
    return list(dict.fromkeys(found))


EXPECTED = {
    "surname": 8,
    "given": 7,
    "patronymic": 10,
    "date": 11,
    "year": 5,
    "sex": 1,
    "rank": 1,
    "identifier": 13,
    "category": 1,
    "number": 5,
    "text": 12,
}


SETS = {
    "plain": [(0, 0, 1024)],
    "standard": [(0, 8, 4096), (18, 6, 4096), (23, 5, 8192)],
    "high": [(0, 10, 4096), (18, 8, 4096), (23, 8, 8192)],
}


def numbers(schema: dict) -> tuple[int, int]:
    """§6.4: minima and length, by the distinguishing tokens."""
    told = sum(field["weight"] * EXPECTED[field["type"]] for field in schema["fields"] if field["type"] != "patronymic")
    return [(minima, length) for least, minima, length in SETS[schema["hardening"]] if least <= told / 100][-1]


def plain_bits(schema: dict) -> list[int]:
    """§5: k of each field."""
    expected = sum(field["weight"] / 100 * EXPECTED[field["type"]] for field in schema["fields"])
    kappa = math.log(1 - 0.2) / (math.log(1 - 1 / 1024) * expected)
    return [max(1, min(32, round(field["weight"] / 100 * kappa))) for field in schema["fields"]]


def canonical(schema: dict) -> bytes:
    """§8."""
    fields = sorted([field["name"], field["type"], field["weight"]] for field in schema["fields"])
    minima, length = numbers(schema)
    encoding = f'"encoding":{{"hardening":"{schema["hardening"]}","length":{length},"minima":{minima}}}'
    listed = ",".join(f'[{json.dumps(name)},"{kind}",{weight}]' for name, kind, weight in fields)
    return f'{{{encoding},"fields":[{listed}],"format":1}}'.encode("ascii")


def fingerprint(schema: dict) -> bytes:
    """§8."""
    return hashlib.sha256(b"pprl/2/schema\0" + tables_hash() + canonical(schema)).digest()


def subkey(linkage_key: bytes, schema: dict, purpose: str) -> bytes:
    """§5: extract, then one block of expand (RFC 5869)."""
    extracted = hmac.digest(fingerprint(schema), linkage_key, "sha256")
    return hmac.digest(extracted, b"pprl/2/" + purpose.encode() + b"\x01", "sha256")


def space(field: dict) -> str:
    return "name" if field["type"] in ("surname", "given", "patronymic") else "field/" + field["name"]


def token_words(space_key: bytes, token: str) -> tuple[int, ...]:
    """§5."""
    return struct.unpack("<32H", hashlib.blake2b(token.encode(), key=space_key, digest_size=64).digest())


class Stream:
    """§5: 64-bit words of SHAKE256, and draws below a bound."""

    def __init__(self, seed: bytes, label: str) -> None:
        prefix = struct.pack("<H", len(label.encode())) + label.encode() + seed
        blocks = (hashlib.shake_256(prefix + struct.pack("<Q", block)).digest(8192) for block in count())
        self._words = (word for block in blocks for word in struct.unpack("<1024Q", block))

    def word(self) -> int:
        return next(self._words)

    def below(self, bounds: list[int]) -> list[int]:
        words = [self.word() for _ in bounds]
        limits = [2**64 - 2**64 % bound for bound in bounds]
        while wrong := [at for at, word in enumerate(words) if word >= limits[at]]:
            for at in wrong:
                words[at] = self.word()
        return [word % bound for word, bound in zip(words, bounds, strict=True)]


def worth(kind: str, token: str) -> int:
    """§6.1."""
    kind = "name" if kind in ("surname", "given", "patronymic") else kind
    table = {}
    for line in RARITY.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            table[tuple(line.split("\t")[:2])] = line.split("\t")[2]
    return int(table.get((kind, token), table[kind, "*"]))


def siphash(key: bytes, message: bytes) -> int:
    """SipHash-2-4 by its paper, section 2."""
    whole = message + bytes(7 - len(message) % 8) + bytes([len(message)])
    return siphashes(key, struct.unpack(f"<{len(whole) // 8}Q", whole), 1)


def siphashes(key: bytes, words: Iterable[int], count: int) -> int:
    """The same of many messages at once: each has 128 bits of every word, and of the result, for its 64."""
    each = int.from_bytes((b"\1" + bytes(15)) * count, "little")
    low = M64 * each

    def rotated(lanes: int, by: int) -> int:
        return (lanes << by | lanes >> 64 - by) & low

    def mixed(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
        a = a + b & low
        b = rotated(b, 13) ^ a
        c = c + d & low
        d = rotated(d, 16) ^ c
        a = rotated(a, 32) + d & low
        c = c + b & low
        return a, rotated(b, 17) ^ c, rotated(c, 32), rotated(d, 21) ^ a

    k0, k1 = struct.unpack("<QQ", key)
    state = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)
    a, b, c, d = (part * each for part in state)
    for word in words:
        a, b, c, d = mixed(*mixed(a, b, c, d ^ word))
        a ^= word
    a, b, c, d = mixed(*mixed(*mixed(*mixed(a, b, c ^ 0xFF * each, d))))
    return a ^ b ^ c ^ d


M64 = 2**64 - 1
RULERS = {
    5: (0, 1, 4, 9, 11),
    6: (0, 1, 4, 10, 12, 17),
    8: (0, 1, 4, 9, 15, 22, 32, 34),
    10: (0, 1, 6, 10, 23, 26, 34, 41, 53, 55),
}


@cache
def ranks(key: bytes, position: int, length: int) -> list[int]:
    """§6.3: the rank of a position for each minimum."""
    pairs = range(length // 2)
    messages = b"".join(struct.pack("<HHHBBQ", position, pair, 0, 0, 4, 0) for pair in pairs)
    hashes = siphashes(key, [int.from_bytes(messages, "little")], len(pairs)).to_bytes(16 * len(pairs), "little")
    return [rank for low, high, _ in struct.iter_unpack("<IIQ", hashes) for rank in (low, high)]


def hardened(linkage_key: bytes, schema: dict, filled: set[int]) -> bytes:
    """§6.3."""
    minima, length = numbers(schema)
    ranks_key, outputs_key = (subkey(linkage_key, schema, f"minwise/{part}")[:16] for part in ("ranks", "outputs"))
    least = [min(column) for column in zip(*(ranks(ranks_key, p, length) for p in sorted(filled)), strict=True)]
    bits, encoded = min(16, 56 // minima) if minima < 8 else 8, 0
    for output in range(length):
        message = 0
        for k, offset in enumerate(RULERS[minima]):
            message += least[(output + offset) % length] % 2**bits << bits * k
        encoded |= (siphash(outputs_key, message.to_bytes(max(7, minima), "little")) & 1) << output
    return encoded.to_bytes(length // 8, "little")


def encoding(linkage_key: bytes, schema: dict, values: dict) -> bytes:
    """§5 and §6: the published bytes of one person."""
    plain, sparse = set(), set()
    for field, k in zip(schema["fields"], plain_bits(schema), strict=True):
        if field["name"] in values:
            key = subkey(linkage_key, schema, "tokens/" + space(field))
            for token in tokens(field["type"], values[field["name"]]):
                plain.update(word % 1024 for word in token_words(key, token)[:k])
                count = min(32, round(field["weight"] / 100 * worth(field["type"], token)))
                sparse.update(token_words(key, token)[:count])
    if schema["hardening"] == "plain":
        return sum(1 << place for place in plain).to_bytes(128, "little")
    return hardened(linkage_key, schema, sparse)


# ---------------------------------------------------------------- what is shown


def folds() -> list[dict]:
    """Cells and their canonical values, by hand."""
    nfd = unicodedata.normalize
    cases = [
        ("surname, Russian", "surname", "Щербаков", "werbakov"),
        ("surname, English romanisation", "surname", "Shcherbakov", "werbakov"),
        ("surname, German romanisation", "surname", "Schtscherbakow", "werbakov"),
        ("surname, scholarly romanisation in NFC", "surname", "Ščerbakov", "werbakov"),
        ("surname, scholarly romanisation in NFD", "surname", nfd("NFD", "Ščerbakov"), "werbakov"),
        ("surname, capitals", "surname", "ЩЕРБАКОВ", "werbakov"),
        ("surname, a Latin o among Cyrillic letters", "surname", "Щербакoв", "werbakov"),
        ("surname, a soft hyphen inside", "surname", "Щерба\u00adков", "werbakov"),
        ("surname, Cyrillic short i in NFC", "surname", "Зойский", "zoiski"),
        ("surname, Cyrillic short i in NFD", "surname", nfd("NFD", "Зойский"), "zoiski"),
        ("surname, yo", "surname", "Дёмкин", "demkin"),
        ("surname, double", "surname", "Лугова-Мирная", "lugova mirnaia"),
        ("surname, Ukrainian letters", "surname", "Їжакевич", "ijakeviq"),
        ("surname, Ukrainian with apostrophe", "surname", "Лук’яненко", "lukianenko"),
        ("surname, Ukrainian with hard g", "surname", "Ґудзенко", "gudzenko"),
        ("surname, Belarusian short u", "surname", "Каваўчук", "kavauquk"),
        ("surname, Kazakh letters", "surname", "Әбдіғалиұлы", "abdigaliuli"),
        ("surname, Kazakh letters, second", "surname", "Қоңырбаев", "konirbaev"),
        ("surname, Latin with ogonek and stroke", "surname", "Wąsłowski", "vaslovski"),
        ("surname, Latin with umlaut", "surname", "Grünbärg", "grunbarg"),
        ("surname, h becomes kh", "surname", "Harzenko", "xarzenko"),
        ("surname, doubled letter", "surname", "Коллонов", "kolonov"),
        ("surname, digits are no letters", "surname", "Лугов2", "lugov"),
        ("surname, nothing to read", "surname", "12", None),
        ("surname, a remark in brackets", "surname", "Лугов (выбыл)", "lugov"),
        ("surname, all in brackets", "surname", "(Лугов)", "lugov"),
        ("surname, a rank glued to it", "surname", "ст. л-т Лугов", "lugov"),
        ("surname, that is a rank", "surname", "Матрос", "matros"),
        ("surname, Greek: one sound in two letters", "surname", "Παπανδρέου", "papandreov"),
        ("surname, Greek in NFD", "surname", nfd("NFD", "Παπανδρέου"), "papandreov"),
        ("surname, Greek in capitals", "surname", "ΜΠΟΥΡΝΑΖΟΣ", "burnazos"),
        ("surname, Greek: upsilon before a voiceless letter", "surname", "Ευτυχίδης", "eftiqidis"),
        ("surname, Greek: a diaeresis parts two letters", "surname", "Αϊβαζίδης", "aivazidis"),
        ("surname, Armenian u", "surname", "Ռուբինյան", "rubinian"),
        ("surname, Armenian ligature", "surname", "Գևորգյան", "gevorgian"),
        ("surname, Armenian in the classical orthography", "surname", "Պետրոսեան", "petrosian"),
        ("surname, Georgian", "surname", "ჭავჭავაძე", "qavqavadze"),
        ("surname, Georgian, romanised", "surname", "Ch'avch'avadze", "qavqavadze"),
        ("surname, Arabic with an article", "surname", "الحداد", "al xadad"),
        ("surname, Arabic, unknown: a where vowels are needed", "surname", "مشمشي", "mawmawi"),
        ("surname, Arabic, presentation forms", "surname", "ﺍﻟﺤﺪﺍﺩ", "al xadad"),
        ("surname, Arabic, stretched", "surname", "الحـــداد", "al xadad"),
        ("surname, Persian, a known name", "surname", "حسینی", "xoseini"),
        ("surname, the same on an Arabic keyboard", "surname", "حسيني", "xoseini"),
        ("surname, Persian suffix", "surname", "زرین‌زاده", "zarinzade"),
        ("surname, Urdu", "surname", "بٹ", "but"),
        ("surname, Kurdish vowels", "surname", "گۆران", "goran"),
        ("surname, Hebrew, a known name", "surname", "כהן", "coxen"),
        ("surname, Hebrew, unknown", "surname", "סגולי", "sagoli"),
        ("surname, Hebrew with a geresh", "surname", "צ'רלי", "qarli"),
        ("surname, letters of no table", "surname", "แสงทอง", None),
        ("given, Arabic", "given", "محمد", "mogamad"),
        ("given, Arabic with signs for vowels", "given", "لُبَان", "luban"),
        ("given, Arabic, servant of", "given", "عبد الشهيد", "abdul wagid"),
        ("given, Arabic initial", "given", "ش.", "w."),
        ("given, Hebrew with points", "given", "דָּוִד", "david"),
        ("given, Greek initial", "given", "Χ.", "q."),
        ("given, Ukrainian h as g", "given", "Олег", "oleg"),
        ("given, romanised", "given", "Oleh", "oleg"),
        ("given, kh as g", "given", "Михайло", "migailo"),
        ("given, initial", "given", "О.", "o."),
        ("given, two initials in one cell", "given", "О.П.", "o. p."),
        ("given, an initial without its stop", "given", "О", "o."),
        ("given, an initial of two Latin letters", "given", "Yu.", "i."),
        ("patronymic, Russian", "patronymic", "Ярославович", "iaroslavoviq"),
        ("patronymic, romanised", "patronymic", "Yaroslavovich", "iaroslavoviq"),
        ("text, folded as a surname", "text", "Нижнее Лугово", "nijne lugovo"),
        ("date, day first with stops", "date", "07.03.1985", "1985-03-07"),
        ("date, ISO", "date", "1985-03-07", "1985-03-07"),
        ("date, ISO with time", "date", "1985-03-07 00:00:00", "1985-03-07"),
        ("date, month as a Russian word", "date", "7 марта 1985 г.", "1985-03-07"),
        ("date, month as a Ukrainian word", "date", "7 березня 1985 року", "1985-03-07"),
        ("date, month as an English word", "date", "March 7, 1985", "1985-03-07"),
        ("date, two digits of 1930 to 1999", "date", "07.03.30", "1930-03-07"),
        ("date, two digits of 2000 to 2029", "date", "07.03.29", "2029-03-07"),
        ("date, Arabic digits", "date", "٠٧.٠٣.١٩٨٥", "1985-03-07"),
        ("date, Persian digits", "date", "۱۹۸۵-۰۳-۰۷", "1985-03-07"),
        ("date, year and month", "date", "03.1985", "1985-03"),
        ("date, year alone", "date", "1985", "1985"),
        ("date, no day of the calendar", "date", "30.02.1985", None),
        ("date, before 1850", "date", "1849", None),
        ("year", "year", "1985", "1985"),
        ("year, of a date", "year", "07.03.1985", "1985"),
        ("sex, Russian", "sex", "муж.", "m"),
        ("sex, Ukrainian", "sex", "жіноча", "f"),
        ("sex, not a word for it", "sex", "да", None),
        ("rank, abbreviated", "rank", "ст. л-т", "110"),
        ("rank, with a word that is no rank", "rank", "гвардии старший лейтенант", "110"),
        ("identifier, Cyrillic keyboard", "identifier", "АВ-123", "AB123"),
        ("identifier, Latin keyboard", "identifier", "ab 123", "AB123"),
        ("identifier, letters typed for digits", "identifier", "АВ-12З4О6", "AB123406"),
        ("identifier, the same without a hyphen", "identifier", "АВ12З4О6", "AB123406"),
        ("identifier, digits typed for letters", "identifier", "0В-123456", "OB123456"),
        ("identifier, one letter or two: as it is", "identifier", "А0123456", "A0123456"),
        ("category: a kind of service", "category", "по контракту", "kontrakt"),
        ("category, capitals and hyphen", "category", "В/Ч-00000", "v ch 00000"),
        ("number", "number", "1 234", "1234"),
        ("number, Arabic digits and signs", "number", "١٬٢٣٤٬٥٦٧٫٥", "1234568"),
        ("number, half away from zero", "number", "-2,5", "-3"),
        ("number, comma that could be either", "number", "1,234", None),
        ("cleaned: a guard", "identifier", '="00123456"', "00123456"),
        ("cleaned: an apostrophe as guard", "date", "'07.03.1985", "1985-03-07"),
        ("cleaned: an escape of a workbook", "surname", "Лугов_x000D_", "lugov"),
        ("cleaned: an escaped escape", "surname", "Лугов_x005F_x000D_", "lugov"),
        ("cleaned: entities, twice escaped", "surname", "&amp;#1051;угов&nbsp;", "lugov"),
        ("cleaned: a number that is no character stays", "identifier", "&#1114112;", "1114112"),
        ("cleaned: an address", "surname", "%D0%9B%D1%83%D0%B3%D0%BE%D0%B2", "lugov"),
        ("cleaned: JSON", "given", "\\u041e\\u043b\\u0435\\u0433", "oleg"),
        ("cleaned: a whole number with a decimal point", "identifier", "12345678.0", "12345678"),
        ("cleaned: all digits of a scientific number", "identifier", "1.23456789012E+11", "123456789012"),
        ("nothing: in any field", "surname", "не указано", None),
        ("nothing: with marks around it", "given", "(немає)", None),
        ("nothing: of a program, as it writes it", "surname", "NULL", None),
        ("nothing: a surname written otherwise", "surname", "Null", "nul"),
        ("nothing: a surname in another field", "patronymic", "Null", None),
        ("nothing: marks alone", "patronymic", "—", None),
        ("nothing: an error of a spreadsheet", "patronymic", "#ССЫЛКА!", None),
        ("nothing: an error by its form", "number", "Err:502", None),
        ("nothing: no number", "identifier", "б/н", None),
        ("nothing: a document of zeros", "identifier", "000-000 00", None),
        ("nothing: zero is a number", "number", "0", "0"),
        ("nothing: a date of zeros", "date", "0000-00-00 00:00:00", None),
        ("nothing: a program's first day", "date", "0001-01-01T00:00:00", None),
        ("nothing: no is an answer in a category", "category", "no", "no"),
        ("damage: digits cut by a spreadsheet", "identifier", "1,23E+12", None),
        ("damage: a digit that is unknown", "identifier", "12?45678", None),
        ("damage: one letter of many", "surname", "Щер?аков", "werakov"),
        ("damage: too many letters", "surname", "Л??ов", None),
        ("titles: a numeral after a surname", "surname", "Lugov III", "lugov"),
        ("titles: a suffix behind a hyphen", "surname", "Лугов-мл.", "lugov"),
        ("titles: a calling before a surname", "surname", "адвокат Лугов", "lugov"),
        ("titles: that is a surname", "surname", "Доктор", "doktor"),
        ("titles: two of them", "given", "Prof. Dr. Oleg", "oleg"),
        ("date, with words behind it", "date", "07.03.1985 р.н.", "1985-03-07"),
        ("date, with a word before it", "date", "born 1985", "1985"),
        ("date, about: only the year", "date", "около 03.1985", "1985"),
        ("date, doubtful: only the year", "date", "1985?", "1985"),
        ("date, an open day", "date", "??.03.1985", "1985-03"),
        ("date, an open day of ISO", "date", "1985-03-00", "1985-03"),
        ("date, an open month", "date", "07.хх.1985", "1985"),
        ("date, a Roman month", "date", "7.III.1985", "1985-03-07"),
        ("date, a Roman month in Cyrillic letters", "date", "7.ІХ.1985", "1985-09-07"),
        ("date, month as a Polish word", "date", "7 marca 1985 r.", "1985-03-07"),
        ("date, month as a Kazakh word", "date", "7 тамыз 1985", "1985-08-07"),
        ("date, month as a romanised word", "date", "7 oktyabrya 1985", "1985-10-07"),
        ("date, month as a Spanish word", "date", "7 de marzo de 1985", "1985-03-07"),
        ("date, month of two Arabic words", "date", "7 كانون الثاني 1985", "1985-01-07"),
        ("date, of the Persian calendar", "date", "1364/05/12", None),
        ("date, a spreadsheet's day by itself", "date", "29657", None),
    ]
    return [{"name": name, "type": kind, "cell": cell, "value": value} for name, kind, cell, value in cases]


TOKEN_CASES = [
    ("surname", "surname", "li"),
    ("surname of two words: padded one by one, shared bigrams once", "surname", "lugova mirna"),
    ("surname of one letter repeated", "surname", "aaa"),
    ("given name", "given", "oleg"),
    ("initial: the first bigram of the full name", "given", "o."),
    ("two initials", "given", "o. p."),
    ("name and initial", "given", "oleg p."),
    ("patronymic", "patronymic", "ilik"),
    ("text", "text", "nijne lugovo"),
    ("whole date", "date", "1985-03-07"),
    ("year and month", "date", "1985-03"),
    ("year alone", "date", "1985"),
    ("field of type year", "year", "1985"),
    ("sex", "sex", "m"),
    ("rank", "rank", "110"),
    ("identifier", "identifier", "AB11"),
    ("category: one token, spaces and all", "category", "v ch 00000"),
    ("number", "number", "7"),
    ("number near zero", "number", "-1"),
]


def schema(hardening: str, *fields: tuple[str, str] | tuple[str, str, int]) -> dict:
    """Fields are names and types, and weights in hundredths where they are not 100."""
    listed = [{"name": f[0], "type": f[1], "weight": f[2] if len(f) > 2 else 100} for f in fields]
    return {"hardening": hardening, "fields": listed}


PERSON = (("surname", "surname"), ("given", "given"), ("birth_date", "date"))
EVERY_TYPE = tuple((f"the_{kind}", kind) for kind in EXPECTED)
WITH_PATRONYMIC = (*PERSON, ("patronymic", "patronymic"))
SCHEMAS = {
    **{f"person, {name}": schema(name, *PERSON) for name in SETS},
    "names, standard": schema("standard", *PERSON[:2], ("patronymic", "patronymic")),
    "names and year, standard": schema("standard", *PERSON[:2], ("year", "year")),
    "every type, plain": schema("plain", *EVERY_TYPE),
    "every type, high": schema("high", *EVERY_TYPE),
    "weights, plain": schema("plain", ("surname", "surname", 50), ("given", "given", 200), ("birth_date", "date")),
    "weights, high": schema("high", ("surname", "surname", 50), ("given", "given", 200), ("birth_date", "date")),
    "names with patronymic, plain": schema("plain", *WITH_PATRONYMIC),
    "names with patronymic, sex and rank": schema("plain", *WITH_PATRONYMIC, ("sex", "sex"), ("rank", "rank")),
    "two fields of one type": schema("plain", ("home", "category"), ("unit", "category")),
    "a field's name beyond ASCII": schema("plain", ("часть", "category"), ("year_2", "year")),
}

WHOLE = {"surname": "Щербаков", "given": "Ярослав", "birth_date": "07.03.1985"}
WHOLE_VALUES = {"surname": "werbakov", "given": "iaroslav", "birth_date": "1985-03-07"}


def changed(cells: dict, values: dict) -> tuple[dict, dict]:
    """The whole person with other cells and values; None takes a value away."""
    return (
        {name: cell for name, cell in {**WHOLE, **cells}.items() if cell is not None},
        {name: value for name, value in {**WHOLE_VALUES, **values}.items() if value is not None},
    )


HARDENED = (  # few, since these bits take long here
    "no given name",
    "no birth date",
    "initial of the given name",
    "year and month of birth",
    "surname and given name swapped: the same bits",
    "English romanisation: the same bits",
)


def rows() -> list[tuple[str, str, dict, dict]]:
    """(name, schema, cells, canonical values by hand)."""
    plain, standard = "person, plain", "person, standard"
    cells_of_every_type = {
        "surname": ("Лугова-Мирная", "lugova mirnaia"),
        "given": ("Олег", "oleg"),
        "patronymic": ("Ярославович", "iaroslavoviq"),
        "date": ("07.03.1985", "1985-03-07"),
        "year": ("1985", "1985"),
        "sex": ("муж.", "m"),
        "rank": ("ст. л-т", "110"),
        "identifier": ("АВ-123", "AB123"),
        "category": ("по контракту", "kontrakt"),
        "number": ("1 234", "1234"),
        "text": ("Нижнее Лугово", "nijne lugovo"),
    }
    all_cells = {f"the_{kind}": cell for kind, (cell, _) in cells_of_every_type.items()}
    all_values = {f"the_{kind}": value for kind, (_, value) in cells_of_every_type.items()}
    every = "every type, plain"
    shown = [(f"whole row; {name}", name, *changed({}, {})) for name in SCHEMAS if name.startswith("person")]
    shown += [(f"whole row; {name}", name, *changed({}, {})) for name in ("weights, plain", "weights, high")]
    shown += [
        (f"only the {kind}", every, {f"the_{kind}": cell}, {f"the_{kind}": value})
        for kind, (cell, value) in cells_of_every_type.items()
        if kind != "patronymic"
    ]
    patronymic, folded = cells_of_every_type["patronymic"]
    sexed = {"the_patronymic": folded, "the_sex": "m"}
    shown += [("the patronymic, which tells the sex", every, {"the_patronymic": patronymic}, sexed)]
    shown += [
        (
            "only the patronymic",
            "names with patronymic, plain",
            {"patronymic": patronymic},
            {"patronymic": folded},
        )
    ]
    whole_names = {
        "surname first": ("Лугов Олег Ярославович", "lugov", "oleg", "iaroslavoviq", "m", None),
        "surname last, in capitals": ("Олег Ярославович ЛУГОВ", "lugov", "oleg", "iaroslavoviq", "m", None),
        "a Latin letter in the patronymic": ("Олег Ярославoвич Лугов", "lugov", "oleg", "iaroslavoviq", "m", None),
        "initials": ("О.Я. Лугов", "lugov", "o.", "i.", "m", None),
        "a rank before it": ("гв. ст. л-т Лугов О.Я.", "lugov", "o.", "i.", "m", "110"),
        "a rank behind it": ("Ковальчук Олег, рядовой", "kovalquk", "oleg", None, None, "10"),
        "a rank that is a surname": ("Матрос Олег Ярославович", "matros", "oleg", "iaroslavoviq", "m", None),
        "remarks": ("Лугова Нина (выбыла) уволена в запас", "lugova", "nina", None, "f", None),
        "a particle": ("Олег ван Лугово", "van lugovo", "oleg", None, None, None),
        "a hyphen between spaces": ("Лугов - Мирный Олег", "lugov mirni", "oleg", None, None, None),
        "a surname of two words": ("Лугов Мирный О.Я.", "lugov mirni", "o.", "i.", None, None),
        "oglu": ("Олег Али оглы Ковальчук", "kovalquk", "oleg", "ali ogli", "m", None),
    }
    for name, (cell, *known) in whole_names.items():
        values = dict(zip(("surname", "given", "patronymic", "sex", "rank"), known, strict=True))
        values = {field: value for field, value in values.items() if value}
        shown += [(f"whole name, {name}", "names with patronymic, sex and rank", {"full_name": cell}, values)]
    shown += [("every type at once", every, all_cells, all_values)]
    shown += [("every type at once, high", "every type, high", all_cells, all_values)]
    names = {"surname": "Ли", "given": "Ю."}, {"surname": "li", "given": "i."}
    shown += [("names alone", "names, standard", *names)]
    born = {"year": "1985"}
    shown += [("names and a year", "names and year, standard", names[0] | born, names[1] | born)]
    partial = {
        "no given name": changed({"given": ""}, {"given": None}),
        "no birth date": changed({"birth_date": "-"}, {"birth_date": None}),
        "only the surname is known": changed({"given": "", "birth_date": ""}, {"given": None, "birth_date": None}),
        "initial of the given name": changed({"given": "Я."}, {"given": "i."}),
        "year of birth alone": changed({"birth_date": "1985"}, {"birth_date": "1985"}),
        "year and month of birth": changed({"birth_date": "03.1985"}, {"birth_date": "1985-03"}),
        "a birth date that cannot be read is a missing one": changed(
            {"birth_date": "30.02.1985"}, {"birth_date": None}
        ),
        "surname and given name swapped: the same bits": changed(
            {"surname": "Yaroslav", "given": "Щербаков"}, {"surname": "iaroslav", "given": "werbakov"}
        ),
        "English romanisation: the same bits": changed({"surname": "Shcherbakov", "given": "Yaroslav"}, {}),
        "NFD: the same bits": changed({"surname": unicodedata.normalize("NFD", "Ščerbakov")}, {}),
        "NFC: the same bits": changed({"surname": "Ščerbakov"}, {}),
        "Ukrainian": changed({"surname": "Їжакевич", "given": "Олег"}, {"surname": "ijakeviq", "given": "oleg"}),
        "Belarusian": changed({"surname": "Каваўчук"}, {"surname": "kavauquk"}),
        "Kazakh": changed({"surname": "Қоңырбаев"}, {"surname": "konirbaev"}),
        "Latin diacritics": changed({"surname": "Wąsłowski"}, {"surname": "vaslovski"}),
        "nothing known: an empty row": ({"surname": "", "given": "?", "birth_date": "н/д"}, {}),
    }
    for name, (cells, values) in partial.items():
        shown.append((f"{name}, plain", plain, cells, values))
        if name in HARDENED:
            shown.append((f"{name}, standard", standard, cells, values))
    shown += [
        (
            "surname, initials of given name and patronymic",
            "names with patronymic, plain",
            {**WHOLE, "given": "Я.", "patronymic": "О."},
            {**WHOLE_VALUES, "given": "i.", "patronymic": "o."},
        ),
        (
            "one value in two fields: different bits",
            "two fields of one type",
            {"home": "Лугово", "unit": "Лугово"},
            {"home": "lugovo", "unit": "lugovo"},
        ),
    ]
    return shown


def files() -> dict[str, object]:
    """Each file with something in it. The vectors say what must be in them."""
    handles = [("keys.json", keys()), ("folding.json", folding()), ("tokens.json", token_vectors())]
    handles += [("draws.json", draws()), ("siphash.json", hashes()), ("schemas.json", schemas())]
    return dict([*handles, ("encodings.json", encodings())])


def folding() -> dict:
    return {"folding_hash": folding_hash().hex(), "vectors": folds()}


def token_vectors() -> dict:
    listed = [
        {"name": n, "type": kind, "value": value, "tokens": tokens(kind, value)} for n, kind, value in TOKEN_CASES
    ]
    placed = [
        {"space_key": KEY.hex(), "token": token, "words": token_words(KEY, token)} for token in ("_o", "y1985", "№")
    ]
    return {"tokens": listed, "words": placed}


def keys() -> list[dict]:
    listed = []
    for key in (KEY, OTHER_KEY):
        for name in ("person, standard", "two fields of one type"):
            purposes = ["key-check", "minwise/ranks", "minwise/outputs", "tokens/name", "tokens/field/birth_date"]
            listed.append(
                {
                    "name": f"{name}; key {key[:2].hex()}…",
                    "schema": name,
                    "linkage_key": key.hex(),
                    "salt": fingerprint(SCHEMAS[name]).hex(),
                    "subkeys": {purpose: subkey(key, SCHEMAS[name], purpose).hex() for purpose in purposes},
                    "key_check": subkey(key, SCHEMAS[name], "key-check")[:16].hex(),
                }
            )
    return listed


def draws() -> list[dict]:
    listed = []
    for label, seed in (("diffusion", KEY), ("demo", b"example"), ("подпись", b"")):
        words, picks = Stream(seed, label), Stream(seed, label)
        stream = [words.word() for _ in range(2048)]
        bounds = [1, 2, 10, 1000, 2**32, 2**62 + 1, 2**62 + 1, 2**63 - 1, 3 * 2**61, 3 * 2**61, 3 * 2**61, 2**62 + 1]
        listed.append(
            {
                "label": label,
                "seed": seed.hex(),
                "first_words": [f"{word:016x}" for word in stream[:4]],
                "sha256_of_16384_bytes": hashlib.sha256(struct.pack("<2048Q", *stream)).hexdigest(),
                "bounds": [str(bound) for bound in bounds],
                "below": [str(draw) for draw in picks.below(bounds)],
            }
        )
    return listed


def hashes() -> list[dict]:
    """Messages of 0 to 16 bytes, among them that of the paper's appendix A (15 bytes)."""
    messages = [bytes(range(length)) for length in range(17)]
    return [{"key": KEY[:16].hex(), "message": m.hex(), "hash": f"{siphash(KEY[:16], m):016x}"} for m in messages]


def schemas() -> list[dict]:
    """Schemas as files: the bytes and the fingerprint each must give, and the bits of a token in a plain filter."""

    def toml(body: dict) -> str:
        parts = [
            f'[fields."{field["name"]}"]\ntype = "{field["type"]}"\nweight = {field["weight"] / 100}\n'
            for field in body["fields"]
        ]
        return f'format = 1\n[encoding]\nhardening = "{body["hardening"]}"\n' + "".join(parts)

    return [
        {
            "name": name,
            "toml": toml(body),
            "bits": dict(zip([field["name"] for field in body["fields"]], plain_bits(body), strict=True)),
            "minima": numbers(body)[0],
            "length": numbers(body)[1],
            "canonical": canonical(body).decode(),
            "fingerprint": fingerprint(body).hex(),
        }
        for name, body in SCHEMAS.items()
    ]


def encodings() -> dict:
    return {
        "schemas": SCHEMAS,
        "vectors": [
            {
                "name": name,
                "schema": of,
                "linkage_key": key.hex(),
                "cells": cells,
                "values": values,
                "encoding": encoding(key, SCHEMAS[of], values).hex(),
            }
            for key, name, of, cells, values in [
                *((KEY, *row) for row in rows()),
                *((OTHER_KEY, f"another key: {row[0]}", *row[1:]) for row in rows()[:2]),
            ]
        ],
    }


def build() -> dict[str, str]:
    """The name of each file and its text."""
    return {name: json.dumps(body, ensure_ascii=False, indent=1) + "\n" for name, body in files().items()}


if __name__ == "__main__":
    for file_name, text in build().items():
        (HERE / file_name).write_text(text, encoding="utf-8")
