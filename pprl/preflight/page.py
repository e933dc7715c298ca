"""What the owner reads of an examination: sentences that the terminal and the page share, and the page itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pprl
from pprl.core.intervals import wilson
from pprl.preflight.attacks.finding import Finding
from pprl.preflight.examine import FALLEN, Examination, Hardened
from pprl.report import fill, plots
from pprl.report.layout import Column, Figure, Section, Table
from pprl.report.text import Words

SAY = Words("en")
NOT_SAID = (
    "That no attack tried here succeeds does not mean that none would. What was tried stands below, with what the "
    "attacker must have.",
    "Known pairs are pairs of a person and an encoding. They come from whoever can place people on the roster, from "
    "what is published of single people, or from another attack.",
    "The figures are of people like those of this roster and of keys drawn for the purpose, not of your key: one key "
    "is "
    "as good as another.",
    "Whoever holds the linkage key and the encodings needs no attack.",
)
LIMITS = {
    "fill": ("share of bits set", "far from a half, a bit that is set speaks of few tokens"),
    "fill_spread": ("its spread over people", "wide means that a row's weight tells people apart"),
    "gini": ("Gini of the bits' frequencies", "0 is even; XOR-folded filters are even too, and fall to known pairs"),
    "divergence": ("Jensen-Shannon, bits", "as Gini: even is necessary and not enough"),
    "weight_tells_length": ("weight against length", "0: the weight of a row tells nothing of how long its names are"),
    "likeness_leaks": ("likeness that shows", "1: who is like whom shows as in clear, which graph matching lives on"),
    "likeness_of_strangers_leaks": ("the same of strangers", "what is left of it between people who share little"),
}


def share(value: float) -> str:
    return SAY.percent(value, 1)


def interval(one: Finding) -> str:
    low, high = one.interval
    return f"{share(low)} to {share(high)}"


def headline(found: Examination) -> str:
    """The known-pairs attack on the agreed scheme, in a sentence."""
    agreed = found.as_agreed
    ladder, at = agreed.ladder(), agreed.falls_at()
    if at is None:
        last = ladder[-1]
        return f"No attack tried here succeeded at m ≤ {last.known:,}, n = {last.attacked:,} (5% named)"
    fallen = agreed.strongest(at)
    return f"Whoever knows {at:,} pairs names {share(fallen.rate)} of the others"


def answer(found: Examination) -> list[str]:
    """What follows for the agreed hardening, a sentence each."""
    agreed = found.as_agreed
    said = []
    ladder, at = agreed.ladder(), agreed.falls_at()
    before = [one for one in ladder if at is None or (one.known or 0) < at]
    if at is not None and before:
        said.append(
            f"With {before[-1].known:,} known pairs no attack tried here succeeded in naming 5%: "
            f"{share(before[-1].rate)} of {before[-1].attacked:,} people were named ({interval(before[-1])})."
        )
    top = ladder[-1]
    said.append(
        f"With {top.known:,} known pairs {share(top.rate)} are named ({interval(top)}), and "
        f"{share((top.top_ten or 0) / top.attacked)} are among the first ten of {top.candidates:,} candidates."
    )
    if graph := agreed.graph_matching:
        said.append(
            f"Whoever holds all {graph.attacked:,} people in clear and no pair names {share(graph.rate)} by "
            "graph "
            f"matching ({interval(graph)}); a lower bound."
        )
    if key := found.dictionary:
        said.append(f"Whoever has the key as well names {share(key.rate)}, whatever the hardening.")
    return said


def glance_lines(found: Examination) -> list[str]:
    """The cheap part in two lines, for a terminal."""
    seen, again = found.as_agreed.indicators, found.repeats
    first = (
        f"t = {found.agreed}: {share(seen.fill)} of the bits set; likeness of people shows by "
        f"{_plain(seen.likeness_leaks)}, length of names by {_plain(seen.weight_tells_length)} (0 not at all, 1 wholly)"
    )
    shared = again.rows - again.alone
    second = (
        f"{shared:,} of {again.rows:,} rows share their encoding with another"
        if shared
        else f"no two of {again.rows:,} rows share an encoding"
    )
    if found.strata:
        lonely = max(found.strata, key=lambda cell: (cell.alone, len(cell.strata)))
        second += f"; {lonely.alone:,} stand alone in their cell of {' × '.join(lonely.strata)}"
    return [first, second]


def table_rows(found: Examination) -> list[tuple[str, list[str]]]:
    """Price and gain, a line each, with one cell for each hardening."""
    known = [one.known or 0 for one in found.hardened[0].ladder()]
    lines = [
        (f"named with {each:,} known pairs", [share(here.strongest(each).rate) for here in found.hardened])
        for each in known
    ]
    lines.append(("pairs with which 5% are named", [_falls(here) for here in found.hardened]))
    lines.append(("named by graph matching", [_rate(here.graph_matching) for here in found.hardened]))
    lines.append(
        (
            "found again in a registry",
            [share(here.found_again.rate) if here.found_again else "–" for here in found.hardened],
        )
    )
    return lines


def _falls(here: Hardened) -> str:
    at = here.falls_at()
    return f"{at:,}" if at else f"over {here.ladder()[-1].known:,}"


def _rate(one: Finding | None) -> str:
    return share(one.rate) if one else "–"


def _plain(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


@dataclass(frozen=True)
class Page:
    language: str
    title: str
    kicker: str
    figures_note: str
    headline: str
    big: str
    big_label: str
    big_note: str
    answer: Sequence[str]
    not_said: Sequence[str]
    sections: Sequence[Section]
    made: str


def render(found: Examination) -> str:
    """The page as HTML: one file that loads nothing and runs no script."""
    agreed = found.as_agreed
    at = agreed.falls_at()
    shown = agreed.strongest(at) if at else agreed.ladder()[-1]
    page = Page(
        language="en",
        title="What these encodings give away",
        kicker="What these encodings give away",
        figures_note="Exact figures about your own roster: this page is for you, and not for publication.",
        headline=headline(found),
        big=f"{at:,}" if at else f"> {shown.known:,}",
        big_label=f"known pairs, with which {SAY.percent(FALLEN)} of the others are named; t = {found.agreed}, as "
        "agreed",
        big_note=f"{share(shown.rate)} of {shown.attacked:,} people with {shown.known:,} pairs, 95% interval "
        f"{interval(shown)}",
        answer=answer(found),
        not_said=NOT_SAID,
        sections=[
            _side_by_side(found),
            _known_pairs(found),
            _graph(found),
            _equal(found),
            _key(found),
            _indicators(found),
            *([_strata(found)] if found.strata else []),
            _method(found),
        ],
        made=f"Made by pprl {pprl.__version__} on this machine; the page loads nothing and runs no script.",
    )
    return fill("risk.html", page, SAY)


def _heads(found: Examination, first: str) -> tuple[Column, ...]:
    named = [f"t = {here.hardening}" + (", agreed" if here is found.as_agreed else "") for here in found.hardened]
    return Column(first, ""), *(Column(name, "n") for name in named)


def _side_by_side(found: Examination) -> Section:
    price = found.as_agreed.found_again
    rows = tuple((name, *cells) for name, cells in table_rows(found))
    text = (
        "Each column is one hardening: t bits of the filter are mixed into each published bit, and t = 0 hardens "
        "nothing. "
        "Both owners must agree on t, since it decides the encodings.",
    )
    notes: tuple[str, ...] = ()
    if price:
        notes = (
            f"Found again: {price.present:,} people of the roster stand in an invented registry of {price.rows:,}, as "
            "another hand writes them (one word of ten mistyped, one of fifty in another romanisation); these are "
            "paired "
            "with themselves at the schema's false-match rate.",
        )
    table = Table("Price and gain side by side", _heads(found, "what"), rows)
    return Section("gain", "Price and gain side by side", text, None, (table,), notes)


def _known_pairs(found: Examination) -> Section:
    lines = [
        plots.Line(
            f"t = {here.hardening}",
            [(one.known or 0, one.rate, *one.interval) for one in here.ladder()],
            here is found.as_agreed,
        )
        for here in found.hardened
    ]
    plot = plots.ladder(lines, percent=SAY.percent, number=SAY.number, axis="known pairs")
    agreed = found.as_agreed
    alt = "Share of people named, over known pairs. " + " ".join(
        f"t = {here.hardening}: " + ", ".join(f"{share(one.rate)} with {one.known:,}" for one in here.ladder()) + "."
        for here in found.hardened
    )
    heads = (Column("known pairs", ""), *(Column(name, "n") for name in ("first", "95%", "in the first ten")))
    shown = Table(
        f"t = {agreed.hardening}, as agreed: named of {agreed.ladder()[0].attacked:,}",
        heads,
        tuple(
            (
                f"{one.known:,}",
                share(one.rate),
                interval(one),
                share((one.top_ten or 0) / one.attacked),
            )
            for one in agreed.ladder()
        ),
    )
    each = Table(
        "Every attack by itself: named first",
        (Column("known pairs", ""), *(Column(f"t = {here.hardening}", "n") for here in found.hardened)),
        tuple(
            (
                f"{one.known:,}: {one.tried.partition(';')[0]}",
                *(share(here.known_pairs[at].rate) for here in found.hardened),
            )
            for at, one in enumerate(agreed.known_pairs)
        ),
        fold=True,
    )
    first = agreed.ladder()[0]
    return Section(
        "known",
        "Known pairs",
        (
            f"The attacker {first.assumes.partition(', and of')[0]} and of some people which encodings are theirs. "
            "He has "
            f"no key. The others, {first.attacked:,} people, are looked for among {first.candidates:,}"
            f"{'' if found.population else ' – the roster itself, for want of a population'}.",
        ),
        Figure(plot, alt),
        (shown, each),
        ("Shaded: 95% interval of the share. The strongest of three attacks is shown; the others stand in the table.",),
    )


def _graph(found: Examination) -> Section:
    return _finding_section("graph", "Graph matching, a lower bound", found, lambda here: here.graph_matching)


def _finding_section(key: str, head: str, found: Examination, pick: Callable[[Hardened], Finding | None]) -> Section:
    one = pick(found.as_agreed)
    assert one is not None
    cells = [pick(here) for here in found.hardened]
    rows = (
        (f"named, of {one.attacked:,}", *(_rate(cell) for cell in cells)),
        ("95%", *(interval(cell) if cell else "–" for cell in cells)),
    )
    return Section(
        key,
        head,
        (f"The attacker {one.assumes}.", f"Tried: {one.tried}."),
        None,
        (Table(head, _heads(found, "what"), rows),),
        (f"Source: {one.source}.",),
    )


def _equal(found: Examination) -> Section:
    again, one = found.repeats, found.frequency
    assert one is not None
    facts = (
        ("rows with an encoding of their own", f"{again.alone:,} of {again.rows:,}"),
        ("largest group with one encoding", f"{again.largest:,}"),
        ("k of k-anonymity", f"{again.smallest_class:,}"),
        ("named by frequency alignment", f"{share(one.rate)} ({interval(one)})"),
    )
    table = Table("Equal encodings", (Column("figure", ""), Column("value", "v")), facts)
    text = (
        "People whose linked values are equal get equal encodings, under every hardening, and how often an encoding "
        "occurs "
        "is the oldest way in. k-anonymity says how few share theirs: where k is 1, an encoding stands for one person.",
        f"The attacker {one.assumes}. Tried: {one.tried}.",
    )
    return Section("equal", "Equal encodings", text, None, (table,), (f"Source: {one.source}.",))


def _key(found: Examination) -> Section:
    one = found.dictionary
    assert one is not None
    facts = (("named", f"{share(one.rate)} ({interval(one)})"), ("people", f"{one.attacked:,}"))
    text = (
        f"The attacker {one.assumes}. Tried: {one.tried}. It works for every encoding that two owners can compare: "
        "the key "
        "is all that stands between encodings and names, and hardening does not change it.",
    )
    table = Table("If the key leaks", (Column("figure", ""), Column("value", "v")), facts)
    return Section("key", "If the key leaks", text, None, (table,))


def _indicators(found: Examination) -> Section:
    rows = tuple((name, *(_cell(key, here) for here in found.hardened)) for key, (name, _) in LIMITS.items())
    notes = tuple(f"{name[0].upper()}{name[1:]}: {limit}." for name, limit in LIMITS.values())
    text = ("What encodings show without an attack. Good figures here are necessary and not enough.",)
    return Section("indicators", "Indicators", text, None, (Table("Indicators", _heads(found, "what"), rows),), notes)


def _cell(key: str, here: Hardened) -> str:
    value: float = getattr(here.indicators, key)
    return share(value) if key.startswith("fill") else f"{value:.3f}".replace("-", "−")


def _strata(found: Examination) -> Section:
    heads = (Column("strata", ""), *(Column(name, "n") for name in ("cells", "people alone", "with fewer than ten")))
    rows = tuple(
        (" × ".join(cell.strata), f"{cell.cells:,}", f"{cell.alone:,}", f"{cell.few:,}") for cell in found.strata
    )
    text = (
        "Strata are not encoded, but results are told by them. Who is alone in a cell is told apart by it; reports "
        "round "
        "or hide small cells, and the exchange joins them before anything is revealed.",
    )
    return Section("strata", "Strata", text, None, (Table("People told apart by strata", heads, rows),))


def _method(found: Examination) -> Section:
    one = found.as_agreed.known_pairs[-1]
    low, high = wilson(0, one.attacked)
    facts = (
        ("rows with something to encode", f"{found.rows:,}"),
        ("different people, attacked or known", f"{found.people:,}"),
        ("population", f"{found.population:,}" if found.population else "none given"),
        ("candidates", f"{found.candidates:,}"),
        ("chance of a right name at random", f"1 in {one.candidates:,}"),
        (f"if none of {one.attacked:,} is named", f"95%: {share(low)} to {share(high)}"),
    )
    text = (
        "Keys are drawn for the attacks; your key is not read. Those whose pairs are known, and those who are "
        "attacked, "
        "are drawn from the roster, the same for each number of pairs and each hardening. People with equal linked "
        "values "
        "are one. Intervals (Wilson 1927) take people as independent.",
    )
    table = Table("What was attacked", (Column("figure", ""), Column("value", "v")), facts)
    return Section("method", "Method", text, None, (table,), (f"Known pairs: {one.source}.",))
