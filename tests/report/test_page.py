"""The page of a report: what it says in each case, in both languages, and that nothing from a report becomes markup."""

import base64
import copy
import html
import json
import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import DATA, ROOT

from pprl.cli import cli, main
from pprl.core.errors import FileError
from pprl.report import plots, policy, render
from pprl.report.fields import Estimate
from pprl.report.record import AUDIT, LADDER, Record, load
from pprl.report.text import LANGUAGES, Words, visible
from pprl.report.writer import ABOUT_MATCHES

EXAMPLE = json.loads((DATA / "report_example.json").read_text("utf-8"))
REASONS = re.findall(
    r"\w+",
    "few_decoys nobody unsound_decoys weak_decoys power margin no_pairs test harsh_test interval no_confirm_field "
    "confirm_disagrees "
    "copying_not_excluded no_controls few_controls no_harsh_test decoys_unchecked registry_public "
    "registry_obtainable_unknown",
)


DRAWN = {}


@pytest.fixture(autouse=True, scope="module")
def drawn_once():
    """A plot takes most of the time of a page and depends only on its figures and words."""

    def remembered(name):
        draw = getattr(plots, name)

        def of(*figures, **named):
            labels = {key: value for key, value in named.items() if not callable(value)}
            key = name, plots.plot, repr(figures), repr(labels)  # one test replaces it
            if key not in DRAWN:
                DRAWN[key] = draw(*figures, **named)
            return DRAWN[key]

        return of

    with pytest.MonkeyPatch.context() as patch:
        for name in ("histogram", "curve", "forest", "dumbbell", "ladder"):
            patch.setattr(plots, name, remembered(name))
        yield


def report(**changes):
    """The example with other values; ``headline__found`` reaches inside."""
    document = copy.deepcopy(EXAMPLE)
    for name, value in changes.items():
        *way, last = name.split("__")
        target = document
        for step in way:
            target = target[step]
        target[last] = value
    return document


