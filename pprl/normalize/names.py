"""One spelling per name, whichever alphabet, romanisation standard or typist it went through.

``Щербаков``, ``Shcherbakov``, ``Ščerbakov`` and ``Schtscherbakow`` all become ``werbakov``. The text is first
romanised (``text``), then the rules of ``rules.tsv`` are applied in order, each a regular expression with an example of
what it does. The result is a key, not a name to print: one letter is one sound, so ``w`` is sh or shch, ``j`` zh or
dzh, ``q`` ch, ``c`` ts and ``x`` kh, and folding a key again changes it.

The cost is that similar names can become equal (Щукин and Шукин); ``tests/normalize/test_names.py`` measures gain and
cost. In given names and patronymics kh is also g (Сергій, Serhii, Sergei); in surnames it is not (Громов, Хромов).

An initial keeps its first sound and a full stop: ``И. П.`` becomes ``i. p.``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pprl.normalize.scripts import WITHOUT_VOWELS, close_up
from pprl.normalize.text import dropped_letters, letters, prepare, read_table
from pprl.normalize.titles import Title, may_hold_title, titles_around

__all__ = [
    "Rule",
    "dropped_letters",
    "fold_name",
    "fold_with",
    "holds_name",
    "name_words",
    "rules",
    "split_full_name",
    "split_usual_name",
    "without_remarks",
    "without_titles",
]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of ``rules.tsv``."""

    name: str
    scope: str  # all, surname or given
    needs: str  # a letter without which the pattern cannot match, or nothing
    pattern: re.Pattern[str]
    replacement: str
    example: str
    folded: str


@cache
def rules() -> tuple[Rule, ...]:
    """All rules in order."""
    return tuple(
        Rule(
            name=row["name"],
            scope=row["scope"],
            needs=row["needs"],
            pattern=re.compile(row["pattern"], re.ASCII),
            replacement=row["replacement"],
            example=row["example"],
            folded=row["folded"],
        )
        for row in read_table("rules.tsv")
    )


@cache
def _rules_for(given: bool) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules() if rule.scope in ("all", "given" if given else "surname"))


def fold_name(text: str, *, given: bool) -> str:
    """The folded words of a name in the order written; ``given`` is True for given names and patronymics.

    >>> fold_name("Щербаков", given=False), fold_name("Shcherbakov", given=False)
    ('werbakov', 'werbakov')
    >>> fold_name("Ю.П.", given=True)
    'i. p.'
    """
    return fold_with(_rules_for(given), text)


