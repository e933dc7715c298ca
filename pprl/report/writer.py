"""Writes the figures of one record in the words of one language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pprl.report.fields import Estimate, Number, Plain
from pprl.report.layout import Column, Figure, Section, Table
from pprl.report.record import Record
from pprl.report.text import Words

#: Sections that say nothing where the test that comes first was not made, or is withheld.
ABOUT_MATCHES = ("scores", "rates", "strata", "confirm", "copy", "sensitivity", "complete")
#: Keys of the word tables that are sentences of a section, not names of parameters.
RESERVED = ("head", "lead", "none", "alt", "alt_choice", "axis", "here")


class Writer:
    """One record, and the words of one language for it."""

    def __init__(self, record: Record, words: Words) -> None:
        self.record, self.words = record, words

    def number(self, value: Number | None) -> str:
        return self.words("word.unknown") if value is None else self.words.number(value)

    def share(self, count: Number | None, of: Number | None) -> str:
        return self.words.share(count, of, self.record.base)

    def percent(self, share: Number | None) -> str:
        return self.words("word.unknown") if share is None else self.words.percent(share)

    def similarity(self, value: Number | None) -> str:
        return self.words("word.unknown") if value is None else self.words.similarity(value)

    def p(self, value: str | Number | None) -> str:
        return self.words("word.unknown") if value is None else self.words.p(value)

    def net(self, estimate: Estimate | None, missing: str = "word.unknown") -> str:
        if estimate is None:
            return self.words(missing)
        interval = self.words.interval(estimate)
        return self.number(estimate.value) + (f" ({interval})" if interval else "")

    def plain(self, value: Plain) -> str:
        if value is None:
            return self.words("word.none")
        if isinstance(value, bool):
            return self.words("word.yes" if value else "word.no")
        return self.words.label(value) if isinstance(value, str) else self.exactly(value)

    def exactly(self, value: Number) -> str:
        """A parameter as it was set: .05 is .05."""
        text = f"{value:.6g}" if isinstance(value, float) and value != int(value) else self.words.number(value)
        return text.replace(".", self.words("number.decimal")) if isinstance(value, float) else text

    def setting(self, name: str, value: Plain) -> str:
        """The value of a parameter: a share, one of the words for it, or as it is."""
        if name == "false_match_rate" and isinstance(value, float) and 0 <= value <= 1:
            return self.words.percent(value)
        word = f"choice.{value}"
        return self.words(word) if isinstance(value, str) and self.words.has(word) else self.plain(value)

    def name(self, table: str, name: str) -> str:
        """The word for a parameter or choice, or its own name where there is none."""
        key = f"{table}.{name}"
        return self.words(key) if name not in RESERVED and self.words.has(key) else self.words.label(name)

    def columns(self, *names: str) -> tuple[Column, ...]:
        return tuple(
            Column(self.words(f"col.{name}"), "" if not index else "v" if name == "value" else "n")
            for index, name in enumerate(names)
        )

    def section(
        self,
        key: str,
        text: Iterable[str] = (),
        figure: Figure | None = None,
        tables: Sequence[Table] = (),
        notes: Iterable[str] = (),
    ) -> Section:
        head = self.words(f"{key}.head")
        return Section(key=key, head=head, text=tuple(text), figure=figure, tables=tuple(tables), notes=tuple(notes))

    def nothing(self, key: str) -> Section:
        """A section that only says that nothing was asked for, or that nothing can be said about matches."""
        untold = self.record.verdict.rung is None and self.record.headline.p is None and key in ABOUT_MATCHES
        return self.section(key, [self.words("word.untold" if untold else f"{key}.none")])