class Reader(HTMLParser):
    """The text of a page, and its elements and attributes."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.alts, self._skip = [], [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._skip = tag == "style"
        if tag == "img":
            self.alts.append(dict(attrs)["alt"])

    def handle_endtag(self, tag):
        self._skip = self._skip and tag != "style"

    def handle_data(self, data):
        if not self._skip:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def text(document, language="en"):
    return Reader(render(document, language)).text.replace("\u00a0", " ")


NOTHING = {
    "scores": None,
    "rates": None,
    "strata": None,
    "confirm": None,
    "eligibility": None,
    "controls": None,
    "copy_check": None,
    "decoys": None,
    "sensitivity": None,
    "completeness": None,
    "parameters": None,
    "fingerprints": None,
    "run": None,
    "warnings": None,
    "rosters": None,
    "version": None,
    "matter": None,
}
CANNOT = {
    "verdict": {"rung": None, "code": "cannot_tell", "reasons": ["few_decoys"]},
    "headline": dict.fromkeys(EXAMPLE["headline"]),
}


def test_the_first_screen_answers_the_question():
    shown = text(EXAMPLE)
    assert "590 people on the list and in the registry (estimated true matches) 95% interval: 560 to 625" in shown
    assert "Of 1,010 people who could be in the registry, 620 (61%) match a registry record, one to one." in shown
    assert "35 people would match if nobody on the list were in the registry." in shown
    assert "p < .001: the probability of so many close matches if the people were strangers." in shown
    assert "approximate, since decoys share values" in shown
    for claim in (
        "An entry without a match is not necessarily false",
        "proves nothing that the list claims",
        "could have copied from it",
    ):
        assert claim in shown
    assert (
        shown.index("590") < shown.index("What chance alone") < shown.index("does not prove") < shown.index("How far")
    )


def test_the_first_screen_says_how_many_are_missed_or_that_it_is_not_known():
    rate = {"value": 0.12, "low": 0.05, "high": 0.2}
    measured, assumed, unknown = (
        text(report(headline__missed_match_rate=missed, headline__missed_match_basis=basis))
        for missed, basis in ((rate, "measured"), (rate, "assumed"), (None, None))
    )
    sentence = "About 12% of the people on the list who are in the registry are expected to be missed"
    assert [sentence in shown for shown in (measured, assumed, unknown)] == [True, True, False]
    assert "too differently (95% interval: 5% to 20%)" in measured
    assert ["is assumed" in shown for shown in (measured, assumed, unknown)] == [False, True, False]
    assert "missed is not known: the files of this comparison" in unknown
    assert "около 12" in text(report(headline__missed_match_rate=rate), "ru")


NO_SHARES = [{"value": 1.2}, {"value": 0.1, "low": -0.1, "high": 0.2}, {"value": 0.1, "low": 0.3, "high": 0.2}]


@pytest.mark.parametrize("rate", NO_SHARES)
def test_a_missed_match_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(FileError, match=r"headline\.missed_match_rate is not"):
        render(report(headline__missed_match_rate=rate))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rung", [None, 0, 1, 2, 3])
def test_every_page_says_what_is_not_proved_and_calls_nothing_authentic(rung, language):
    code = "cannot_tell" if rung is None else LADDER[rung]
    shown = text(report(verdict={"rung": rung, "code": code, "reasons": REASONS}), language)
    words = Words(language)
    for key in ("rung." + code, "first.not_absence", "first.not_guilt", "first.not_copy", "first.not_pair"):
        assert words(key) in shown
    assert all(words(f"reason.{reason}") in shown for reason in REASONS)
    assert not re.search(r"authentic|genuine|подлинн|достоверн|настоящий список", shown, flags=re.I)


def test_zero_overlap():
    shown = text(
        report(
            verdict={"rung": 0, "code": "not_beyond_chance", "reasons": ["test"]},
            headline__found={"count": 0, "of": 1010, "share": 0.0},
            headline__net_found={"value": 0, "low": 0, "high": 5},
            headline__p=">=.05",
            headline__threshold=None,
            headline__false_match_rate=None,
            headline__false_at_most=None,
        )
    )
    assert "does not match the registry beyond chance" in shown
    assert "Nobody matches at the false-match rate asked for (5%). At least 25 people would have to be in" in shown
    assert "p ≥ .05" in shown
    assert "0 people on the list" in shown


def test_full_overlap_of_rounded_counts_is_a_bound():
    full = report(
        headline__found={"count": 1010, "of": 1010, "share": 1.0},
        headline__net_found={"value": 1010, "low": 1005, "high": 1010},
    )
    assert "1,010 (over 99.8%)" in text(full)
    assert not re.search(r"\b100%", text(full))
    full |= {"format": "pprl-audit/1", "disclosure": {"base": 1}}
    assert "1,010 (100%)" in text(full)


@pytest.mark.parametrize(
    ("at_most", "said"),
    [
        (45, "With 95% confidence, these 620 matches include at most 45 false matches."),
        (1, "With 95% confidence, these 620 matches include at most 1 false match."),
        (0, "With 95% confidence, these 620 matches include at most 0 false matches."),
        (620, "How many of them are false at most cannot be told with 95% confidence."),
    ],
)
def test_how_many_are_false_at_most(at_most, said):
    assert said in text(report(headline__false_at_most=at_most))


def test_without_a_bound_nothing_is_said_of_it():
    assert "95% confidence" not in text(report(headline__false_at_most=None))
    with pytest.raises(FileError, match=r"headline\.false_at_most is not at most the number found"):
        render(report(headline__false_at_most=621))


def test_how_many_decoys_count():
    shown = "Decoys share values: about false matches they say as much as 9,800 independent ones."
    assert shown in text(EXAMPLE)
    assert "say as much as" not in text(report(decoys__effective=0))


@pytest.mark.parametrize("language", LANGUAGES)
def test_cannot_tell_is_written_in_words(language):
    shown = text(EXAMPLE | CANNOT | NOTHING, language)
    words = Words(language)
    for key in ("rung.cannot_tell", "word.unknown", "first.chance_unknown", "first.test_unknown", "word.untold",
                "absent.no_controls", "eligibility.none"):  # fmt: skip
        assert words(key) in shown
    # Nothing was judged: that there are no groups, or no further fields, would be a claim.
    assert not [key for key in ABOUT_MATCHES if words(f"{key}.none") in shown]
    assert "None" not in shown
    assert "null" not in shown


def test_strata_too_small_for_an_estimate_get_none():
    tiny = [{"label": f"company {n}", "people": 10, "found": 5, "net_found": None} for n in range(3)]
    page = Reader(render(report(strata=[{"field": "company", "values": tiny}])))
    assert page.text.count("too few") == 3
    assert any("company 0: too few" in alt for alt in page.alts)


def test_without_a_threshold_no_group_is_called_too_small():
    untold = [{"label": f"company {n}", "people": 500, "found": None, "net_found": None} for n in range(3)]
    page = Reader(render(report(strata=[{"field": "company", "values": untold}], headline__net_found=None)))
    assert "too few" not in page.text
    assert "company 0 500 cannot tell cannot tell" in page.text
    assert any("company 0: cannot tell" in alt for alt in page.alts)


def test_people_without_a_value_have_a_name():
    assert "no value" in text(EXAMPLE)
    assert "не указано" in text(EXAMPLE, "ru")


def test_several_lists_and_controls():
    shown = text(
        report(
            rosters__lists=[{"people": 600, "found": 400}, {"people": 410, "found": 220}],
            controls={"people": 200, "found": 25, "expected": 5, "p": "<.01", "flat": False},
        )
    )
    assert "part 1 600 400 67%" in shown
    assert "negative controls 200 25 5 p < .01" in shown
    assert "Negative controls come closer to the registry than decoys do" in shown


def test_people_known_to_be_absent_have_a_heading_of_their_own():
    """Those who joined too late and negative controls, in one section, and in none that counts who is in the
    registry."""
    page = render(EXAMPLE)
    sections = {section[: section.index(">")]: Reader(section).text for section in page.split("<section")[1:]}
    (own,) = (section for section in sections.values() if "People known to be absent from the registry" in section)
    assert "joined too late to be in it 50 0 5 cannot tell" in own
    assert "negative controls 200 5 5 p ≥ .05" in own
    assert "Negative controls come no closer to the registry than decoys do" in own
    assert "joined too late come" not in own  # whether they do was not tested
    (could,) = (section for section in sections.values() if "Who could be in the registry" in section)
    assert "joined too late" not in could
    assert "left out here" in could


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (480, "number agrees for 130 of the 140 pairs that have it on both sides; 480 have none."),
        (0, "number agrees for 130 of the 140 pairs that have it on both sides. "),
        (None, "number agrees for 130 of the 140 pairs that have it on both sides. "),
    ],
)
def test_further_fields_are_told_of_the_pairs_that_have_them(missing, said):
    rank, number = EXAMPLE["confirm"]
    shown = text(report(confirm=[rank, number | {"missing": missing}]))
    assert said in shown
    assert "rank agrees for 430 of the 560 pairs that have it on both sides." in shown
    hidden = text(report(confirm=[rank, number | {"agree": None, "suppressed": True}]))
    assert "number agrees" not in hidden


def drawn_in(page, section):
    """The drawings of one section, as SVG."""
    (found,) = (part for part in re.findall("<section.*?</section>", page, flags=re.S) if Words("en")(section) in part)
    return [base64.b64decode(data).decode() for data in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", found)]


def test_no_rounded_threshold_is_drawn_or_named_where_it_would_lie_across_bins():
    """Rounded to .05 it lies below a bin that is full of decoys, which do not match; an exact one is drawn."""
    exact = report(format=AUDIT, disclosure={"base": 1}, headline__threshold=0.594)
    rounded = report(headline__threshold=0.6)
    label = "a match from"
    assert len(drawn_in(render(rounded), "scores.head")) >= 4
    assert all(label in svg for svg in drawn_in(render(exact), "scores.head"))
    assert not any(label in svg for svg in drawn_in(render(rounded), "scores.head"))
    alts = [" ".join(Reader(render(page)).alts) for page in (exact, rounded)]
    assert ["The lowest similarity of a match is 0.594." in alt for alt in alts] == [True, False]
    assert "0.600" not in text(report(headline__threshold=0.6, scores=None, rates=None))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_a_list_claims_is_spoken_of(language):
    """A list of deserters is a list of people; nothing here repeats or denies what it says about them."""
    claims = re.compile(r"desert|AWOL|traitor|crimin|guilt|дезерт|самовольн|СОЧ|предател|преступ|виновн", re.I)
    sources = [path.read_text("utf-8") for path in sorted((ROOT / "pprl" / "cli").glob("*.py"))]
    for sentence in [*Words(language).sentences().values(), *sources]:
        assert not claims.search(sentence)


def test_an_audit_is_visibly_exact():
    audit = EXAMPLE | {"format": "pprl-audit/1", "disclosure": {"base": 1}}
    audit["headline"] = audit["headline"] | {"p": 3.1e-12, "net_found": {"value": 589.7, "low": 561.2, "high": 623.0}}
    shown = text(audit)
    assert shown.startswith("A list compared with a registry") or "Exact figures" in shown[:200]
    assert "not for publication" in shown
    assert "589.7 people" in shown
    assert "p = 3.1 × 10⁻¹²" in shown
    assert "not for publication" not in text(EXAMPLE)
    assert "589,7 человека из списка" in text(audit, "ru")


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "formula": '=HYPERLINK("http://example.org","x")',
    "bidi": "abc\u202egnp.exe\u2066",
    "long": "Ж" * 10_000,
    "math": "$\\frac{1}{0}$ {people} {{ 7*7 }} %(x)s",
    "control": "a\x00b\x1b[31m\n",
    "surrogate": "a\ud800b",
    "style": "</style><style>*{display:none}</style>",
    "empty": "",
    "astral": "\U0001f600 漢字 עברית",
}


def poisoned(label):
    """The example with a hostile text wherever a text may be."""
    document = report(
        matter=label, version=label, run=label, warnings=[label], fingerprints={"schema": label, label: label}
    )
    document["verdict"]["reasons"] = [label]
    document["strata"][0]["field"] = document["strata"][0]["values"][0]["label"] = label
    document["confirm"][0]["field"] = document["completeness"][0]["name"] = label
    document["sensitivity"][0] |= {"what": label, "value": label}
    document["eligibility"]["registry_as_of"] = document["parameters"]["registry_public_before_list"] = label
    document["parameters"][label] = label
    return document


@pytest.mark.parametrize("label", HOSTILE.values(), ids=HOSTILE)
def test_hostile_labels_show_as_text(label):
    page = render(poisoned(label))
    page.encode()
    read = Reader(page)
    plain = Reader(render(EXAMPLE))
    assert {tag for tag, _ in read.elements} <= {tag for tag, _ in plain.elements}
    assert {name for _, attrs in read.elements for name in attrs} <= {
        name for _, attrs in plain.elements for name in attrs
    }
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", html.unescape(page))
    if label:
        assert visible(label[:200]).split()[0] in read.text
    assert len(page) < 3_000_000


def test_a_long_label_says_how_long_it_was():
    assert "ЖЖ… (10,000 characters)" in text(poisoned(HOSTILE["long"]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_bytes_twice_and_a_policy_for_one_style(language):
    page = render(EXAMPLE, language)
    DRAWN.clear()
    assert page == render(json.loads(json.dumps(EXAMPLE)), language)
    (style,) = re.findall("<style>(.*?)</style>", page, flags=re.S)
    assert policy(style) in html.unescape(page)
    assert policy(style).startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    read = Reader(page)
    assert not {"script", "link", "iframe", "object", "form"} & {
        tag for tag, attrs in read.elements if attrs.get("rel") != "icon"
    }
    for _, attrs in read.elements:
        assert "style" not in attrs
        for name in ("src", "srcset", "href"):
            assert attrs.get(name, "data:").startswith("data:")
    assert ("html", {"lang": language}) in read.elements


def test_the_rate_by_threshold_is_on_the_owners_page_alone():
    """On a page for publication counts are rounded, and the curve would contradict the threshold beside it."""
    exact = report(format=AUDIT, disclosure={"base": 1})
    head = Words("en")("rates.head")
    assert (head in text(exact), head in text(EXAMPLE)) == (True, False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plot_has_its_finding_in_words_and_a_table(language):
    page = render(EXAMPLE, language)
    for section in re.findall("<section.*?</section>", page, flags=re.S):
        if "<figure>" in section:
            assert "<table>" in section
            assert all(len(alt) > 40 for alt in Reader(section).alts)
    assert page.count("<figure>") == 4
    assert Reader(page).text.count("<caption") == 0


def names(sentence):
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name)


def test_both_languages_say_the_same_things():
    english, russian = (Words(language).sentences() for language in ("en", "ru"))
    assert english.keys() == russian.keys()
    for key, sentence in english.items():
        assert names(sentence) == names(russian[key]), key
        assert sentence or key == "number.zero"
    for language in LANGUAGES:
        words = Words(language)
        for key, sentence in words.sentences().items():
            for _, _, spec, _ in string.Formatter().parse(sentence):
                assert not spec or spec == "percent" or spec.removesuffix("~") in words.nouns, key
        assert {len(forms) for forms in words.nouns.values()} == {4 if language == "ru" else 2}
        assert {f"reason.{reason}" for reason in REASONS} <= words.sentences().keys()


def test_no_sentence_is_left_in_the_other_language():
    assert not [key for key, sentence in Words("en").sentences().items() if re.search("[а-яё]", sentence)]
    latin = [
        key
        for key, sentence in Words("ru").sentences().items()
        if set(re.findall("[A-Za-z]{2,}", re.sub("{.*?}", "", sentence))) - {"AUC", "JSON", "pprl"}
    ]
    assert not latin


@pytest.mark.parametrize(
    ("count", "form"),
    [(0, "человек"), (1, "человек"), (2, "человека"), (5, "человек"), (11, "человек"), (12, "человек"),
     (21, "человек"), (22, "человека"), (101, "человек"), (111, "человек"), (1004, "человека"), (2.5, "человека")],
)  # fmt: skip
def test_russian_counts(count, form):
    assert Words("ru")("first.chance", n=count).split(" – ")[0].endswith(f"\u00a0{form}")


@pytest.mark.parametrize(
    ("count", "of", "base", "shown"),
    [(0, 100, 1, "0%"), (100, 100, 1, "100%"), (0, 100, 5, "under 2%"), (100, 100, 5, "over 98%"),
     (1, 3000, 1, "under 0.1%"), (2999, 3000, 1, "over 99.9%"), (1, 3, 1, "33.3%"), (5, 15, 5, "33%"),
     (0, 5, 5, "under 50%"), (0, 0, 1, "cannot tell"), (None, 5, 1, "cannot tell")],
)  # fmt: skip
def test_shares_are_none_or_all_only_when_they_are(count, of, base, shown):
    assert Words("en").share(count, of, base) == shown


WRONG = {
    "unknown format": ({"format": "pprl-report/9"}, "its format is not"),
    "format of another kind": ({"format": ["pprl-report/1"]}, "its format is not"),
    "a list for an object": ({"headline": []}, "headline is not an object"),
    "an object for a list": ({"strata": {}}, "strata is not a list"),
    "text for a number": ({"headline__people": "1010"}, "headline.people is not a count"),
    "true for a number": ({"headline__people": True}, "headline.people is not a count"),
    "a negative count": ({"rosters__list_rows": -1}, "rosters.list_rows is not a count"),
    "a share above one": ({"headline__auc": 1.5}, "headline.auc is not a share"),
    "not a number": ({"headline__people": float("nan")}, "headline.people is not a count"),
    "without end": ({"headline__people": float("inf")}, "headline.people is not a count"),
    "too large": ({"headline__people": 10**400}, "headline.people is not a count"),
    "interval upside down": ({"headline__net_found": {"value": 5, "low": 9, "high": 1}}, "headline.net_found"),
    "p of no class": ({"headline__p": "<.1"}, "headline.p is not one of"),
    "rung against code": ({"verdict__rung": 3}, "verdict.rung is not the rung"),
    "unknown code": ({"verdict__code": "proved"}, "verdict.code is not a rung"),
    "code of another kind": ({"verdict__code": {}}, "verdict.code is not a rung"),
    "base of an audit": ({"disclosure__base": 1}, "disclosure.base"),
    "no disclosure": ({"disclosure": None}, "disclosure.base"),
    "edges that do not fit": ({"scores__edges": [0, 0.5, 1]}, "scores is not"),
    "edges that fall": ({"scores": {"edges": [1, 0], "real": [1], "decoys": [1]}}, "scores.edges is not"),
    "a missing count": ({"scores": {"edges": [0, 1], "real": [None], "decoys": [1]}}, "scores.real[0]"),
    "a stratum without a field": ({"strata": [{"field": None, "values": []}]}, "strata[0].field"),
    "more agree than compared": ({"confirm": [{"field": "rank", "compared": 5, "agree": 10}]}, "confirm[0].agree"),
    "a nest for a parameter": ({"parameters": {"secret": {}}}, "parameters.…"),
}


@pytest.mark.parametrize(("changes", "shown"), WRONG.values(), ids=WRONG)
def test_what_is_not_a_report_is_refused_and_the_key_named(changes, shown):
    with pytest.raises(FileError, match=re.escape(shown)) as refused:
        render(report(**changes))
    assert refused.value.hint


@pytest.mark.parametrize("key", Record.specs())
def test_a_missing_key_is_refused_and_a_null_is_shown_or_refused(key):
    with pytest.raises(FileError):
        render({name: value for name, value in EXAMPLE.items() if name != key})
    if key in ("format", "disclosure", "verdict"):
        with pytest.raises(FileError):
            render(EXAMPLE | {key: None})
    else:
        assert "None" not in text(EXAMPLE | {key: None})


def everywhere(value, way=()):
    """Every path in a report."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*way, key)
            yield from everywhere(item, (*way, key))


