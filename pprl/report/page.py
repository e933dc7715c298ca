"""The page of a record: its first screen, and its sections in their order.

The template only lays this out. Every figure comes from the checked record; where it is None, the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from pprl.report import sections
from pprl.report.layout import First, Page, Rung
from pprl.report.record import CANNOT_TELL, LADDER, UNTRUSTED, Record
from pprl.report.text import Words
from pprl.report.writer import Writer

SECTIONS = (
    sections.scores,
    sections.rates,
    sections.strata,
    sections.confirm,
    sections.duplicates,
    sections.eligibility,
    sections.absent,
    sections.copying,
    sections.sensitivity,
    sections.completeness,
    sections.method,
    sections.parameters,
    sections.prints,
)


def page(record: Record, words: Words) -> Page:
    writer = Writer(record, words)
    subject = words.label(record.matter) if record.matter else ""
    return Page(
        language=words.language,
        title=words("page.title", subject=subject) if subject else words("page.untitled"),
        subject=subject,
        exact=record.exact,
        figures_note=words("page.exact")
        if record.exact
        else words("page.disclosed", base=record.base, limit=record.base // 2 + 1),
        made=words("page.made", version=words.label(record.version) if record.version else "?"),
        first=_first(record, words, writer),
        sections=tuple(section(writer) for section in SECTIONS if record.exact or section is not sections.rates),
    )


def _first(record: Record, words: Words, writer: Writer) -> First:
    big, label, interval = _answer(record, words)
    return First(
        rung=words(f"rung.{record.verdict.code}"),
        big=big,
        big_label=label,
        interval=interval,
        found=tuple(_found(record, words, writer)),
        chance=tuple(_chance(record, words)),
        not_proved=tuple(words(f"first.not_{what}") for what in ("absence", "guilt", "copy", "pair")),
        ladder=tuple(_ladder(record, words)),
        ladder_note=words("ladder.cannot_tell") if record.verdict.code == CANNOT_TELL else "",
        reasons=tuple(words.reason(reason) for reason in record.verdict.reasons),
    )


def _answer(record: Record, words: Words) -> tuple[str, str, str]:
    """The one number, what it counts, and its interval."""
    net = record.headline.net_found
    if net is None and record.verdict.rung == 0:
        return words.number(0), words("first.nobody"), ""
    if net is None:
        return words("word.unknown"), words("first.cannot_tell"), ""
    big, label = words.number(net.value), words("first.net", n=net.value)
    if net.low is None or net.high is None:
        return big, label, words("first.no_interval")
    return big, label, words("first.interval", low=net.low, high=net.high)


def _found(record: Record, words: Words, writer: Writer) -> Iterator[str]:
    head = record.headline
    count, of = head.found.count, head.found.of
    if head.threshold is None:
        asked = head.false_match_rate_asked
        if _withheld(record):
            yield words("first.withheld")
            if head.fewest_findable is not None:
                yield words("first.fewest", fewest=head.fewest_findable)
        elif record.verdict.rung and asked is not None:
            yield words("first.no_pairs", asked=asked)
        elif asked is not None and head.fewest_findable is not None:
            yield words("first.nothing", asked=asked)
            yield words("first.fewest", fewest=head.fewest_findable)
        return
    if count is None or of is None:
        return
    yield words("first.found", of=of, count=words.number(count), share=writer.share(count, of))
    if head.false_match_rate is not None and count:
        yield words("first.false", rate=head.false_match_rate)
    if head.false_at_most is not None and count:
        bounded = head.false_at_most < count
        yield words("first.at_most", n=head.false_at_most, of=count) if bounded else words("first.no_bound")
    yield from _missed(record, words)


def _withheld(record: Record) -> bool:
    return record.verdict.rung is None and bool(set(record.verdict.reasons) & set(UNTRUSTED))


def _missed(record: Record, words: Words) -> Iterator[str]:
    missed = record.headline.missed_match_rate
    if missed is None or missed.low is None or missed.high is None:
        yield words("first.missed_unknown")
        return
    yield words("first.missed", rate=missed.value, low=missed.low, high=missed.high)
    if record.headline.missed_match_basis == "assumed":
        yield words("first.missed_assumed")


def _chance(record: Record, words: Words) -> Iterator[str]:
    head = record.headline
    if _withheld(record):
        yield words("word.untold")
        return
    chance = head.expected_by_chance
    yield words("first.chance_unknown") if chance is None else words("first.chance", n=chance)
    yield words("first.test_unknown") if head.p is None else words("first.test", p=words.p(head.p))
    if head.p_harsh is not None:
        yield words("first.harsh", p=words.p(head.p_harsh))
    if head.p_registry is not None:
        yield words("first.registry", p=words.p(head.p_registry))


def _ladder(record: Record, words: Words) -> Iterator[Rung]:
    reached = record.verdict.rung
    for number, code in enumerate(LADDER):
        if reached is None or number > reached:
            state, mark = "above", "○"
        elif number == reached:
            state, mark = "here", "●"
        else:
            state, mark = "passed", "✓"
        if number or reached == 0:  # a list beyond chance did not pass "not beyond chance" on its way
            yield Rung(words(f"ladder.{code}"), state, mark)
