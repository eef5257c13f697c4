"""The report of labelled pictures in a real browser: the confusion map, thumbnails, and hostile labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.e2e.conftest import Open
from tests.e2e.test_report_browser import CONTRAST, show_all
from tests.labelled import labelled

from hardneg.report import write_report
from hardneg.run import Run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
pytest.importorskip("PIL")
ATTACK = "<img src=x onerror=\"window.pwned='label'\">"


def renamed(run: Run, old: str, new: str) -> None:
    """Another name for a class, in what the run has read."""
    for things in (run.items, run.anchors):
        names = [new if one == old else one for one in things.table.column("label").to_pylist()]
        at = things.table.schema.get_field_index("label")
        object.__setattr__(things, "table", things.table.set_column(at, "label", pa.array(names, pa.string())))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of pictures, of classes as anchors, and of texts; one class is an attack, one picture is missing."""
    folder = tmp_path_factory.mktemp("labelled")
    out = {}
    for name, content, anchors in (
        ("items", "path", "items"),
        ("classes", "image", "classes"),
        ("texts", "text", "items"),
    ):
        run = labelled(folder / name, content, anchors=anchors)  # type: ignore[arg-type]
        if name == "items":
            renamed(run, "great/ape", ATTACK)
            (folder / name / "pictures" / "2" / "p2.png").unlink()
        out[name] = write_report(run, folder / f"{name}.html")
    return out


@pytest.fixture
def open_page(visit: Open, pages: dict[str, Path]) -> Open:
    """Open one of the reports."""
    return lambda name="items", *args, **options: visit(pages[name], *args, **options)


@pytest.mark.parametrize("name", ["items", "classes"])
def test_every_picture_is_there_and_has_words(open_page: Open, name: str) -> None:
    page = open_page(name)
    show_all(page)
    page.evaluate("() => Promise.all([...document.images].map((one) => one.decode()))")
    found = page.evaluate("() => [...document.images].map((one) => [one.naturalWidth, one.alt, one.className])")
    assert len(found) > 60
    for width, alt, classes in found:
        assert width == 12
        assert "i" in alt
        assert "small" in classes
    assert any("labelled dog" in alt for _, alt, _ in found)


def test_a_missing_picture_is_said(open_page: Open) -> None:
    page = open_page()
    page.locator("#g-search").fill("i2")
    show_all(page)
    assert page.locator("#gallery .thumb.missing").first.text_content() == "file not found"


def test_labels_stand_beside_and_are_found(open_page: Open) -> None:
    page = open_page()
    page.locator("#g-search").fill(ATTACK)
    playwright.expect(page.locator("#g-cards .card h3 .tag").filter(has_text=ATTACK).first).to_be_visible()
    assert page.locator("#g-cards .tag.none").first.text_content() == "no label"
    assert page.get_by_text("Mark words in common").is_hidden()


def test_the_map_can_be_read_as_a_table(open_page: Open) -> None:
    page = open_page()
    table = page.locator("#confusion table.sampled")
    heads = table.locator("thead th").all_text_contents()
    assert set(heads[1:-1]) == {"cat", "dog", ATTACK, "..", "no label"}
    assert heads[-1] == "all"
    for row in table.locator("tbody tr").all():
        cells = row.locator("td").all_text_contents()
        figures = [int(one) for one in cells if one.strip() != "–"]
        assert sum(figures[:-1]) == figures[-1]
    assert table.locator("caption").count() == 1
    assert page.locator("#confusion .confused > li").count() > 3


def test_pairs_of_texts_stand_side_by_side(open_page: Open) -> None:
    page = open_page("texts")
    first = page.locator("#confusion .examples > li").first
    assert first.locator(".thing").count() == 2
    assert "text " in first.locator(".thing").first.inner_text()
    assert page.locator("img").count() == 0


def test_a_class_as_anchor_is_called_one(open_page: Open) -> None:
    page = open_page("classes")
    assert page.locator("#g-cards .card h3").first.text_content().startswith("Class ")
    assert "more of this class" in page.locator("#g-cards").text_content()
    assert page.locator("#confusion .examples > li").first.locator(".thing").count() == 1


def test_figures_in_the_map_stay_on_one_line(open_page: Open) -> None:
    cells = open_page("items", 320).locator("#confusion .heat td")
    cells.evaluate_all("(all) => all.forEach((one) => { one.textContent = '123'; })")
    assert len(set(cells.evaluate_all("(all) => all.map((one) => one.clientHeight)"))) == 1
    assert cells.first.evaluate("(one) => one.clientHeight") < 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["items", "texts"])
def test_contrast(open_page: Open, scheme: str, name: str) -> None:
    assert open_page(name, color_scheme=scheme).evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 768, 1200])
@pytest.mark.parametrize("name", ["items", "classes", "texts"])
def test_nothing_overflows(open_page: Open, width: int, name: str) -> None:
    page = open_page(name, width)
    show_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_map_needs_no_javascript_and_prints(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["items"].as_uri())
    assert page.locator("#confusion table.sampled").is_visible()
    assert page.locator("#confusion img.thumb").count() > 10
    page.emulate_media(media="print")
    assert page.locator("#confusion table.sampled").is_visible()
    assert len(page.pdf()) > 10_000
    context.close()