@pytest.mark.parametrize("odd", [None, "<x>", -3, [], {}], ids=repr)
def test_an_odd_value_anywhere_never_crashes(odd, monkeypatch):
    monkeypatch.setattr("pprl.report.plots.plot", lambda *_, **__: _drawn())  # drawing is slow, and tried elsewhere
    for way in everywhere(EXAMPLE):
        document = copy.deepcopy(EXAMPLE)
        target = document
        for step in way[:-1]:
            target = target[step]
        target[way[-1]] = odd
        try:
            page = render(document)
        except FileError:
            continue
        assert "<x>" not in page


def _drawn():
    from pprl.report.plots import Plot

    return Plot("data:,", "data:,", "data:,", "data:,")


def test_a_plot_on_a_dark_background_is_the_same_in_other_colours():
    rows = [plots.Row("#1c1c1a <#0b5c96>", Estimate(0.4, 0.3, 0.5))]
    drawn = plots.forest(rows, reference=0.5, reference_label="all", number=str, axis="share", limits=(0, 1))
    for addresses in ((drawn.light, drawn.dark), (drawn.narrow_light, drawn.narrow_dark)):
        light, dark = (base64.b64decode(address.partition(",")[2]).decode() for address in addresses)
        assert "#1c1c1a &lt;#0b5c96&gt;" in dark  # a label is no colour
        for name in ("text", "faint", "rule", "people"):
            colour, other = (f": {getattr(ink, name)}" for ink in (plots.LIGHT, plots.DARK))
            assert colour in light
            assert colour not in dark
            light = light.replace(colour, other)
        ids = re.compile(r'(?<=["#])m[0-9a-f]{10}(?=")')  # of marks: hashes of their style
        assert ids.sub("m", light) == ids.sub("m", dark)


