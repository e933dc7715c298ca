"""The sentences of the page, from ``words/*.toml``, with numbers and plurals as each language writes them.

All figures are formatted here, so the sentence, the table and the alternative text of a plot cannot disagree. A
share is never shown as 0% or 100% unless it is exactly that.
"""

from __future__ import annotations

import importlib.resources
import string
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from pprl.core.errors import FileError
from pprl.report.fields import Estimate, Number

LANGUAGES = ("en", "ru")
LONGEST = 200  # characters of a label in a table
NARROW = "\N{NO-BREAK SPACE}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DIRECTION = frozenset("\u061c\u200e\u200f\u2028\u2029\ufeff")


class Words(string.Formatter):
    """The sentences of one language, by key: ``words("first.chance", n=8)``."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise FileError("no such language of reports", hint="one of " + ", ".join(LANGUAGES))
        self.language = language
        source = importlib.resources.files("pprl.report").joinpath(f"words/{language}.toml")
        self._tables: dict[str, dict[str, Any]] = tomllib.loads(source.read_text(encoding="utf-8"))

    @property
    def nouns(self) -> Mapping[str, Sequence[str]]:
        return self._tables["nouns"]

    def sentences(self) -> dict[str, str]:
        """Every sentence under its key."""
        return {
            f"{part}.{name}": text
            for part, table in self._tables.items()
            if part != "nouns"
            for name, text in table.items()
        }

    def has(self, key: str) -> bool:
        part, _, name = key.partition(".")
        return name in self._tables.get(part, {})

    def __call__(self, key: str, /, **values: str | Number) -> str:
        part, _, name = key.partition(".")
        text: str = self._tables[part][name]
        return self.vformat(text, (), values)

    def reason(self, code: str) -> str:
        """The sentence for what held a verdict back; the code itself where there is none."""
        if code != "other" and self.has(f"reason.{code}"):
            return self(f"reason.{code}")
        return self("reason.other", code=self.label(code, 60))

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str):
            return value
        if format_spec == "percent":
            return self.percent(value)
        if not format_spec:
            return self.number(value)
        noun = self._form(value, self.nouns[format_spec.removesuffix("~")])
        return noun if format_spec.endswith("~") else f"{self.number(value)}{NARROW}{noun}"

    def _form(self, value: Number, forms: Sequence[str]) -> str:
        """The form of a noun that goes with a number. English has two, Russian three and one for fractions."""
        if self.language != "ru":
            return forms[0] if value == 1 else forms[1]
        if value != int(value):
            return forms[3]
        ones, tens = abs(int(value)) % 10, abs(int(value)) // 10 % 10
        if tens == 1 or ones == 0 or ones > 4:
            return forms[2]
        return forms[0] if ones == 1 else forms[1]

    def number(self, value: Number, places: int | None = None) -> str:
        """Grouped in thousands; a fraction with one decimal, or as many as are asked for.

        >>> Words("en").number(1010), Words("ru").number(1010.5), Words("en").number(-2)
        ('1,010', '1\\xa0010,5', '−2')
        """
        if places is None:
            places = 0 if value == int(value) else 1
        text = f"{abs(value):,.{places}f}"
        minus = "−" if value < 0 and text.strip("0.") else ""
        separators = {",": self("number.thousands"), ".": self("number.decimal")}
        return minus + "".join(separators.get(letter, letter) for letter in text)

    def percent(self, share: Number, places: int | None = None) -> str:
        """A share between 0 and 1 as a percentage, which is 0 or 100 only if the share is exactly 0 or 1."""
        if places is None:
            places = 0 if abs(100 * share - round(100 * share)) < 1e-9 else 1
        shown = f"{100 * share:.{places}f}"
        step = 10.0**-places
        if 0 < share < 1 and float(shown) in (0, 100):
            return (
                self("number.below", n=self._percent(step, places))
                if float(shown) == 0
                else self("number.above", n=self._percent(100 - step, places))
            )
        return self._percent(float(shown), places)

    def _percent(self, value: float, places: int) -> str:
        return self("number.percent", n=self.number(value, places))

    def share(self, count: Number | None, of: Number | None, base: int) -> str:
        """``count`` of ``of`` as a percentage. Of rounded counts, none and all are bounds; decimals would be noise."""
        if count is None or not of:
            return self("word.unknown")
        if base > 1 and (count <= 0 or count >= of):
            half = min(0.5, base / 2 / of)
            key, bound = ("number.below", half) if count <= 0 else ("number.above", 1 - half)
            return self(key, n=self._percent(100 * bound, 0 if half >= 0.01 else 1))
        return self.percent(min(1, max(0, count / of)), 0 if base > 1 and count / of >= 0.1 else None)

    def similarity(self, value: Number) -> str:
        return self.number(value, 3)

    def interval(self, estimate: Estimate) -> str:
        """The interval as a table shows it; where an end is negative, a dash would look like a minus."""
        if estimate.low is None or estimate.high is None:
            return ""
        key = "number.range" if estimate.low < 0 else "number.dash"
        return self(key, low=estimate.low, high=estimate.high)

    def p(self, p: str | Number) -> str:
        """``p < .001``, or an exact value with two significant digits.

        >>> Words("ru").p("<.001"), Words("en").p(0.0000312), Words("en").p(0.25)
        ('p\\xa0<\\xa00,001', 'p\\xa0=\\xa03.1\\xa0×\\xa010⁻⁵', 'p\\xa0=\\xa00.25')
        """
        decimal = self("number.decimal")
        if isinstance(p, str):
            sign = {"<": "<", ">": "≥"}[p[0]]
            text = f"p {sign} {self('number.zero')}{decimal}{p.rpartition('.')[2]}"
        elif 0 < p < 0.001:
            digits, _, power = f"{p:.1e}".partition("e")
            text = f"p = {digits.replace('.', decimal)} × 10{str(int(power)).translate(_SUPERSCRIPTS)}"
        else:
            text = "p = " + f"{p:.2g}".replace(".", decimal)
        return text.replace(" ", NARROW)

    def label(self, text: str | None, longest: int = LONGEST) -> str:
        """A text from outside, cut where it is too long; None is for people without a value."""
        if text is None:
            return self("word.without")
        shown = visible(text[:longest]) or "∅"
        return self("word.cut", text=shown, n=len(text)) if len(text) > longest else shown


def visible(text: str) -> str:
    """The text with nothing hidden: marks that reverse the line or cannot be printed are shown as their numbers.

    >>> visible("a\\u202eb\\n")
    'a[U+202E]b[U+000A]'
    """
    return "".join(
        f"[U+{ord(letter):04X}]"
        if letter in _DIRECTION
        or unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn")
        or unicodedata.bidirectional(letter) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        else letter
        for letter in text
    ).strip()
