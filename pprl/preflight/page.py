"""What the owner reads about the risk of their encodings: sentences for terminal and page, and the page itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pprl
from pprl.core.intervals import wilson
from pprl.preflight.attacks.result import SUCCESS, AttackResult
from pprl.preflight.risk import HardeningResult, RiskReport
from pprl.report import fill, plots
from pprl.report.layout import Column, Figure, Section, Table
from pprl.report.text import Words

WORDS = Words("en")
LIMITS_OF_THIS_PAGE = (
    "If no attack tried here succeeds, another one still might. What was tried is described below, with what the "
    "attacker needs for it.",
    "Known pairs are pairs of a person and an encoding. They come from anyone who can place people on the roster, from "
    "what is published about individuals, or from another attack.",
    "The figures are for people similar to those of this roster and for keys drawn for the purpose, not for your key: "
    "one key is as good as another.",
    "Anyone with the linkage key and the encodings needs no attack.",
)
#: What each indicator measures, and what it cannot say.
INDICATORS = {
    "fill": ("share of bits set", "far from a half, each set bit points to few tokens"),
    "fill_spread": ("its spread over people", "if wide, a row's number of set bits distinguishes people"),
    "gini": ("Gini of the bits' frequencies", "0 is even; XOR-folded filters are even too, and fall to known pairs"),
    "divergence": ("Jensen-Shannon, bits", "like Gini: evenness is necessary but not sufficient"),
    "length_leakage": ("name length leakage", "0: a row's number of set bits shows nothing about the length of names"),
    "similarity_leakage": ("similarity leakage", "1: similarities show as in clear, and graph matching relies on them"),
    "unrelated_similarity_leakage": ("the same for unrelated people", "what remains among people who share little"),
}


def share(value: float) -> str:
    return WORDS.percent(value, 1)


def interval(result: AttackResult) -> str:
    low, high = result.interval
    return f"{share(low)} to {share(high)}"


def headline(report: RiskReport) -> str:
    """What to choose, and why: the strongest attack by someone who knows few pairs, in a sentence."""
    agreed, worst = report.at_agreed, report.at_agreed.worst()
    named = f"{share(worst.rate)} of {worst.attacked:,} people were named by someone who {_needs(worst)}"
    if worst.rate < SUCCESS:
        return f"Keep {agreed.hardening}: at most {named}"
    for other in report.hardenings:
        if other.worst().rate < SUCCESS:
            return (
                f"Choose {other.hardening}, at most {share(other.worst().rate)} named: under {agreed.hardening} {named}"
            )
    return f"No parameter set protects these people, so keep both files in one hand or link another field: {named}"


def _needs(result: AttackResult) -> str:
    """What an attacker must have, for people who know nothing of encodings."""
    pairs = f"knows which encodings belong to {result.known:,} others" if result.known else ""
    if result.attack == "known pairs":
        return pairs
    if result.attack == "own spellings":
        return "has a list of them in all their spellings"
    people = "has a list of them and of as many others" if result.partial else "has a list of exactly these people"
    return f"{people} and {pairs}" if pairs else people


def answer(report: RiskReport) -> list[str]:
    """What follows for the agreed hardening, a sentence each."""
    agreed = report.at_agreed
    sentences = []
    ladder, fallen = agreed.ladder(), agreed.falls_at()
    before = [result for result in ladder if fallen is None or (result.known or 0) < fallen]
    if fallen is not None and before:
        sentences.append(
            f"With {before[-1].known:,} known pairs no attack tried here succeeded in naming 5%: "
            f"{share(before[-1].rate)} of {before[-1].attacked:,} people were named ({interval(before[-1])})."
        )
    top = ladder[-1]
    sentences.append(
        f"With {top.known:,} known pairs {share(top.rate)} are named ({interval(top)}), and "
        f"{share((top.top_ten or 0) / top.attacked)} are among the first ten of {top.candidates:,} candidates."
    )
    if graph := agreed.graph_matching:
        sentences.append(
            f"Anyone who holds all {graph.attacked:,} people in clear and no pair can name {share(graph.rate)} by "
            f"graph matching ({interval(graph)}); a lower bound."
        )
    if key := report.dictionary:
        sentences.append(f"Anyone who has the key as well can name {share(key.rate)}, whatever the hardening.")
    return sentences


def leakage_line(report: RiskReport) -> str:
    """What the agreed encodings show without an attack, in a line."""
    shown = report.at_agreed.indicators
    return (
        f"{report.agreed}: {share(shown.fill)} of the bits set; leakage (0 none, 1 full): "
        f"similarity {_plain(shown.similarity_leakage)}, name length {_plain(shown.length_leakage)}"
    )


def uniqueness_line(report: RiskReport) -> str:
    """Who shares an encoding, and who is alone in a cell of strata, in a line."""
    repeated = report.repeats
    shared = repeated.rows - repeated.alone
    line = (
        f"{shared:,} of {repeated.rows:,} rows share their encoding with another"
        if shared
        else f"no two of {repeated.rows:,} rows share an encoding"
    )
    if report.strata:
        worst = max(report.strata, key=lambda cell: (cell.alone, len(cell.strata)))
        people = "1 person is alone in its" if worst.alone == 1 else f"{worst.alone:,} people are alone in their"
        line += f"; {people} cell of {' × '.join(worst.strata)}"
    return line


def table_rows(report: RiskReport) -> list[tuple[str, list[str]]]:
    """Gain and cost, a row each, with one cell for each hardening."""
    known = [result.known or 0 for result in report.hardenings[0].ladder()]
    rows = [
        (f"named with {pairs:,} known pairs", [share(result.strongest(pairs).rate) for result in report.hardenings])
        for pairs in known
    ]
    rows.append(("pairs with which 5% are named", [_pairs_needed(result) for result in report.hardenings]))
    for index, (first, *_) in enumerate(zip(*(result.graph for result in report.hardenings), strict=True)):
        rows.append((_graph_name(first), [share(result.graph[index].rate) for result in report.hardenings]))
    if report.at_agreed.spellings:
        cells = [share(result.spellings.rate) if result.spellings else "–" for result in report.hardenings]
        rows.append(("named by their own spellings", cells))
    matched = [share(result.utility.rate) if result.utility else "–" for result in report.hardenings]
    rows.append(("still matched in a registry", matched))
    return rows


def _pairs_needed(result: HardeningResult) -> str:
    known = result.falls_at()
    return f"{known:,}" if known else f"over {result.ladder()[-1].known:,}"


def _graph_name(result: AttackResult) -> str:
    pairs = f", {result.known:,} known" if result.known else ""
    return f"named by graph matching{pairs}" + (", twice the people" if result.partial else "")


def _plain(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


@dataclass(frozen=True, kw_only=True)
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


def render(report: RiskReport) -> str:
    """The page as HTML: one file that loads nothing and runs no script."""
    agreed = report.at_agreed
    known = agreed.falls_at()
    shown = agreed.strongest(known) if known else agreed.ladder()[-1]
    page = Page(
        language="en",
        title="What these encodings give away",
        kicker="What these encodings give away",
        figures_note="Exact figures about your own roster: this page is for you, not for publication.",
        headline=headline(report),
        big=f"{known:,}" if known else f"> {shown.known:,}",
        big_label=f"known pairs are enough to name {WORDS.percent(SUCCESS)} of the others; {report.agreed}, as agreed",
        big_note=f"{share(shown.rate)} of {shown.attacked:,} people with {shown.known:,} pairs, 95% interval "
        f"{interval(shown)}",
        answer=answer(report),
        not_said=LIMITS_OF_THIS_PAGE,
        sections=_sections(report),
        made=f"Made by pprl {pprl.__version__} on this machine; the page loads nothing and runs no script.",
    )
    return fill("risk.html", page, WORDS)


def _sections(report: RiskReport) -> list[Section]:
    sections = [_side_by_side(report), _known_pairs(report)]
    if report.at_agreed.graph_matching:
        sections.append(_graph(report, report.at_agreed.graph_matching))
    if report.at_agreed.spellings:
        sections.append(_spellings(report, report.at_agreed.spellings))
    if report.frequency:
        sections.append(_equal(report, report.frequency))
    if report.dictionary:
        sections.append(_key(report.dictionary))
    sections.append(_indicators(report))
    if report.strata:
        sections.append(_strata(report))
    return [*sections, _method(report)]


def _heads(report: RiskReport, first: str) -> tuple[Column, ...]:
    heads = [result.hardening + (", agreed" if result is report.at_agreed else "") for result in report.hardenings]
    return Column(first, ""), *(Column(head, "n") for head in heads)


def _side_by_side(report: RiskReport) -> Section:
    rows = tuple((name, *cells) for name, cells in table_rows(report))
    text = (
        "Each column is one parameter set; plain means no hardening. Both owners must agree on it, since it decides "
        "the encodings.",
    )
    notes: tuple[str, ...] = ()
    if utility := report.at_agreed.utility:
        notes = (
            f"Still matched: {utility.present:,} people of the roster are in a synthetic registry of {utility.rows:,}, "
            "written as another office would write them (one word in ten mistyped, one in fifty in another "
            "romanisation); the share that is matched with themselves at the schema's false-match rate.",
        )
    table = Table("Gain and cost side by side", _heads(report, "what"), rows)
    return Section("gain", "Gain and cost side by side", text, None, (table,), notes)


def _known_pairs(report: RiskReport) -> Section:
    first = report.at_agreed.ladder()[0]
    population = "" if report.population else " – the roster itself, since no population was given"
    return Section(
        "known",
        "Known pairs",
        (
            f"The attacker {first.assumes.partition(', and which')[0]}, and knows which encodings belong to some "
            f"people, but has no key. The others, {first.attacked:,} people, are looked for among "
            f"{first.candidates:,}{population}.",
        ),
        _known_pairs_figure(report),
        (_strongest_attacks(report.at_agreed), _every_attack(report)),
        ("Shaded: 95% interval of the share. The strongest attack is shown; the table has the others.",),
    )


def _known_pairs_figure(report: RiskReport) -> Figure:
    lines = [
        plots.Line(
            result.hardening,
            [(attack.known or 0, attack.rate, *attack.interval) for attack in result.ladder()],
            result is report.at_agreed,
        )
        for result in report.hardenings
    ]
    plot = plots.ladder(lines, percent=WORDS.percent, number=WORDS.number, axis="known pairs")
    alt = "Share of people named, over known pairs. " + " ".join(
        f"{result.hardening}: "
        + ", ".join(f"{share(attack.rate)} with {attack.known:,}" for attack in result.ladder())
        + "."
        for result in report.hardenings
    )
    return Figure(plot, alt)


def _strongest_attacks(agreed: HardeningResult) -> Table:
    heads = (Column("known pairs", ""), *(Column(name, "n") for name in ("first", "95%", "in the first ten")))
    rows = tuple(
        (f"{attack.known:,}", share(attack.rate), interval(attack), share((attack.top_ten or 0) / attack.attacked))
        for attack in agreed.ladder()
    )
    return Table(f"{agreed.hardening}, as agreed: named of {agreed.ladder()[0].attacked:,}", heads, rows)


def _every_attack(report: RiskReport) -> Table:
    every = {(attack.known, attack.attack): attack for result in report.hardenings for attack in result.known_pairs}
    of_hardening = [{(each.known, each.attack): each for each in result.known_pairs} for result in report.hardenings]
    return Table(
        "Every attack by itself: named first",
        (Column("known pairs", ""), *(Column(result.hardening, "n") for result in report.hardenings)),
        tuple(
            (
                f"{known:,}: {attack.partition(', ')[2] or 'by single encodings'}",
                *(share(found[known, attack].rate) if (known, attack) in found else "–" for found in of_hardening),
            )
            for known, attack in sorted(every, key=lambda each: (each[0] or 0, each[1]))
        ),
        fold=True,
    )


def _graph(report: RiskReport, agreed: AttackResult) -> Section:
    head = "Graph matching, a lower bound"
    rows = []
    for index, first in enumerate(report.at_agreed.graph):
        results = [result.graph[index] for result in report.hardenings]
        rows += [
            (f"{_graph_name(first)}, of {first.attacked:,}", *(share(result.rate) for result in results)),
            ("95%", *(interval(result) for result in results)),
        ]
    return Section(
        "graph",
        head,
        (
            f"The attacker {agreed.assumes}.",
            "With known pairs they also know which encodings belong to some of these people. Twice the people: only "
            "half of the people whom they have in clear were encoded, and they do not know which.",
            f"Tried: {agreed.tried}.",
        ),
        None,
        (Table(head, _heads(report, "what"), tuple(rows)),),
        (f"Source: {agreed.source}.",),
    )


def _spellings(report: RiskReport, agreed: AttackResult) -> Section:
    text = (
        f"The attacker {agreed.assumes}. Tried: {agreed.tried}.",
        "In a list that is encoded, spellings that agree are left out unless the set is plain; how many people keep "
        "several is the number in brackets.",
    )
    found = [result.spellings for result in report.hardenings]
    rows = (
        ("named", *(f"{share(each.rate)} ({each.attacked:,})" if each else "– (0)" for each in found)),
        ("95%", *(interval(each) if each else "–" for each in found)),
    )
    table = Table("Several spellings", _heads(report, "what"), rows)
    return Section("spellings", "Several spellings", text, None, (table,), (f"Source: {agreed.source}.",))


def _equal(report: RiskReport, frequency: AttackResult) -> Section:
    repeated = report.repeats
    facts = (
        ("rows with an encoding of their own", f"{repeated.alone:,} of {repeated.rows:,}"),
        ("largest group with one encoding", f"{repeated.largest:,}"),
        ("k of k-anonymity", f"{repeated.smallest_class:,}"),
        ("named by frequency alignment", f"{share(frequency.rate)} ({interval(frequency)})"),
    )
    table = Table("Equal encodings", (Column("figure", ""), Column("value", "v")), facts)
    text = (
        "People with equal linked values get equal encodings, whatever the hardening, and how often an encoding occurs "
        "is the oldest way in. k-anonymity says how few share one: where k is 1, some encoding belongs to one person.",
        f"The attacker {frequency.assumes}. Tried: {frequency.tried}.",
    )
    return Section("equal", "Equal encodings", text, None, (table,), (f"Source: {frequency.source}.",))


def _key(result: AttackResult) -> Section:
    facts = (("named", f"{share(result.rate)} ({interval(result)})"), ("people", f"{result.attacked:,}"))
    text = (
        f"The attacker {result.assumes}. Tried: {result.tried}. It works for every encoding that two owners can "
        "compare: the key is all that protects the names behind the encodings, and hardening does not change that.",
    )
    table = Table("If the key leaks", (Column("figure", ""), Column("value", "v")), facts)
    return Section("key", "If the key leaks", text, None, (table,))


def _indicators(report: RiskReport) -> Section:
    rows = tuple((name, *(_cell(key, result) for result in report.hardenings)) for key, (name, _) in INDICATORS.items())
    notes = tuple(f"{name[0].upper()}{name[1:]}: {limit}." for name, limit in INDICATORS.values())
    text = ("What encodings show without an attack. Good figures here are necessary but not sufficient.",)
    return Section("indicators", "Indicators", text, None, (Table("Indicators", _heads(report, "what"), rows),), notes)


def _cell(key: str, result: HardeningResult) -> str:
    value: float = getattr(result.indicators, key)
    return share(value) if key.startswith("fill") else f"{value:.3f}".replace("-", "−")


def _strata(report: RiskReport) -> Section:
    heads = (Column("strata", ""), *(Column(name, "n") for name in ("cells", "people alone", "with fewer than ten")))
    rows = tuple(
        (" × ".join(cell.strata), f"{cell.cells:,}", f"{cell.alone:,}", f"{cell.few:,}") for cell in report.strata
    )
    text = (
        "Strata are not encoded, but results are broken down by them. A person alone in a cell can be singled out; "
        "reports round or hide small cells, and the exchange merges them before anything is revealed.",
    )
    return Section("strata", "Strata", text, None, (Table("People singled out by strata", heads, rows),))


def _method(report: RiskReport) -> Section:
    attack = report.at_agreed.known_pairs[-1]
    low, high = wilson(0, attack.attacked)
    facts = (
        ("rows with something to encode", f"{report.rows:,}"),
        ("different people, attacked or known", f"{report.people:,}"),
        ("population", f"{report.population:,}" if report.population else "none given"),
        ("candidates", f"{report.candidates:,}"),
        ("chance of the right name at random", f"1 in {attack.candidates:,}"),
        (f"if none of {attack.attacked:,} is named", f"95%: {share(low)} to {share(high)}"),
    )
    text = (
        "Keys are drawn for the attacks; your key is not read. The people whose pairs are known and the people who are "
        "attacked are drawn from the roster, the same for each number of pairs and each hardening. People with equal "
        "linked values count as one. Intervals (Wilson 1927) treat people as independent.",
    )
    table = Table("What was attacked", (Column("figure", ""), Column("value", "v")), facts)
    return Section("method", "Method", text, None, (table,), (f"Known pairs: {attack.source}.",))
