"""A real browser for the pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: install the package chromium, or set CHROMIUM to its path")
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def said_by_curve() -> Callable[[Any], str]:
    """What the first curve of a page, or of a part of it, says to the keyboard."""

    def said(where: Any) -> str:
        chart = where.locator(".curve").first
        chart.focus()
        chart.press("ArrowRight")
        return str(chart.locator(".readout").inner_text())

    return said


@pytest.fixture
def visit(browser: Any) -> Iterator[Open]:
    """Open a page; afterwards nothing may have been complained of, fetched or run."""
    contexts, complaints, requests, visited = [], [], [], set()

    def visit(path: Path, width: int = 1200, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        visited.add(path.as_uri())
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(path.as_uri())
        return page

    yield visit
    for context in contexts:
        for page in context.pages:
            assert page.evaluate("window.pwned") is None
        context.close()
    assert complaints == []
    assert {url for url in requests if not url.startswith("data:")} == visited
