"""What a page is made of: sections with sentences, tables, and plots with a description. Templates lay it out."""

from __future__ import annotations

from dataclasses import dataclass

from pprl.report.plots import Plot


@dataclass(frozen=True)
class Column:
    """``kind`` is a class of the style sheet: n for figures, v for values that may be long, none for names."""

    head: str
    kind: str


@dataclass(frozen=True)
class Table:
    """The first cell of a row names it. ``fold``: the table is hidden until a reader opens it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    fold: bool = False

    @property
    def facts(self) -> bool:
        """Rows of a name and a value need no visible heading."""
        return self.columns[-1].kind == "v"


@dataclass(frozen=True)
class Figure:
    plot: Plot
    alt: str


@dataclass(frozen=True)
class Section:
    key: str
    head: str
    text: tuple[str, ...] = ()
    figure: Figure | None = None
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rung:
    text: str
    state: str  # a key of [ladder]
    mark: str


@dataclass(frozen=True, kw_only=True)
class First:
    """The first screen: the answer in sentences, its one number, what chance gives, and what it does not prove."""

    rung: str
    big: str
    big_label: str
    interval: str
    found: tuple[str, ...]
    chance: tuple[str, ...]
    not_proved: tuple[str, ...]
    ladder: tuple[Rung, ...]
    ladder_note: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    language: str
    title: str
    subject: str
    exact: bool
    figures_note: str
    made: str
    first: First
    sections: tuple[Section, ...]