_STOP, _LONE = "\x01", "\x02"  # mark what was an initial; no input can contain them
MAYBE_INITIAL = re.compile(r"\.|(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
INITIAL = re.compile(r"(?<![^\W\d_])(?:([^\W\d_]{1,2}|shch|sch|dzh)\.|([^\W\d_])(?![^\W\d_]))", re.IGNORECASE)
FOLDED_INITIAL = re.compile(r"(?<![A-Za-z])([A-Za-z])[A-Za-z]*[.']|[.']", re.ASCII)


@cache
def _name_letters() -> dict[int, str]:
    """Code point to Latin letters: digits are not part of a name."""
    tables = letters()
    digits = {letter for letter, kind in tables.kinds.items() if kind == "digit"}
    plain = {code: "" if chr(code) in digits else latin for code, latin in tables.latin.items()}
    return plain | {ord(_STOP): ".", ord(_LONE): "' "}


@cache
def _apostrophes() -> dict[int, None]:
    return {ord(letter): None for letter, kind in letters().kinds.items() if kind == "apostrophe"}


def fold_with(chosen: Sequence[Rule], text: str) -> str:
    """Fold by these rules only; while they run, ``yu.`` is an initial and ``o'`` a single letter."""
    text = prepare(text, palochka=True)
    initials = MAYBE_INITIAL.search(text) is not None
    if initials:
        text = INITIAL.sub(_mark_initial, text.translate(_apostrophes()))
    text = text.translate(_name_letters())
    for rule in chosen:
        if rule.needs in text:
            text = rule.pattern.sub(rule.replacement, text)
    if initials:
        text = FOLDED_INITIAL.sub(lambda found: found[1] + ". " if found[1] else " ", text)
    return " ".join(text.lower().split())


def _mark_initial(found: re.Match[str]) -> str:
    return found[1] + _STOP + " " if found[1] else found[2] + _LONE


CHILD_OF = (
    r"о[гғ]л[ыиу]|[уў][гғ]ли|[уұ]лы|улу|уулу|[кқг][ыи]з[ыи]|o['’ʻ‘]?[gğ]['’ʻ‘]?h?l[yuiı]|ulu|uulu|uly|[kqg][yiı]z[yiı]"
)
PARTICLE = re.compile(CHILD_OF, re.IGNORECASE)
PATRONYMIC = re.compile(
    r"..+(?:[иі]ч|[оеиіїў]вна|[аеоя]ўна|[иі]чна|о[гғ]л[ыи]|[уұ]лы|[кқг]ызы|[vw][iy](?:t?s?ch|[čc])|[oeiy][vw]na|[aeoy]ŭna"
    r"|[yi]chna|il[iy]+t?ch|o[gğ]ly|uly|[kqg][yi]z[yi])"
    r"|(?:il['’]?l?[yj]?|luk|k[uo]z['’]?m|fom|khom|nik[iy]t|fok|sil|savv)[iy](?:t?s?ch|[čc])"
    rf"|.+[ -](?:{CHILD_OF})",
    re.IGNORECASE,
)
_PATRONYMIC_ENDS = frozenset("ичаыуhčayiıuИЧАЫУHČAYIIİU")  # the last letters of a patronymic: only saves time
INITIAL_WORD = re.compile(r"(?:[^\W\d_]{1,2}|shch|sch|dzh)\.|[^\W\d_]", re.IGNORECASE)
REMARK = re.compile(r"""\([^()]*\)?|\[[^][]*\]?|\{[^{}]*\}?|(?<![^\W\d_])(?:«[^«»]*»|[“„][^“”„]*[“”]|"[^"]*")""")
BEFORE_A_NAME = re.compile(r"[oоdд]['’ʼ`]", re.IGNORECASE)
_DASHES = "-‐‑‒–—―−"
_EDGES = _DASHES + ":;!?*/|+=_#"
_BRACKETS = str.maketrans(dict.fromkeys('()[]{}«»“„”"', " "))
_USUAL = re.compile(  # words in one script that begin with a capital; possessive, since there is one way to read them
    r"(?: *[А-ЯЁІЇЄҐ](?:\.|[А-Яа-яЁёІіЇїЄєҐґ]*+(?:-[А-Яа-яЁёІіЇїЄєҐґ]++)*+(?!\.)))*+"
    r"|(?: *[A-Z](?:\.|[A-Za-z]*+(?:-[A-Za-z]++)*+(?!\.)))*+"
)
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\u2135-\u2138\ufb1d-\ufefc]")  # Hebrew and Arabic letters and signs
_COMMAS = str.maketrans("،؛", ",;")
_MOST_WORDS = 64  # anything after them is not a name


@cache
def _particles() -> dict[str, str]:
    return {row["particle"]: row["joins"] for row in read_table("particles.tsv")}


def without_remarks(text: str) -> str:
    """A name without text in brackets or quotation marks, unless that is all there is.

    >>> without_remarks("Иванов(выбыл)"), without_remarks("«Иванов»")
    ('Иванов ', ' Иванов ')
    """
    kept = REMARK.sub(" ", text)
    return kept if any(map(str.isalpha, kept)) else text.translate(_BRACKETS)


def without_titles(text: str, *, whole: bool) -> str:
    """A name without the titles before and after it (``titles.tsv``), if a name is left.

    A title that is a surname too counts in lower case beside words that are not, beside a surname and a given name, or,
    in a cell that is not a ``whole`` name, beside any word. One of capitals must differ from the rest, or stand beside
    a name in three parts with a patronymic.

    >>> without_titles("Petr Miroedov III", whole=True), without_titles("ИП Мироедов Пётр Ильич", whole=True)
    ('Petr Miroedov', 'Мироедов Пётр Ильич')
    >>> without_titles("Доктор Иван Петрович", whole=True)
    'Доктор Иван Петрович'
    """
    for _ in range(_MOST_TITLES):
        if not may_hold_title(text):
            break
        rest = next((title.rest for title in titles_around(text) if _is_title(title, whole)), text)
        if rest == text:
            break
        text = rest
    return text


