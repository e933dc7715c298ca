"""The page in a real browser: Debian's chromium, driven by playwright.

Where there is no chromium the tests are skipped and say so; where ``CI`` is set they fail, so that they are not lost.
"""

import contextlib
import copy
import functools
import io
import json
import os
import shutil

import pytest
from helpers import DATA, ROOT

from pprl.cli import main
from pprl.report import render
from pprl.report.text import LANGUAGES, Words

EXAMPLE = json.loads((DATA / "report_example.json").read_text("utf-8"))
TWO_FILES = ROOT / "examples" / "two_files"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VIEWS = [(width, scheme) for width in (1280, 360) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        reason = "no chromium on this machine: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if root else [])
        yield running
        running.close()


@functools.cache
def page_of(figures, language):
    return render(json.loads(figures), language)


@pytest.fixture
def opened(browser, tmp_path):
    """Open a report, or a finished page, from a file; ``messages`` and ``requests`` are those of the browser."""
    contexts = []

    def show(document, language="en", width=1280, scheme="light"):
        path = tmp_path / "report.html"
        path.write_text(document if isinstance(document, str) else page_of(json.dumps(document), language), "utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.messages, page.requests = [], []
        page.on("console", lambda message: page.messages.append(message.text))
        page.on("pageerror", lambda error: page.messages.append(str(error)))
        page.on("dialog", lambda dialog: (page.messages.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_load_state("networkidle")
        return page

    yield show
    for context in contexts:
        context.close()


def poisoned():
    document = copy.deepcopy(EXAMPLE)
    labels = [
        "<script>document.title='owned'</script>",
        '=HYPERLINK("http://example.org")',
        "\u202egnp.exe",
        "W" * 10_000,
    ]
    document["matter"] = labels[3]
    for value, label in zip(document["strata"][0]["values"], labels, strict=True):
        value["label"] = label
    document["confirm"][0]["field"], document["confirm"][1]["field"] = labels[:2]
    for choice, label in zip(document["sensitivity"], labels, strict=False):
        choice["what"] = choice["value"] = label
    document["fingerprints"]["schema"] = "0f" * 32
    document["completeness"][0]["name"] = document["warnings"] = document["run"] = labels[3]
    document["warnings"] = labels
    return document, labels


def has_no_sideways_scroll(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def drawn(page):
    """The pictures that are shown: whether they have loaded, their width and their alternative text."""
    return page.evaluate(
        """Promise.all([...document.images].filter(i => i.checkVisibility()).map(async i => {
            await i.decode(); return {width: i.naturalWidth, alt: i.alt, source: i.currentSrc} }))"""
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_the_page_in_each_view(opened, language, width, scheme):
    page = opened(EXAMPLE, language, width, scheme)
    assert not page.messages
    assert [url for url in page.requests if not url.startswith("data:")] == [page.url]
    assert has_no_sideways_scroll(page)
    assert page.locator("#net").inner_text() == Words(language).number(EXAMPLE["headline"]["net_found"]["value"])
    assert page.locator("h1").inner_text() == Words(language)(f"rung.{EXAMPLE['verdict']['code']}")
    assert page.locator("#net").is_visible()
    pictures = drawn(page)
    assert len(pictures) == 4
    assert all(picture["width"] == (680 if width == 1280 else 340) for picture in pictures)
    assert all(len(picture["alt"]) > 40 for picture in pictures)
    assert page.locator("section:has(figure)").count() == page.locator("section:has(figure):has(table)").count() == 4


def test_dark_and_light_are_different_drawings_and_paper_is_light(opened):
    light, dark = opened(EXAMPLE), opened(EXAMPLE, scheme="dark")
    shown = {picture["source"] for picture in drawn(light)}
    assert not shown & {picture["source"] for picture in drawn(dark)}
    dark.emulate_media(media="print")
    assert {picture["source"] for picture in drawn(dark)} == shown
    assert dark.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_prints_on_a4_with_all_figures(opened, language):
    page = opened(EXAMPLE, language)
    paper = page.pdf(format="A4", prefer_css_page_size=True)
    assert paper.count(b"/Type /Page\n") in range(4, 12)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794 - 121, "height": 1123})  # A4 in CSS pixels, less the margins
    assert has_no_sideways_scroll(page)


@pytest.mark.parametrize("width", [1280, 360])
def test_hostile_labels_show_as_text(opened, width):
    document, labels = poisoned()
    page = opened(document, width=width)
    assert not page.messages
    assert [url for url in page.requests if not url.startswith("data:")] == [page.url]
    assert page.evaluate("document.scripts.length") == 0
    assert "owned" not in page.title()
    assert has_no_sideways_scroll(page)
    shown = page.locator("body").inner_text()
    assert labels[0] in shown
    assert labels[1] in shown
    assert "[U+202E]gnp.exe" in shown
    assert "W… (10,000 characters)" in shown
    assert all(picture["width"] for picture in drawn(page))


def test_a_script_that_got_in_would_not_run(opened, tmp_path):
    page = opened(EXAMPLE)
    path = tmp_path / "tampered.html"
    path.write_text(render(EXAMPLE).replace("</body>", "<script>document.title='owned'</script></body>"), "utf-8")
    page.goto(path.as_uri())
    assert page.title() != "owned"
    assert page.messages


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_no_serious_finding_of_axe(opened, language, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(EXAMPLE, language, width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page).response["violations"]
    serious = [(item["id"], item["nodes"][0]["html"]) for item in found if item["impact"] in ("serious", "critical")]
    assert not serious


@pytest.fixture(scope="module")
def examined(tmp_path_factory):
    """The page of `pprl risk` on the example, and its figures."""
    folder = tmp_path_factory.mktemp("risk")
    roster, schema, registry = (str(TWO_FILES / name) for name in ("leaked.csv", "schema.toml", "registry.csv"))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        options = ["--population", registry, "--json", "-o", str(folder / "risk.html")]
        assert main(["risk", roster, "--schema", schema, *options]) == 0
    return (folder / "risk.html").read_text("utf-8"), json.loads(out.getvalue())


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_the_page_of_risk(opened, examined, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    document, figures = examined
    page = opened(document, width=width, scheme=scheme)
    assert not page.messages
    assert [url for url in page.requests if not url.startswith("data:")] == [page.url]
    assert has_no_sideways_scroll(page)
    agreed = next(item for item in figures["hardenings"] if item["hardening"] == figures["agreed_hardening"])
    most = max(attack["known"] for attack in agreed["known_pairs"])
    falls = agreed["known_pairs_that_name_5_percent"]
    assert page.locator("#net").inner_text() == (str(falls) if falls else f"> {most}")
    (picture,) = drawn(page)
    assert picture["width"] == (680 if width == 1280 else 340)
    assert f"{figures['hardenings'][0]['known_pairs'][2]['rate']:.1%}" in picture["alt"]
    assert page.locator("table").count() >= 7
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page).response["violations"]
    assert not [item["id"] for item in found if item["impact"] in ("serious", "critical")]
