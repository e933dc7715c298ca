"""The sections of the page, a function for each: a few sentences, a plot with a description, and a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pprl.report import plots
from pprl.report.fields import Estimate, Number
from pprl.report.layout import Figure, Section, Table
from pprl.report.record import Confirm, ListPart, Scores, Stratum, StratumValue
from pprl.report.text import LONGEST, Words
from pprl.report.writer import Writer

SHORT = 40  # characters of a label in the words of a plot
CODES_OF_WARNINGS = ("see_audit", "near_doubles_list", "near_doubles_registry")


def scores(writer: Writer) -> Section:
    """On a page for publication without the threshold: rounded, it would lie beside or across bins that it divides."""
    words, scores = writer.words, writer.record.scores
    if scores is None:
        return writer.nothing("scores")
    threshold = writer.record.headline.threshold if writer.record.exact else None
    drawn = plots.histogram(
        plots.Histogram(scores.edges, scores.real, scores.decoys),
        threshold=threshold,
        count=words.number,
        similarity=lambda value: words.number(value, 2),
        labels=plots.HistogramLabels(
            people=words("col.real"),
            decoys=words("col.decoys"),
            threshold="" if threshold is None else words("scores.threshold", n=words.similarity(threshold)),
            axis=words("scores.axis"),
        ),
    )
    rows = tuple(
        (_step(words, low, high), words.number(real), words.number(decoys))
        for low, high, real, decoys in zip(scores.edges[:-1], scores.edges[1:], scores.real, scores.decoys, strict=True)
    )
    table = Table(words("scores.head"), writer.columns("similarity", "people", "decoys_scaled"), rows, fold=True)
    figure = Figure(drawn, _scores_in_words(words, scores, threshold))
    return writer.section("scores", [words("scores.lead")], figure, [table])


def _step(words: Words, low: Number, high: Number) -> str:
    return words("number.dash", low=words.similarity(low), high=words.similarity(high))


def _scores_in_words(words: Words, scores: Scores, threshold: Number | None) -> str:
    edges = scores.edges
    first, last = words.similarity(edges[0]), words.similarity(edges[-1])
    real, decoys = (_step(words, edges[peak], edges[peak + 1]) for peak in map(_peak, (scores.real, scores.decoys)))
    alt = words("scores.alt", first=first, last=last, real=real, decoys=decoys)
    return alt if threshold is None else f"{alt} {words('scores.alt_threshold', n=words.similarity(threshold))}"


def _peak(counts: Sequence[Number]) -> int:
    return max(range(len(counts)), key=lambda i: counts[i])


def rates(writer: Writer) -> Section:
    words, head = writer.words, writer.record.headline
    points = [
        (rate.threshold, rate.false_match_rate, rate.found)
        for rate in writer.record.rates
        if rate.threshold is not None and rate.false_match_rate is not None
    ]
    points.sort(key=lambda point: -point[0])
    if not points:
        return writer.nothing("rates")
    drawn = plots.curve(
        [(threshold, rate) for threshold, rate, _ in points],
        asked=head.false_match_rate_asked,
        used=head.threshold,
        percent=lambda value: words.percent(round(value, 6)),
        number=lambda value: words.number(value, 2),
        labels=plots.CurveLabels(
            asked=words("rates.asked", rate=head.false_match_rate_asked or 0),
            used=words("rates.used", n=words.similarity(head.threshold or 0)),
            axis=words("rates.axis"),
        ),
    )
    alt = words(
        "rates.alt",
        high=words.similarity(points[0][0]),
        low_rate=points[0][1],
        low=words.similarity(points[-1][0]),
        high_rate=points[-1][1],
    )
    if head.threshold is not None and head.false_match_rate is not None:
        alt += " " + words("rates.alt_used", threshold=words.similarity(head.threshold), rate=head.false_match_rate)
    rows = tuple(
        (words.similarity(threshold), writer.number(found), words.percent(rate)) for threshold, rate, found in points
    )
    table = Table(words("rates.head"), writer.columns("threshold", "found", "rate"), rows, fold=True)
    return writer.section("rates", [words("rates.lead")], Figure(drawn, alt), [table])


def strata(writer: Writer) -> Section:
    words, fields = writer.words, [stratum for stratum in writer.record.strata if stratum.values]
    if not fields:
        return writer.nothing("strata")
    rows = [row for stratum in fields for row in _strata_rows(writer, stratum)]
    head = writer.record.headline
    whole = head.net_found.value / head.people if head.net_found and head.people else None
    all_people = writer.share(head.net_found.value, head.people) if head.net_found and whole is not None else ""
    drawn = plots.forest(
        rows,
        reference=None if whole is None else min(1, max(0, whole)),
        reference_label="" if whole is None else words("strata.all", share=all_people),
        number=lambda value: words.percent(value, 0),
        axis=words("strata.axis"),
        limits=(0, 1),
    )
    figure = Figure(drawn, " ".join(_strata_in_words(writer, fields)))
    return writer.section("strata", [words("strata.lead")], figure, [_strata_table(writer, field) for field in fields])


def _strata_rows(writer: Writer, stratum: Stratum) -> Iterator[plots.Row]:
    yield plots.Row(writer.words.label(stratum.field), heading=True)
    for value in stratum.values:
        share = _share_of(value)
        yield plots.Row(_label(writer, value), share, "" if share is not None else writer.words(_why_none(writer)))


def _why_none(writer: Writer) -> str:
    """The word for a group without an estimate."""
    return "word.too_few" if writer.record.headline.net_found else "word.unknown"


def _strata_in_words(writer: Writer, fields: Sequence[Stratum]) -> Iterator[str]:
    """A sentence for each field, with the groups that the plot has room for."""
    drawn = 0
    for stratum in fields:
        drawn += 1
        groups = [_group_in_words(writer, value) for value in stratum.values[: max(0, plots.MOST_ROWS - drawn)]]
        drawn += len(stratum.values)
        if groups:
            yield writer.words("strata.alt", field=writer.words.label(stratum.field, SHORT), groups="; ".join(groups))
    if drawn > plots.MOST_ROWS:
        yield writer.words("strata.alt_more", n=drawn - plots.MOST_ROWS)


def _group_in_words(writer: Writer, value: StratumValue) -> str:
    words, net, label = writer.words, value.net_found, _label(writer, value, SHORT)
    if _share_of(value) is None or net is None:
        return words("strata.alt_none", label=label, why=words(_why_none(writer)))
    point = writer.share(net.value, value.people)
    if net.low is None or net.high is None:
        return words("strata.alt_point", label=label, share=point)
    low, high = writer.share(net.low, value.people), writer.share(net.high, value.people)
    return words("strata.alt_group", label=label, share=point, low=low, high=high)


def _strata_table(writer: Writer, stratum: Stratum) -> Table:
    rows = tuple(
        (
            _label(writer, value),
            writer.number(value.people),
            writer.number(value.found),
            writer.net(value.net_found, _why_none(writer)),
            writer.share(value.net_found.value, value.people) if value.net_found else "–",
        )
        for value in stratum.values
    )
    columns = writer.columns("group", "people", "found", "net", "share")
    return Table(writer.words.label(stratum.field), columns, rows)


def _label(writer: Writer, value: StratumValue, longest: int = LONGEST) -> str:
    return writer.words("strata.rest") if value.rest else writer.words.label(value.label, longest)


def _share_of(value: StratumValue) -> Estimate | None:
    """The estimated true matches as a share of the group's people, kept between none and all."""
    net, people = value.net_found, value.people
    if net is None or not people:
        return None
    ends = (None if end is None else min(1.0, max(0.0, end / people)) for end in (net.low, net.high))
    return Estimate(min(1.0, max(0.0, net.value / people)), *ends)