_MOST_TITLES = 8


def _is_title(title: Title, whole: bool) -> bool:
    words = name_words(title.rest)
    if all(len(word.rstrip(".")) < 2 for word in words):
        return False
    certain = title.written.islower() and not title.rest.islower()
    match title.needs:
        case "-" | "numeral":
            return True
        case "small":
            return certain
        case "capitals":
            full = len(words) > 2 and any(map(is_patronymic, words[1:]))
            return full or (not title.rest.isupper() and (not whole or _name_and_surname(words)))
        case _:
            return certain or not whole or _name_and_surname(words)


def _name_and_surname(words: Sequence[str]) -> bool:
    return holds_name(words) and (len(words) > 2 or not any(map(_is_initial, words)))


def is_patronymic(text: str) -> bool:
    """Whether it ends like a patronymic; some surnames do too."""
    return PATRONYMIC.fullmatch(text) is not None


def split_patronymic(text: str) -> tuple[str, str]:
    """Given names, and the patronymic behind them if there is one; the second of two initials is one.

    >>> split_patronymic("Пётр Ильич"), split_patronymic("Anna Maria"), split_patronymic("П.И.")
    (('Пётр', 'Ильич'), ('Anna Maria', ''), ('П.', 'И.'))
    """
    if " " not in text and "." not in text:
        return text, ""
    words = _words(without_remarks(text), surname=False)
    if len(words.plain) < 2 or not (is_patronymic(words.plain[-1]) or all(map(_is_initial, words.plain))):
        return text, ""
    return " ".join(words.written[:-1]), words.written[-1]


def split_full_name(text: str) -> tuple[str, str, str]:
    """Surname, given names and patronymic as written, from one cell.

    Titles (``without_titles``) and text in brackets or quotation marks are left out. Words are separated by white
    space, and a full stop ends one; ``оглы`` or ``кызы`` joins the word before it, a particle (``particles.tsv``) the
    word after it, a dash between spaces both. After words that already form a name, a number, a word in lower case, or
    a dash after a patronymic begins a remark, which is left out. The first rule that applies to the rest decides:

    1. a comma separates the surname from the rest; but after a name that is complete without it, it begins a remark;
    2. only initials: there is no surname;
    3. some words in capitals and some not: those in capitals are the surname;
    4. more than two words and a patronymic, but not after an initial: the word before it is the given name, all others
       the surname (Кара Мурза Иван Петрович, Роман Аркадьевич Абрамович);
    5. initials: the surname follows them, or precedes them (Петров Водкин К.С.);
    6. Arabic or Hebrew letters: the last word is the surname, with the particles before it (محمد بن سلمان), or the
       first if only that has an article (الحداد سامي);
    7. a particle shows the surname (Людвиг ван Бетховен, Sami Al-Haddad);
    8. the first word is the surname (Нгуен Ван Тхань).

    A patronymic is recognised by its ending, even with look-alike letters.

    >>> split_full_name("И.П. Иванов"), split_full_name("Роман Аркадьевич Абрамович")
    (('Иванов', 'И.', 'П.'), ('Абрамович', 'Роман', 'Аркадьевич'))
    """
    text = without_titles(text, whole=True)
    if (parts := split_usual_name(text)) is not None:
        return parts
    text, right_to_left = without_remarks(text), _RIGHT_TO_LEFT.search(text) is not None
    if right_to_left:
        text = close_up(text).translate(_COMMAS)
    before, comma, after = text.strip(" ,;").partition(",")
    words = _words(before)
    if comma and not after.lstrip()[:1].isdigit():
        rest = _words(after.replace(",", " "), surname=False)
        if rest.plain and not (holds_name(words.plain) and (_begins_remark(words, rest) or _whole(words.plain))):
            return _around_comma(words, rest)
    without_vowels = right_to_left and len(words.written) > 1 and all(map(_without_vowels, words.written))
    if without_vowels and not any(map(_is_initial, words.plain)):
        return _parts(words.written, *_given_first(words.plain))
    return _parts(words.written, *_parts_of(words.plain))


