"""The pages about detections in a real browser: boxes on pictures, sorted and filtered, in both colour schemes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.detected import TRUTH, mined
from tests.e2e.conftest import Open
from tests.e2e.test_cli import hardneg, succeeded
from tests.e2e.test_report_browser import CONTRAST

from hardneg.report import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
pytest.importorskip("PIL")
pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")
ATTACK = "<img src=x onerror=\"window.pwned='box'\">  two"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of a run, in which a category is an attack, and that of an evaluation on the command line."""
    folder = tmp_path_factory.mktemp("detection")
    truth: dict[str, Any] = json.loads(json.dumps(TRUTH))
    truth["categories"][1]["name"] = ATTACK
    run = mined(folder, truth)
    succeeded(
        hardneg(
            "evaluate", folder / "truth.json", "--predictions", folder / "found.json", "--images", folder / "images",
            "--draws", 20, "-o", folder / "judged",
        )
    )  # fmt: skip
    return {"run": write_report(run, folder / "run.html"), "evaluation": folder / "judged/report.html"}


@pytest.fixture
def open_page(visit: Open, pages: dict[str, Path]) -> Open:
    return lambda name="run", *args, **options: visit(pages[name], *args, **options)


def scores(page: Any) -> list[str]:
    return [str(one) for one in page.locator(".look:visible strong").all_text_contents()]


@pytest.mark.parametrize("name", ["run", "evaluation"])
def test_boxes_lie_where_they_are(open_page: Open, name: str) -> None:
    page = open_page(name)
    look = page.locator(".look", has=page.locator(".chip", has_text="Background")).first
    look.scroll_into_view_if_needed()
    scene, own = look.locator("svg.scene").bounding_box(), look.locator("rect.own").bounding_box()
    share = [(own[a] - scene[a]) / scene[b] for a, b in (("x", "width"), ("y", "height"))]
    assert share == pytest.approx([100 / 160, 20 / 120], abs=0.03)
    assert own["width"] / scene["width"] == pytest.approx(40 / 160, abs=0.03)  # with its line
    assert "cat found with score 0.900" in str(look.locator("svg.scene").get_attribute("aria-label"))


@pytest.mark.parametrize("name", ["run", "evaluation"])
def test_pictures_are_shown(open_page: Open, name: str) -> None:
    page = open_page(name)
    sizes = page.evaluate("""() => Promise.all([...document.querySelectorAll("symbol image")].map(async (one) => {
        const picture = new Image();
        picture.src = one.getAttribute("href");
        await picture.decode();
        return [picture.naturalWidth, picture.naturalHeight];
    }))""")
    assert sizes
    assert all(one == [160, 120] for one in sizes)
    page.locator(".look").first.scroll_into_view_if_needed()
    drawn = page.locator(".look svg.scene").first.screenshot()
    assert len(set(drawn)) > 50  # not one colour


def test_sorted_and_filtered(open_page: Open) -> None:
    page = open_page()
    assert scores(page) == ["0.900", "0.750", "0.550"]
    page.locator("#b-state").select_option(label="negative")
    assert scores(page) == ["0.750", "0.550"]
    assert page.locator("#b-count").inner_text() == "2 boxes"
    page.locator("#b-kind").select_option(label="Confusion")
    assert scores(page) == ["0.550"]
    page.locator("#b-state").select_option(label="suspect")
    assert page.locator("#b-empty").is_visible()
    page.get_by_role("button", name="Clear").first.click()
    playwright.expect(page.locator("#b-count")).to_have_text("3 boxes")
    page.locator("#b-sort").select_option("kind")
    kinds = page.locator(".look").evaluate_all("(all) => all.map((one) => one.dataset.kind)")
    assert kinds == ["background", "background", "confusion"]


def test_a_category_of_any_name_can_be_chosen(open_page: Open) -> None:
    page = open_page("evaluation")
    page.locator("#b-category").select_option(value=ATTACK)
    assert page.locator("#b-count").inner_text() == "1 box"
    assert page.locator(".look:visible .chip").all_text_contents() == ["Missed"]


def test_a_chart_is_read_with_the_keyboard(open_page: Open) -> None:
    page = open_page()
    chart = page.locator("#curves .chart").first
    chart.focus()
    page.keyboard.press("ArrowRight")
    playwright.expect(chart.locator(".readout")).to_contain_text("Recall 0.00: as mined: precision")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["run", "evaluation"])
def test_contrast(open_page: Open, scheme: str, name: str) -> None:
    assert open_page(name, color_scheme=scheme).evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 768, 1200])
@pytest.mark.parametrize("name", ["run", "evaluation"])
def test_nothing_overflows(open_page: Open, width: int, name: str) -> None:
    assert open_page(name, width).evaluate("document.documentElement.scrollWidth") <= width


def test_controls_have_names_and_tables_have_heads(open_page: Open) -> None:
    page = open_page("evaluation")
    for control in page.locator("button:visible, select:visible").all():
        assert control.evaluate("one => one.labels?.length || one.textContent.trim() || one.ariaLabel")
    assert page.locator("table:not(:has(thead th[scope=col]))").count() == 0
    assert page.locator("h1").inner_text() == "found.json"


def test_without_javascript_boxes_are_there(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["run"].as_uri())
    assert page.locator(".look:visible").count() == 3
    assert not page.locator("#b-tools").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".look").first.is_visible()
    context.close()