def confirm(writer: Writer) -> Section:
    words, fields = writer.words, writer.record.confirm
    if not fields:
        return writer.nothing("confirm")
    rows = tuple(
        (
            words.label(field.field),
            writer.number(field.compared),
            writer.number(field.agree) + (f" ({_agreement(writer, field)})" if _agreed(field) is not None else ""),
            writer.percent(field.chance),
            writer.p(field.p),
        )
        for field in fields
    )
    table = Table(words("confirm.head"), writer.columns("field", "compared", "agree", "chance", "p"), rows)
    ranks = [
        words(
            "confirm.ranks",
            field=words.label(field.field),
            higher=words.number(field.higher),
            lower=words.number(field.lower),
        )
        for field in fields
        if field.higher is not None and field.lower is not None
    ]
    text = [words("confirm.lead"), *_agreements_in_words(writer, fields)]
    return writer.section("confirm", text, _confirm_figure(writer, fields), [table], ranks)


def _agreements_in_words(writer: Writer, fields: Iterable[Confirm]) -> Iterator[str]:
    """For each field how many pairs agree, of those with a value on both sides, and how many have none."""
    for field in fields:
        if field.agree is not None and field.compared:
            name, agree = writer.words.label(field.field), writer.number(field.agree)
            missing = writer.words("confirm.missing", n=field.missing) if field.missing else ""
            yield writer.words("confirm.agrees", field=name, agree=agree, compared=field.compared, missing=missing)


def _agreed(field: Confirm) -> float | None:
    return float(field.agree / field.compared) if field.compared and field.agree is not None else None


def _agreement(writer: Writer, field: Confirm) -> str:
    return writer.share(field.agree, field.compared)