def split_usual_name(text: str) -> tuple[str, str, str] | None:
    """`split_full_name` of words in one script that begin with capitals, without titles, as most names are; else None.

    None also for words with an accent, in brackets, or that might belong to the next.
    """
    if not _USUAL.fullmatch(text):
        return None
    tokens = text.replace(".", ". ").split()
    if len(tokens) > _MOST_WORDS or [token for token in tokens if len(token) < 7 and _is_joined(token)]:
        return None
    return _parts(tokens, *_parts_of(tokens))


@dataclass(frozen=True)
class _Words:
    """Words as written and, for recognising them, each in one script."""

    written: list[str]
    plain: list[str]


def _parts(
    written: list[str], surname: Sequence[int], given: Sequence[int], patronymic: Sequence[int]
) -> tuple[str, str, str]:
    return (
        " ".join([written[index] for index in surname]),
        " ".join([written[index] for index in given]),
        " ".join([written[index] for index in patronymic]),
    )


def holds_name(words: Sequence[str]) -> bool:
    """Whether these are a surname and at least one given name or initial; ``Иван Иванович`` and ``И. И.`` are not."""
    if len(words) < 2 or all(map(_is_initial, words)):
        return False
    return len(words) > 2 or not is_patronymic(words[1])


def name_words(text: str) -> list[str]:
    """The words of a name, for recognising it: each in one script, initials separate, remarks left out."""
    return _words(without_remarks(text).replace(",", " ")).plain


def _words(text: str, *, surname: bool = True) -> _Words:
    """Words with initials separate, what belongs together joined, and remarks left out; ``surname`` says whether a
    surname should be among them."""
    words = _Words([], [])
    written, plain = words.written, words.plain
    glue: str | None = None  # joins the last word and the next
    lost = ""  # letters in no table; they are kept with the next word, to be counted
    for token in text.replace(".", ". ").split()[:_MOST_WORDS]:
        bare = token.strip(_EDGES)
        clean = prepare(bare, palochka=True)
        if not _is_initial(clean):
            clean = clean.rstrip(".")
        dashed = token[0] in _DASHES and plain != []
        enough = holds_name(plain) if surname else plain != []
        child = plain != [] and PARTICLE.fullmatch(clean) is not None
        if enough and not child and (_is_number(clean) or _is_small(clean, plain)):
            break
        if dashed and not child and enough and _ends_name(plain[-1]) and not _is_initial(clean):
            break
        if dashed and glue is None and not _is_initial(plain[-1]):
            glue = "-"
        if not any(map(str.isalpha, clean)):
            lost += bare + " " if any(map(str.isalpha, bare)) else ""
            continue
        if plain and (child or glue is not None):
            between = " " if glue is None else glue
            written[-1] += between + lost + bare
            plain[-1] += between + clean
        else:
            written.append(lost + bare)
            plain.append(clean)
        glue, lost = None, ""
        if BEFORE_A_NAME.fullmatch(bare):
            glue = ""
        elif token[-1] in _DASHES and not _is_initial(clean):
            glue = "-"
    if lost and written:
        written[-1] += " " + lost.rstrip()
    return _with_particles(words)


def _ends_name(word: str) -> bool:
    return is_patronymic(word) or _is_initial(word)


def _is_initial(word: str) -> bool:
    return INITIAL_WORD.fullmatch(word) is not None


def _is_joined(word: str) -> bool:
    return word.lower() in _particles() or PARTICLE.fullmatch(word) is not None


def _is_number(word: str) -> bool:
    return word[:1].isdigit() and not word[1:2].isalpha()


def _is_small(word: str, before: Sequence[str]) -> bool:
    """A word in lower case after words that are not, and not part of a name."""
    return (
        word.islower()
        and not before[0].islower()
        and not _is_initial(word)
        and not is_patronymic(word)
        and word not in _particles()
    )


def _with_particles(words: _Words) -> _Words:
    """Particles joined to the word after them: those in lower case, then others if a name is left."""
    for certain in (True, False):
        joined = _join_particles(words, certain)
        if joined is not words and (certain or holds_name(joined.plain)):
            words = joined
    return words


