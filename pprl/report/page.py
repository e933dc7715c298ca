"""What the page says, section by section: each a few sentences, a plot with the same in words, and a table.

The template only sets this out. Every figure comes from the checked report, and where it is None the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pprl.report import plots
from pprl.report.record import CANNOT_TELL, LADDER, Estimate, Group, Number, Report
from pprl.report.text import LONGEST, Words


@dataclass(frozen=True)
class Column:
    """``kind`` is a class of the style sheet: n for figures, v for values that may be long, none for names."""

    head: str
    kind: str


@dataclass(frozen=True)
class Table:
    """The first cell of a row names it; ``fold`` hides many figures until they are asked for."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    fold: bool = False

    @property
    def facts(self) -> bool:
        """A name and a value a row need no heading to be seen."""
        return self.columns[-1].kind == "v"


@dataclass(frozen=True)
class Figure:
    plot: plots.Plot
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


@dataclass(frozen=True)
class First:
    """The first screen: the answer in sentences, its one number, what chance gives, what it does not prove."""

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


@dataclass(frozen=True)
class Page:
    language: str
    title: str
    matter: str
    exact: bool
    figures_note: str
    made: str
    first: First
    sections: tuple[Section, ...]


class Writer:
    """Turns one report into sentences of one language."""

    def __init__(self, report: Report, words: Words) -> None:
        self.report, self.words, self.base = report, words, report.base

    def page(self) -> Page:
        words, report = self.words, self.report
        matter = words.label(report.matter) if report.matter else ""
        return Page(
            language=words.language,
            title=words("page.title", matter=matter) if matter else words("page.untitled"),
            matter=matter,
            exact=report.exact,
            figures_note=words("page.exact")
            if report.exact
            else words("page.disclosed", base=report.base, limit=report.base // 2 + 1),
            made=words("page.made", version=words.label(report.version) if report.version else "?"),
            first=self.first(),
            sections=(
                self.scores(),
                self.rates(),
                self.strata(),
                self.confirm(),
                self.duplicates(),
                self.eligibility(),
                self.controls(),
                self.copying(),
                self.sensitivity(),
                self.completeness(),
                self.method(),
                self.parameters(),
                self.prints(),
            ),
        )

    # -- figures -------------------------------------------------------------------------------------------------

    def number(self, value: Number | None) -> str:
        return self.words("word.unknown") if value is None else self.words.number(value)

    def share(self, count: Number | None, of: Number | None) -> str:
        return self.words.share(count, of, self.base)

    def net(self, estimate: Estimate | None, missing: str = "word.unknown") -> str:
        if estimate is None:
            return self.words(missing)
        interval = self.words.interval(estimate)
        return self.number(estimate.value) + (f" ({interval})" if interval else "")

    def plain(self, value: str | Number | bool | None) -> str:
        if value is None:
            return self.words("word.none")
        if isinstance(value, bool):
            return self.words("word.yes" if value else "word.no")
        return self.words.label(value) if isinstance(value, str) else self.exactly(value)

    def exactly(self, value: Number) -> str:
        """A parameter as it was set: .05 is .05."""
        text = f"{value:.6g}" if isinstance(value, float) and value != int(value) else self.words.number(value)
        return text.replace(".", self.words("number.decimal")) if isinstance(value, float) else text

    def columns(self, *names: str) -> tuple[Column, ...]:
        return tuple(
            Column(self.words(f"col.{name}"), "" if not at else "v" if name == "value" else "n")
            for at, name in enumerate(names)
        )

    # -- the first screen ----------------------------------------------------------------------------------------

    def first(self) -> First:
        words, report, head = self.words, self.report, self.report.headline
        net = head.net_found
        if net is None:
            big, label, interval = words("word.unknown"), words("first.cannot_tell"), ""
        else:
            big, label = words.number(net.value), words("first.net", n=net.value)
            known = net.low is not None and net.high is not None
            interval = (
                words("first.interval", low=net.low or 0, high=net.high or 0) if known else words("first.no_interval")
            )
        return First(
            rung=words(f"rung.{report.verdict.code}"),
            big=big,
            big_label=label,
            interval=interval,
            found=tuple(self._found()),
            chance=tuple(self._chance()),
            not_proved=tuple(words(f"first.not_{what}") for what in ("absence", "guilt", "copy", "pair")),
            ladder=tuple(self._ladder()),
            ladder_note=words("ladder.cannot_tell") if report.verdict.code == CANNOT_TELL else "",
            reasons=tuple(
                words(f"reason.{reason}")
                if reason != "other" and words.has(f"reason.{reason}")
                else words("reason.other", code=words.label(reason, 60))
                for reason in report.verdict.reasons
            ),
        )

    def _found(self) -> Iterable[str]:
        words, head = self.words, self.report.headline
        found = head.found
        if found is None:
            return
        if found.count == 0 and head.threshold is None:
            if head.false_match_rate_asked is not None:
                yield words("first.nothing", asked=head.false_match_rate_asked)
            if head.fewest_findable is not None:
                yield words("first.fewest", fewest=head.fewest_findable)
            return
        share = self.share(found.count, found.of)
        yield words("first.found", of=found.of, count=words.number(found.count), share=share)
        if head.false_match_rate is not None and found.count:
            yield words("first.false", rate=head.false_match_rate)

    def _chance(self) -> Iterable[str]:
        words, head = self.words, self.report.headline
        chance = head.expected_by_chance
        yield words("first.chance_unknown") if chance is None else words("first.chance", n=chance)
        yield words("first.test_unknown") if head.p is None else words("first.test", p=words.p(head.p))
        if head.p_harsh is not None:
            yield words("first.harsh", p=words.p(head.p_harsh))

    def _ladder(self) -> Iterable[Rung]:
        reached = self.report.verdict.rung
        for number, code in enumerate(LADDER):
            if reached is None or number > reached:
                state, mark = "above", "○"
            elif number == reached:
                state, mark = "here", "●"
            elif number == 0:
                continue  # who is beyond chance did not pass by "not beyond chance"
            else:
                state, mark = "passed", "✓"
            if number or reached == 0:
                yield Rung(self.words(f"ladder.{code}"), state, mark)

    # -- the sections --------------------------------------------------------------------------------------------

    def section(
        self,
        key: str,
        text: Iterable[str] = (),
        figure: Figure | None = None,
        tables: Sequence[Table] = (),
        notes: Iterable[str] = (),
    ) -> Section:
        return Section(key, self.words(f"{key}.head"), tuple(text), figure, tuple(tables), tuple(notes))

    def none(self, key: str) -> Section:
        """A section about what was not asked says that it was not."""
        return self.section(key, [self.words(f"{key}.none")])

    def scores(self) -> Section:
        words, scores, threshold = self.words, self.report.scores, self.report.headline.threshold
        if scores is None:
            return self.none("scores")
        edges, first, last = scores.edges, words.similarity(scores.edges[0]), words.similarity(scores.edges[-1])
        if threshold is None:

            def peak(counts: Sequence[Number]) -> str:
                at = max(range(len(counts)), key=lambda each: counts[each])
                return words("number.dash", low=words.similarity(edges[at]), high=words.similarity(edges[at + 1]))

            alt = words("scores.alt_plain", first=first, last=last, real=peak(scores.real), decoys=peak(scores.decoys))
        else:
            # A step that the threshold cuts counts whole on the side where its larger part lies.
            over = [at for at in range(len(scores.real)) if (edges[at] + edges[at + 1]) / 2 >= threshold]
            alt = words(
                "scores.alt",
                first=first,
                last=last,
                threshold=words.similarity(threshold),
                real=sum(scores.real[at] for at in over),
                decoys=sum(scores.decoys[at] for at in over),
            )
        drawn = plots.histogram(
            edges,
            scores.real,
            scores.decoys,
            threshold=threshold,
            count=words.number,
            similarity=lambda value: words.number(value, 2),
            people_label=words("col.real"),
            decoys_label=words("col.decoys"),
            threshold_label=words("scores.threshold", n=words.similarity(threshold or 0)),
            axis=words("scores.axis"),
        )
        rows = tuple(
            (
                words("number.dash", low=words.similarity(low), high=words.similarity(high)),
                words.number(real),
                words.number(decoys),
            )
            for low, high, real, decoys in zip(edges[:-1], edges[1:], scores.real, scores.decoys, strict=True)
        )
        table = Table(words("scores.head"), self.columns("similarity", "people", "decoys_scaled"), rows, fold=True)
        return self.section("scores", [words("scores.lead")], Figure(drawn, alt), [table])

    def rates(self) -> Section:
        words, rates, head = self.words, self.report.rates, self.report.headline
        if not rates:
            return self.none("rates")
        alt = words(
            "rates.alt",
            high=words.similarity(rates[0].threshold),
            low_rate=rates[0].false_match_rate,
            low=words.similarity(rates[-1].threshold),
            high_rate=rates[-1].false_match_rate,
        )
        if head.threshold is not None and head.false_match_rate is not None:
            used = words.similarity(head.threshold)
            alt += " " + words("rates.alt_used", threshold=used, rate=head.false_match_rate)
        asked = head.false_match_rate_asked
        drawn = plots.curve(
            [(rate.threshold, rate.false_match_rate) for rate in rates],
            asked=asked,
            used=head.threshold,
            percent=lambda value: words.percent(round(value, 6)),
            number=lambda value: words.number(value, 2),
            asked_label=words("rates.asked", rate=asked or 0),
            used_label=words("rates.used", n=words.similarity(head.threshold or 0)),
            axis=words("rates.axis"),
        )
        rows = tuple(
            (words.similarity(rate.threshold), self.number(rate.found), words.percent(rate.false_match_rate))
            for rate in rates
        )
        table = Table(words("rates.head"), self.columns("threshold", "found", "rate"), rows, fold=True)
        return self.section("rates", [words("rates.lead")], Figure(drawn, alt), [table])

    def strata(self) -> Section:
        words, strata = self.words, [stratum for stratum in self.report.strata if stratum.values]
        if not strata:
            return self.none("strata")
        rows: list[plots.Row] = []
        told: list[str] = []
        tables = []
        for stratum in strata:
            field = words.label(stratum.field)
            rows.append(plots.Row(field, heading=True))
            said = []
            for value in stratum.values:
                share = _share_of(value)
                label = self._label(value)
                remark = "" if share is not None else words("word.too_few")
                rows.append(plots.Row(label, share, remark))
                if len(rows) <= plots.MOST_ROWS:
                    said.append(self._group_told(self._label(value, 40), value, share))
            if said:
                told.append(words("strata.alt", field=words.label(stratum.field, 40), groups="; ".join(said)))
            tables.append(
                Table(
                    field,
                    self.columns("group", "people", "found", "net", "share"),
                    tuple(
                        (
                            self._label(value),
                            self.number(value.people),
                            self.number(value.found),
                            self.net(value.net_found, "word.too_few"),
                            self.share(value.net_found.value, value.people) if value.net_found else "–",
                        )
                        for value in stratum.values
                    ),
                )
            )
        if len(rows) > plots.MOST_ROWS:
            told.append(words("strata.alt_more", n=len(rows) - plots.MOST_ROWS))
        head = self.report.headline
        whole = head.net_found.value / head.people if head.net_found and head.people else None
        drawn = plots.forest(
            rows,
            reference=None if whole is None else min(1, max(0, whole)),
            reference_label="" if whole is None or head.net_found is None
            else words("strata.all", share=self.share(head.net_found.value, head.people)),
            number=lambda value: words.percent(value, 0),
            axis=words("strata.axis"),
            limits=(0, 1),
        )  # fmt: skip
        return self.section("strata", [words("strata.lead")], Figure(drawn, " ".join(told)), tables)

    def _group_told(self, label: str, value: Group, share: Estimate | None) -> str:
        words, net = self.words, value.net_found
        if share is None or net is None:
            return words("strata.alt_few", label=label)
        point = self.share(net.value, value.people)
        if net.low is None or net.high is None:
            return words("strata.alt_point", label=label, share=point)
        low, high = self.share(net.low, value.people), self.share(net.high, value.people)
        return words("strata.alt_group", label=label, share=point, low=low, high=high)

    def confirm(self) -> Section:
        words, fields = self.words, self.report.confirm
        if not fields:
            return self.none("confirm")
        seen = [
            plots.Pair(words.label(each.field), each.share, each.chance) for each in fields if each.share is not None
        ]
        figure = None
        if seen:
            drawn = plots.dumbbell(
                seen,
                seen_label=words("confirm.people"),
                chance_label=words("confirm.chance"),
                percent=lambda value: words.percent(value, 0),
                axis=words("confirm.axis"),
            )
            told = [
                words(
                    "confirm.alt",
                    field=words.label(each.field, 40),
                    share=self.share(each.agree, each.compared),
                    chance=words("word.unknown") if each.chance is None else words.percent(each.chance),
                )
                for each in fields[: plots.MOST_ROWS]
                if each.share is not None
            ]
            figure = Figure(drawn, " ".join(told))
        table = Table(
            words("confirm.head"),
            self.columns("field", "compared", "agree", "chance", "p"),
            tuple(
                (
                    words.label(each.field),
                    self.number(each.compared),
                    self.number(each.agree)
                    + (f" ({self.share(each.agree, each.compared)})" if each.share is not None else ""),
                    words("word.unknown") if each.chance is None else words.percent(each.chance),
                    words("word.unknown") if each.p is None else words.p(each.p),
                )
                for each in fields
            ),
        )
        ranks = [
            words(
                "confirm.ranks",
                field=words.label(each.field),
                higher=words.number(each.higher),
                lower=words.number(each.lower),
            )
            for each in fields
            if each.higher is not None and each.lower is not None
        ]
        return self.section("confirm", [words("confirm.lead")], figure, [table], ranks)

    def duplicates(self) -> Section:
        words, rosters = self.words, self.report.rosters
        # Of people who were found, those in no pair are known; where their number is not told, they are few.
        missing = "word.too_few" if self.report.headline.found is not None else "word.unknown"
        rows = tuple(
            (words(f"duplicates.{name}"), words(missing) if value is None else self.number(value))
            for name, value in (
                ("list_rows", rosters.list_rows),
                ("list_people", rosters.list_people),
                ("duplicates", rosters.duplicates),
                ("registry_rows", rosters.registry_rows),
                ("registry_encoded", rosters.registry_encoded),
                ("ambiguous", self.report.headline.ambiguous),
            )
        )
        tables = [Table(words("duplicates.head"), self.columns("figure", "value"), rows)]
        notes = []
        if rosters.lists:
            notes.append(words("duplicates.lists"))
            tables.append(
                self._groups(
                    words("duplicates.lists"),
                    [(words("duplicates.part", n=number), part) for number, part in enumerate(rosters.lists, start=1)],
                    ("part", "people", "found", "share"),
                )
            )
        return self.section("duplicates", (), None, tables, notes)

    def _groups(self, caption: str, groups: Sequence[tuple[str, Group]], columns: tuple[str, ...]) -> Table:
        rows = tuple(
            (name, self.number(group.people), self.number(group.found), self.share(group.found, group.people))
            for name, group in groups
        )
        return Table(caption, self.columns(*columns), rows)

    def eligibility(self) -> Section:
        words, who = self.words, self.report.eligibility
        if who is None:
            return self.none("eligibility")
        date = who.registry_as_of
        lead = words("eligibility.as_of", date=words.label(date, 40)) if date else words("eligibility.no_date")
        rows = tuple(
            (
                words(f"eligibility.{name}"),
                self.number(group.people),
                self.number(group.found),
                self.net(group.net_found) if group.net_found else "–",
                self.number(group.expected) if group.expected is not None else "–",
            )
            for name, group in (("eligible", who.eligible), ("unknown", who.unknown), ("ineligible", who.ineligible))
            if group is not None
        )
        table = Table(words("eligibility.head"), self.columns("group", "people", "found", "net", "expected"), rows)
        return self.section("eligibility", [lead], None, [table] if rows else [])

    def controls(self) -> Section:
        words, controls = self.words, self.report.controls
        if controls is None:
            return self.none("controls")
        said = words(
            "controls.lead",
            found=self.number(controls.found),
            people=controls.people if controls.people is not None else words("word.unknown"),
            expected=self.number(controls.expected),
        )
        judged = {True: "controls.flat", False: "controls.found", None: "controls.unknown"}[controls.flat]
        p = f" ({words.p(controls.p)})" if controls.p is not None else ""
        return self.section("controls", [said, words(judged) + p])

    def copying(self) -> Section:
        words, check = self.words, self.report.copy_check
        if check is None:
            return self.none("copy")
        said = words(
            "copy.lead",
            identical=self.number(check.identical),
            pairs=check.pairs if check.pairs is not None else words("word.unknown"),
            share=self.share(check.identical, check.pairs),
        )
        judged = {True: "copy.natural", False: "copy.unnatural", None: "copy.unknown"}[check.natural]
        text = [said, words(judged)]
        if check.rank_drift is not None:
            text.append(words("copy.drift", share=words.percent(check.rank_drift)))
        return self.section("copy", [*text, words("copy.caution")])

    def _label(self, value: Group, longest: int = LONGEST) -> str:
        return self.words("strata.rest") if value.rest else self.words.label(value.label, longest)

    def _chosen(self, name: str, value: str | Number | bool | None) -> str:
        """The value of a parameter: a share, one of the words for it, or as it stands."""
        if name == "false_match_rate" and isinstance(value, float) and 0 <= value <= 1:
            return self.words.percent(value)
        word = f"choice.{value}"
        return self.words(word) if isinstance(value, str) and self.words.has(word) else self.plain(value)

    def sensitivity(self) -> Section:
        words, choices, head = self.words, self.report.sensitivity, self.report.headline.net_found
        if not choices:
            return self.none("sensitivity")
        names = []
        for choice in choices:
            what = f"sensitivity.{choice.what}"
            known = choice.what not in _OTHER_WORDS and words.has(what)
            name = words(what) if known else words.label(choice.what)
            value = "" if choice.value is None else self._chosen(choice.what, choice.value)
            names.append(f"{name} {value}".strip())
        rows = [
            plots.Row(name, choice.net_found, "" if choice.net_found else words("word.unknown"))
            for name, choice in zip(names, choices, strict=True)
        ]
        drawn = plots.forest(
            rows,
            reference=head.value if head else None,
            reference_label=words("sensitivity.here", n=head.value) if head else "",
            number=words.number,
            axis=words("sensitivity.axis"),
        )
        told = "; ".join(
            words("sensitivity.alt_choice", what=name, value=self.net(choice.net_found))
            for name, choice in list(zip(names, choices, strict=True))[: plots.MOST_ROWS]
        )
        table = Table(
            words("sensitivity.head"),
            self.columns("choice", "found", "net"),
            tuple(
                (name, self.number(choice.found), self.net(choice.net_found))
                for name, choice in zip(names, choices, strict=True)
            ),
        )
        figure = Figure(drawn, words("sensitivity.alt", choices=told))
        return self.section("sensitivity", [words("sensitivity.lead")], figure, [table])

    def _class_name(self, name: str) -> str:
        """``whole name, no date · initials, whole date`` in the words of the page."""
        codes = [[f"class.{part.replace(' ', '_')}" for part in one.split(", ")] for one in name.split(" · ")]
        if not all(map(self.words.has, (code for one in codes for code in one))):
            return self.words.label(name)
        return " · ".join(", ".join(map(self.words, one)) for one in codes)

    def completeness(self) -> Section:
        words, classes = self.words, self.report.completeness
        if not classes:
            return self.none("complete")
        rows = tuple(
            (
                self._class_name(each.name),
                self.number(each.people),
                self.number(each.found),
                words("word.unknown") if each.threshold is None else words.similarity(each.threshold),
                words("word.unknown") if each.matchable_share is None else words.percent(each.matchable_share),
            )
            for each in classes
        )
        columns = self.columns("class", "people", "found", "threshold", "matchable")
        return self.section("complete", [words("complete.lead")], None, [Table(words("complete.head"), columns, rows)])

    def method(self) -> Section:
        words, decoys, head = self.words, self.report.decoys, self.report.headline
        text = [words("method.text")]
        rows: list[tuple[str, str]] = []
        if decoys is not None:
            said = []
            if decoys.made is not None:
                said.append(words("method.decoys", made=decoys.made, a_person=self.number(decoys.a_person)))
                if decoys.fallbacks is not None:
                    said.append(words("method.fallbacks", share=self.share(decoys.fallbacks, decoys.made)))
            if decoys.sound is not None:
                said.append(words("method.sound" if decoys.sound else "method.unsound"))
            text.append(" ".join(said))
            for name, value in (("auc_weight", decoys.auc_weight), ("auc_similarity", decoys.auc_similarity)):
                if value is not None:
                    rows.append((words(f"method.{name}"), words.number(value, 2)))
        if head.auc is not None:
            rows.append((words("method.auc"), words.number(head.auc, 2)))
        if head.matchable_share is not None:
            rows.append((words("method.matchable"), words.percent(head.matchable_share)))
        table = Table(words("method.head"), self.columns("figure", "value"), tuple(rows))
        return self.section("method", filter(None, text), None, [table] if rows else [])

    def parameters(self) -> Section:
        words, given = self.words, self.report.parameters
        if not given:
            return self.none("parameters")
        rows = []
        for name, value in given.items():
            key = f"parameters.{name}"
            label = words(key) if name not in _OTHER_WORDS and words.has(key) else words.label(name)
            rows.append((label, self._chosen(name, value)))
        table = Table(words("parameters.head"), self.columns("figure", "value"), tuple(rows))
        return self.section("parameters", (), None, [table])

    def prints(self) -> Section:
        words, report = self.words, self.report
        rows = [
            (words(f"prints.{name}") if name in ("schema", "folding") else words.label(name), self.plain(value))
            for name, value in report.fingerprints.items()
        ]
        if report.run:
            rows.append((words("prints.run"), words.label(report.run)))
        table = Table(words("prints.head"), self.columns("figure", "value"), tuple(rows))
        said = [words(f"prints.{text}") if text in _SENTENCES else words.label(text) for text in report.warnings]
        notes = [words("prints.warnings"), *said] if said else []
        text = () if rows else (words("prints.none"),)
        return self.section("prints", text, None, [table] if rows else [], notes)


_SENTENCES = ("see_audit", "near_doubles_list", "near_doubles_registry")  # of warnings
_OTHER_WORDS = ("head", "lead", "none", "alt", "alt_choice", "axis", "here")


def _share_of(group: Group) -> Estimate | None:
    """Net found as a share of the group's people, kept between none and all."""
    net, people = group.net_found, group.people
    if net is None or not people:
        return None

    def part(value: Number | None) -> float | None:
        return None if value is None else min(1.0, max(0.0, value / people))

    return Estimate(min(1.0, max(0.0, net.value / people)), part(net.low), part(net.high))


def page(report: Report, words: Words) -> Page:
    return Writer(report, words).page()