def _confirm_figure(writer: Writer, fields: Iterable[Confirm]) -> Figure | None:
    words = writer.words
    seen = [(field, agreed) for field in fields if (agreed := _agreed(field)) is not None]
    if not seen:
        return None
    drawn = plots.dumbbell(
        [plots.Pair(words.label(field.field), agreed, field.chance) for field, agreed in seen],
        seen_label=words("confirm.people"),
        chance_label=words("confirm.chance"),
        percent=lambda value: words.percent(value, 0),
        axis=words("confirm.axis"),
    )
    sentences = [
        words(
            "confirm.alt",
            field=words.label(field.field, SHORT),
            share=_agreement(writer, field),
            chance=writer.percent(field.chance),
        )
        for field, _ in seen[: plots.MOST_ROWS]
    ]
    return Figure(drawn, " ".join(sentences))


def duplicates(writer: Writer) -> Section:
    words, rosters, head = writer.words, writer.record.rosters, writer.record.headline
    # Where the matches are known, but not how many are in no pair, these are few.
    missing = "word.too_few" if head.found.count is not None and head.found.of is not None else "word.unknown"
    rows = tuple(
        (words(f"duplicates.{name}"), words(missing) if value is None else writer.number(value))
        for name, value in (
            ("list_rows", rosters.list_rows),
            ("list_people", rosters.list_people),
            ("duplicates", rosters.duplicates),
            ("registry_rows", rosters.registry_rows),
            ("registry_encoded", rosters.registry_encoded),
            ("ambiguous", head.ambiguous),
        )
    )
    tables = [Table(words("duplicates.head"), writer.columns("figure", "value"), rows)]
    if not rosters.lists:
        return writer.section("duplicates", (), None, tables)
    tables.append(_parts_table(writer, rosters.lists))
    return writer.section("duplicates", (), None, tables, [words("duplicates.lists")])


def _parts_table(writer: Writer, lists: Sequence[ListPart]) -> Table:
    rows = tuple(
        (
            writer.words("duplicates.part", n=number),
            writer.number(part.people),
            writer.number(part.found),
            writer.share(part.found, part.people),
        )
        for number, part in enumerate(lists, start=1)
    )
    return Table(writer.words("duplicates.lists"), writer.columns("part", "people", "found", "share"), rows)


def eligibility(writer: Writer) -> Section:
    words, eligibility = writer.words, writer.record.eligibility
    if eligibility is None:
        return writer.nothing("eligibility")
    date = eligibility.registry_as_of
    lead = words("eligibility.as_of", date=words.label(date, SHORT)) if date else words("eligibility.no_date")
    rows = [
        (
            words(f"eligibility.{name}"),
            writer.number(group.people),
            writer.number(group.found),
            writer.net(group.net_found) if group.net_found else "–",
        )
        for name, group in (("eligible", eligibility.eligible), ("unknown", eligibility.unknown))
        if group is not None
    ]
    columns = writer.columns("group", "people", "found", "net")
    tables = [Table(words("eligibility.head"), columns, tuple(rows))] if rows else []
    return writer.section("eligibility", [lead], None, tables)


def absent(writer: Writer) -> Section:
    """People known to be absent: those who cannot be in the registry at its date, and negative controls."""
    words, record = writer.words, writer.record
    cannot = record.eligibility.ineligible if record.eligibility else None
    groups = [(name, group) for name, group in (("cannot", cannot), ("controls", record.controls)) if group is not None]
    none = [] if record.controls else [words("absent.no_controls")]
    if not groups:
        return writer.section("absent", none)
    rows = tuple(
        (
            words(f"absent.{name}"),
            writer.number(group.people),
            writer.number(group.found),
            writer.number(group.expected),
            writer.p(group.p),
        )
        for name, group in groups
    )
    judged = [
        words(f"absent.{'flat' if group.flat else 'closer'}_{name}") for name, group in groups if group.flat is not None
    ]
    table = Table(words("absent.head"), writer.columns("group", "people", "reach", "expected", "p"), rows)
    return writer.section("absent", [words("absent.lead"), *judged, *none], None, [table])


def copying(writer: Writer) -> Section:
    words, check = writer.words, writer.record.copy_check
    if check is None:
        return writer.nothing("copy")
    lead = words(
        "copy.lead",
        identical=writer.number(check.identical),
        pairs=check.pairs if check.pairs is not None else words("word.unknown"),
        share=writer.share(check.identical, check.pairs),
    )
    judged = {True: "copy.natural", False: "copy.unnatural", None: "copy.unknown"}[check.natural]
    drift = [] if check.rank_drift is None else [words("copy.drift", share=words.percent(check.rank_drift))]
    return writer.section("copy", [lead, words(judged), *drift, words("copy.caution")])