def _join_particles(words: _Words, certain: bool) -> _Words:
    written: list[str] = []
    plain: list[str] = []
    begin = 0  # index of the first particle before this word
    for index, word in enumerate(words.plain):
        if word.lower() in _particles() and index + 1 < len(words.plain):
            continue
        run = words.plain[begin:index]
        if certain:
            joins = any(map(str.islower, run)) and not word.islower()
        else:
            joins = any(_particles()[particle.lower()] == "always" for particle in run)
        if joins and not _is_initial(word):
            written.append(" ".join(words.written[begin : index + 1]))
            plain.append(" ".join(words.plain[begin : index + 1]))
        else:
            written += words.written[begin : index + 1]
            plain += words.plain[begin : index + 1]
        begin = index + 1
    return _Words(written, plain)


def _has_particle(word: str) -> bool:
    """Whether a particle was joined to it, or is with a hyphen (``Al-Haddad``) and can be nothing else."""
    first, space, _ = word.partition(" ")
    if space:
        return first.lower() in _particles()
    first, hyphen, _ = word.partition("-")
    return hyphen != "" and _particles().get(first.lower()) == "always"


def _whole(words: Sequence[str]) -> bool:
    """Whether a name is complete: it has a patronymic or two initials."""
    initials = sum(_is_initial(word) for word in words)
    return initials > 1 or (len(words) > 2 and any(map(is_patronymic, words[1:])))


def _begins_remark(words: _Words, rest: _Words) -> bool:
    first = rest.plain[0]
    return first.islower() and not words.plain[0].islower() and first.split(" ")[0] not in _particles()


def _around_comma(surname: _Words, rest: _Words) -> tuple[str, str, str]:
    """``Иванов, Иван Петрович``; the particles of ``Berg, Jan van der`` go to the surname."""
    end = len(rest.plain)
    while end > 1 and rest.plain[end - 1] in _particles():
        end -= 1
    given, patronymic = _given_and_patronymic(rest.plain, range(end))
    whole = rest.written[end:] + surname.written
    return " ".join(whole), *_parts(rest.written, (), given, patronymic)[1:]


def _parts_of(words: Sequence[str]) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """The indices of surname, given names and patronymic among the words: rules 2 to 7."""
    every = range(len(words))
    initials = [i for i in every if (words[i][-1] == "." or len(words[i]) == 1) and _is_initial(words[i])]
    if len(initials) == len(words):
        return ((), *_given_and_patronymic(words, every))
    capitals = [i for i in every if words[i].isupper() or (" " in words[i] and _in_capitals(words[i]))]
    if capitals:
        capitals = [i for i in capitals if i not in initials]
        if 0 < len(capitals) < len(words) - len(initials):
            return (capitals, *_given_and_patronymic(words, [i for i in every if i not in capitals]))
    if len(words) > 2:
        for i in every[1:]:
            if words[i][-1] in _PATRONYMIC_ENDS and is_patronymic(words[i]) and i - 1 not in initials:
                return [*every[: i - 1], *every[i + 1 :]], (i - 1,), (i,)
    if initials:
        last = initials[-1] + 1
        if last < len(words):
            return (every[last:], *_given_and_patronymic(words, every[:last]))
        end = 1 if len(initials) == 1 else len(words) - len(initials)
        return (every[:end], *_given_and_patronymic(words, every[end:]))
    surname = max((i for i in every if _has_particle(words[i])), default=0)
    return (surname,), [i for i in every if i != surname], ()


def _without_vowels(word: str) -> bool:
    kinds = letters().kinds
    return next((kinds[letter] for letter in word if letter in kinds), "") in WITHOUT_VOWELS


def _given_first(words: Sequence[str]) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """The indices of surname and given names in Arabic and Hebrew."""
    if _has_particle(words[0]) and not any(map(_has_particle, words[1:])):
        return (0,), range(1, len(words)), ()
    begin = len(words) - 1
    while begin > 1 and words[begin - 1].lower() in _particles():
        begin -= 1
    return range(begin, len(words)), range(begin), ()


def _in_capitals(word: str) -> bool:
    return _has_particle(word) and word.rpartition(" ")[2].isupper()


def _given_and_patronymic(words: Sequence[str], indices: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    if len(indices) > 1:
        last = words[indices[-1]]
        if _ends_name(last):
            return indices[:-1], indices[-1:]
    return indices, ()
