"""The report of labelled pictures in a real browser: the confusion map, thumbnails, and hostile labels."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.e2e.test_report_browser import CONTRAST
from tests.labelled import labelled

from hardneg.report import write_report
from hardneg.run import Run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
pytest.importorskip("PIL")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ATTACK = "<img src=x onerror=\"window.pwned='label'\">"

Open = Callable[..., Any]


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: install the package chromium, or set CHROMIUM to its path")
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def open_page(browser: Any, pages: dict[str, Path]) -> Iterator[Open]:
    """Open a report; afterwards nothing may have been complained of, fetched or run."""
    contexts, complaints, requests = [], [], []

    def open_page(name: str = "items", width: int = 1200, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(pages[name].as_uri())
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert page.evaluate("window.pwned") is None
        context.close()
    assert complaints == []
    assert {url for url in requests if not url.startswith("data:")} <= {path.as_uri() for path in pages.values()}


def show_all(page: Any) -> None:
    page.evaluate("() => { const more = document.getElementById('g-more'); while (!more.hidden) more.click(); }")


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
    playwright.expect(page.locator("#g-cards .card h3 .label").filter(has_text=ATTACK).first).to_be_visible()
    assert page.locator("#g-cards .label.none").first.text_content() == "no label"
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