def sensitivity(writer: Writer) -> Section:
    words, choices, head = writer.words, writer.record.sensitivity, writer.record.headline.net_found
    if not choices:
        return writer.nothing("sensitivity")
    named = [(_choice_name(writer, choice.what, choice.value), choice) for choice in choices]
    drawn = plots.forest(
        [
            plots.Row(name, choice.net_found, "" if choice.net_found else words("word.unknown"))
            for name, choice in named
        ],
        reference=head.value if head else None,
        reference_label=words("sensitivity.here", n=head.value) if head else "",
        number=words.number,
        axis=words("sensitivity.axis"),
    )
    sentences = "; ".join(
        words("sensitivity.alt_choice", what=name, value=writer.net(choice.net_found))
        for name, choice in named[: plots.MOST_ROWS]
    )
    rows = tuple((name, writer.number(choice.found), writer.net(choice.net_found)) for name, choice in named)
    table = Table(words("sensitivity.head"), writer.columns("choice", "found", "net"), rows)
    figure = Figure(drawn, words("sensitivity.alt", choices=sentences))
    return writer.section("sensitivity", [words("sensitivity.lead")], figure, [table])


def _choice_name(writer: Writer, what: str, value: str | Number | None) -> str:
    shown = "" if value is None else writer.setting(what, value)
    return f"{writer.name('sensitivity', what)} {shown}".strip()


def completeness(writer: Writer) -> Section:
    words, classes = writer.words, writer.record.completeness
    if not classes:
        return writer.nothing("complete")
    thresholds = [[writer.similarity(item.threshold)] if writer.record.exact else [] for item in classes]
    rows = tuple(
        (
            _class_name(words, item.name),
            writer.number(item.people),
            writer.number(item.found),
            *threshold,
            writer.percent(item.matchable_share),
        )
        for item, threshold in zip(classes, thresholds, strict=True)
    )
    columns = writer.columns("class", "people", "found", *["threshold"] * writer.record.exact, "matchable")
    return writer.section("complete", [words("complete.lead")], None, [Table(words("complete.head"), columns, rows)])


def _class_name(words: Words, name: str) -> str:
    """``whole name, no date · initials, whole date`` in the words of the page."""
    codes = [[f"class.{part.replace(' ', '_')}" for part in group.split(", ")] for group in name.split(" · ")]
    if not all(words.has(code) for group in codes for code in group):
        return words.label(name)
    return " · ".join(", ".join(map(words, group)) for group in codes)


def method(writer: Writer) -> Section:
    words, decoys, head = writer.words, writer.record.decoys, writer.record.headline
    text = [words("method.text")]
    if decoys is not None:
        text.append(" ".join(_decoys_in_words(writer)))
    figures = [
        ("auc_weight", decoys.auc_weight if decoys else None),
        ("auc_similarity", decoys.auc_similarity if decoys else None),
        ("auc", head.auc),
    ]
    rows = [(words(f"method.{name}"), words.number(value, 2)) for name, value in figures if value is not None]
    if head.matchable_share is not None:
        rows.append((words("method.matchable"), words.percent(head.matchable_share)))
    table = Table(words("method.head"), writer.columns("figure", "value"), tuple(rows))
    return writer.section("method", filter(None, text), None, [table] if rows else [])


def _decoys_in_words(writer: Writer) -> Iterator[str]:
    words, decoys = writer.words, writer.record.decoys
    assert decoys is not None
    if decoys.made is not None:
        yield words("method.decoys", made=decoys.made, a_person=writer.number(decoys.a_person))
        if decoys.fallbacks is not None:
            yield words("method.fallbacks", share=writer.share(decoys.fallbacks, decoys.made))
        if decoys.effective:
            yield words("method.effective", n=decoys.effective)
    if decoys.sound is not None:
        yield words("method.sound" if decoys.sound else "method.unsound")


def parameters(writer: Writer) -> Section:
    settings = writer.record.parameters
    if not settings:
        return writer.nothing("parameters")
    rows = tuple((writer.name("parameters", name), writer.setting(name, value)) for name, value in settings.items())
    table = Table(writer.words("parameters.head"), writer.columns("figure", "value"), rows)
    return writer.section("parameters", (), None, [table])


def prints(writer: Writer) -> Section:
    words, record = writer.words, writer.record
    rows = [
        (words(f"prints.{name}") if name in ("schema", "folding") else words.label(name), writer.plain(value))
        for name, value in record.fingerprints.items()
    ]
    if record.run:
        rows.append((words("prints.run"), words.label(record.run)))
    table = Table(words("prints.head"), writer.columns("figure", "value"), tuple(rows))
    warnings = [words(f"prints.{text}") if text in CODES_OF_WARNINGS else words.label(text) for text in record.warnings]
    notes = [words("prints.warnings"), *warnings] if warnings else []
    text = () if rows else (words("prints.none"),)
    return writer.section("prints", text, None, [table] if rows else [], notes)