ODD_PLOTS = {
    "all zero": {"scores": {"edges": [0, 0.5, 1], "real": [0, 0], "decoys": [0, 0]}},
    "one rate": {"rates": [{"threshold": 0.5, "found": 5, "false_match_rate": 0}]},
    "many strata": {
        "strata": [
            {"field": "unit", "values": [{"label": f"u{n}", "people": 100, "found": 50, "net_found": 40}] * 3}
            for n in range(60)
        ]
    },
    "net found of all choices unknown": {
        "headline__net_found": None,
        "sensitivity": [{"what": "seed", "value": 2, "found": None, "net_found": None}],
    },
    "less than chance": {
        "sensitivity": [{"what": "seed", "value": None, "found": 5, "net_found": {"value": -5, "low": -20, "high": 9}}]
    },
    "agreement as by chance": {
        "confirm": [{"field": "rank", "compared": 20, "agree": 10, "chance": 0.5, "p": 0.4, "share": 0.5}]
    },
}


@pytest.mark.parametrize("changes", ODD_PLOTS.values(), ids=ODD_PLOTS)
def test_plots_of_odd_figures(changes):
    assert "data:image/svg+xml;base64," in render(report(**changes))


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[1]", b"{}", b"[" * 100_000, b"1" * 5_000, b"surname,given\n"])
def test_bytes_that_are_no_report(data):
    with pytest.raises(FileError, match=r"^not a report of pprl$") as refused:
        load(data)
    assert refused.value.hint


def test_an_unknown_language():
    with pytest.raises(FileError):
        render(EXAMPLE, "fr")


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("report.json").write_text(json.dumps(report(headline__people="x")), "utf-8")
    assert main(["report", "report.json", "-o", "report.html"]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json"]


def test_the_page_of_an_audit_is_not_readable_by_others(tmp_path):
    audit = EXAMPLE | {"format": "pprl-audit/1", "disclosure": {"base": 1}}
    (tmp_path / "audit.json").write_text(json.dumps(audit), "utf-8")
    assert main(["report", str(tmp_path / "audit.json"), "-o", str(tmp_path / "a.html")]) == 0
    assert (tmp_path / "a.html").stat().st_mode & 0o077 == 0


def test_standard_output_holds_the_page_alone():
    done = CliRunner().invoke(cli, ["report", "-", "-o", "-", "--language", "ru"], input=json.dumps(EXAMPLE))
    assert done.exit_code == 0
    assert done.stdout == render(EXAMPLE, "ru")
