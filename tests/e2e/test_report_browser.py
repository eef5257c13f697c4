"""The report in a real browser: nothing hostile runs, nothing is fetched, and a reader can find things."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.e2e.conftest import Open

from hardneg.collection import Collection
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.report import write_report
from hardneg.sources import Neighbors

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")

ATTACKS = [
    "</script><script>window.pwned = 'script'</script>",
    "<img src=x onerror=\"window.pwned = 'image'\">",
    "\"'><svg onload=window.pwned='svg'><a href='javascript:window.pwned=1'>link</a>",
    "W" * 900,
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with attacks in its texts and ids, suspects, copies and short anchors."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(10, 12))
    items = (centres[np.arange(120) // 12] + 0.5 * rng.normal(size=(120, 12))).astype("f4")
    positive = rng.integers(0, 120, 40)
    anchors = (items[positive] + 0.7 * rng.normal(size=(40, 12))).astype("f4")
    item_ids = [f"d{at} {ATTACKS[at % 7]}" if at % 7 < 3 else f"d{at}" for at in range(120)]
    same = [at - at % 5 // 4 for at in range(120)]  # the fourth and the fifth of five
    texts = [f"{ATTACKS[at // 5 % 4]} passage {at}" if at % 3 else f"passage {at}" for at in same]
    questions = [f"{ATTACKS[at % 4] if at % 2 else ''} question {at} of zebra" for at in range(40)]
    relations = Positives.from_pairs(
        [f"q{at}" for at in range(40)],
        [item_ids[at] for at in positive],
        anchors=Collection.of([f"q{at}" for at in range(40)], texts=questions),
        items=Collection.of(item_ids, texts=texts),
    )
    filters = ["known", "duplicates", "margin(relative=0.1)"]
    source = Neighbors(anchors, items, k=25)
    out = tmp_path_factory.mktemp("report") / "<b>run<b>"
    run = mine(relations, sources=source, filters=filters, sampler=["top(n=6)", "caps(per_item=2)"], out=out)
    return write_report(run, out.with_name("report.html"))


@pytest.fixture
def open_page(visit: Open, report: Path) -> Open:
    """Open the report."""
    return partial(visit, report)


def cards(page: Any) -> Any:
    return page.locator("#g-cards .card")


def show_all(page: Any) -> None:
    page.evaluate("() => { const more = document.getElementById('g-more'); while (!more.hidden) more.click(); }")


def status(page: Any) -> str:
    return str(page.locator("#g-count").inner_text())


def test_hostile_texts_are_shown_and_do_nothing(open_page: Open) -> None:
    page = open_page()
    show_all(page)
    assert cards(page).count() == 40
    assert page.locator("img").count() == 0
    assert page.locator("body script").count() == 3
    for summary in page.locator("details > summary").all()[:20]:
        summary.click()
    page.locator("#g-search").fill(ATTACKS[1])
    playwright.expect(cards(page).first).to_contain_text(ATTACKS[1])
    assert page.locator("h1").inner_text() == "<b>run<b>"


def test_search_finds_words_and_ids(open_page: Open) -> None:
    page = open_page()
    page.locator("#g-search").fill("question 17 of")
    playwright.expect(page.locator("#g-count")).to_contain_text("1 anchor,")
    assert "q17" in cards(page).inner_text()
    assert page.locator("mark").first.inner_text() == "question 17 of"
    page.locator("#g-search").fill("nothing says this")
    playwright.expect(page.locator("#g-count")).to_contain_text("0 anchors")
    assert page.locator(".empty").is_visible()
    page.locator("#g-reset").click()
    playwright.expect(page.locator("#g-count")).to_contain_text("40 anchors")


@pytest.mark.parametrize("verdict", ["negative", "suspect", "dropped"])
def test_filter_by_verdict(open_page: Open, verdict: str) -> None:
    page = open_page()
    page.locator("#g-state").select_option(label=verdict)
    show_all(page)
    chips = page.locator("#g-cards li:not(.positive) .chip:first-child").all_text_contents()
    assert chips
    assert set(chips) == {verdict}
    assert f"{len(chips)} candidate" in status(page)


def test_filter_by_reason_and_grade(open_page: Open) -> None:
    page = open_page()
    page.locator("#g-reason").select_option(label="Too close to the positive (margin.relative)")
    page.locator("#g-grade").select_option(label="hard")
    show_all(page)
    marks = page.locator("#g-cards li:not(.positive) .marks").all_text_contents()
    assert marks
    assert all("hard" in one and "above the positive" in one for one in marks)


def test_sort(open_page: Open) -> None:
    page = open_page()
    show_all(page)
    ids = page.locator("#g-cards .meta > code").all_text_contents()
    assert ids == [f"q{at}" for at in range(40)]
    page.locator("#g-sort").select_option("fewest")
    show_all(page)
    counts = page.locator("#g-cards .meta").all_text_contents()
    negatives = [int(text.split(" negative")[0].split()[-1]) for text in counts]
    assert negatives == sorted(negatives)
    assert negatives[0] < negatives[-1]
    page.locator("#g-sort").select_option("suspects")
    show_all(page)
    counts = page.locator("#g-cards .meta").all_text_contents()
    suspects = [int(text.split(" suspect")[0].split()[-1]) for text in counts]
    assert suspects == sorted(suspects, reverse=True)
    assert suspects[0] > suspects[-1]


def test_keyboard(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "g-search"
    page.keyboard.press("Escape")
    for key, heading in (("j", 0), ("j", 1), ("ArrowDown", 2), ("k", 1)):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.getAttribute('aria-labelledby')") == f"card-{heading}"
    page.locator(".ridge").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".ridge .readout").inner_text().startswith("Score ")


def test_pointing_at_a_chart_reads_its_counts(open_page: Open) -> None:
    page = open_page()
    page.locator("#ranks .hit").first.hover()
    assert page.locator("#ranks .readout").inner_text().startswith("Rank 0: ")


def test_words_in_common(open_page: Open) -> None:
    page = open_page()
    assert page.locator("mark").count() == 0
    page.locator("#g-common").check()
    show_all(page)
    assert "window" in {text.lower() for text in page.locator("mark.common").all_text_contents()}
    page.locator("#g-search").fill("passage")
    playwright.expect(page.locator("mark:not(.common)").first).to_have_text("passage")


def test_dark_and_light(open_page: Open) -> None:
    page = open_page(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.get_by_role("button", name="Change to dark colours")
    button.click()
    dark = page.evaluate(ground)
    assert dark != light
    page.get_by_role("button", name="Change to light colours").click()
    assert page.evaluate(ground) == light
    assert open_page(color_scheme="dark").evaluate(ground) == dark


@pytest.mark.parametrize("width", [320, 390, 768, 1200])
def test_nothing_overflows(open_page: Open, width: int) -> None:
    page = open_page(width)
    show_all(page)
    for summary in page.locator("details > summary").all()[:12]:
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_on_charts_are_whole(open_page: Open) -> None:
    labels = open_page().locator(".chart .label")
    assert labels.count() > 5
    assert labels.evaluate_all("(all) => all.filter((one) => one.scrollWidth > one.clientWidth).length") == 0


CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color, under) => {
    context.clearRect(0, 0, 1, 1);
    for (const one of under ? [under, color] : [color]) { context.fillStyle = one; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const linear = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (color) => color.slice(0, 3).map((value) => linear(value / 255))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgba(color)[3] === 255) return color;
    }
    return "white";
  };
  const poor = new Set();
  for (const node of document.querySelectorAll("body *")) {
    if (!node.checkVisibility() || ![...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim())) continue;
    if (node.closest("script, style, noscript")) continue;
    const style = getComputedStyle(node);
    const under = ground(node.closest("svg")?.parentElement ?? node);
    const [a, b] = [light(rgba(node.closest("svg") ? style.fill : style.color, under)), light(rgba(under))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.add(`${node.tagName}.${node.getAttribute("class")} ${ratio.toFixed(2)}`);
  }
  return [...poor];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(open_page: Open, scheme: str) -> None:
    """Every text stands out from its ground by 4.5 to 1 (WCAG 2, AA)."""
    page = open_page(color_scheme=scheme)
    page.locator("#g-search").fill("passage")
    page.locator("#g-common").check()
    assert page.evaluate(CONTRAST) == []


def test_controls_have_names_and_tables_have_heads(open_page: Open) -> None:
    page = open_page()
    for control in page.locator("button:visible, select:visible, input:visible").all():
        assert control.evaluate("one => one.labels?.length || one.textContent.trim() || one.ariaLabel")
    assert page.locator("table:not(:has(thead th[scope=col]))").count() == 0
    assert page.locator("h1").count() == 1


def test_without_javascript_all_but_the_gallery_can_be_read(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    text = page.locator("body").inner_text()
    for words in ("Where the candidates went", "duplicates.repeated_text", "Anchors that came up short"):
        assert words in text
    assert "needs JavaScript" in text
    assert not page.locator("#gallery-app").is_visible()
    page.locator("#scores summary").click()
    assert page.locator("#scores table").is_visible()
    context.close()


def test_prints_without_controls(open_page: Open) -> None:
    page = open_page()
    page.emulate_media(media="print")
    assert not page.locator(".tools").is_visible()
    assert page.locator(".waterfall").is_visible()
    assert len(page.pdf()) > 10_000


def test_the_map_goes_from_anchor_to_anchor(open_page: Open) -> None:
    page = open_page()
    figure = page.locator("figure.plane")
    figure.focus()
    page.keyboard.press("ArrowRight")
    playwright.expect(page.locator("#plane-said")).to_contain_text("question 0")
    belongs = page.locator("#plane-chosen circle")
    drawn = belongs.count()
    page.keyboard.press("ArrowRight")
    playwright.expect(page.locator("#plane-said")).to_contain_text("question 1")
    page.keyboard.press("ArrowLeft")
    assert belongs.count() == drawn > 1
    box = page.locator("#plane-chosen circle.anchor").bounding_box()
    page.locator("#plane-anchor").select_option(label="none chosen")
    assert belongs.count() == 0
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert belongs.count() > 1
