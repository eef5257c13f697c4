"""The review in a real browser with a real server: by keyboard, stopped and gone on with, by two people at once."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tests.detected import mined
from tests.heard import heard
from tests.served import Served, served
from tests.unit.report.conftest import build

import hardneg as hn
from hardneg.auditing import audit
from hardneg.cli.main import cli
from hardneg.decisions import FILE, read_decisions
from hardneg.mining import Settings
from hardneg.report.numbers import share
from hardneg.run import Run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
pytest.importorskip("uvicorn", reason='the extra "review" is not installed: pip install "hardneg[review]"')

playwright.expect.set_options(timeout=30_000)  # a machine may be busy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run with attacks in its texts and ids."""
    return build(tmp_path / "run", hostile=True).path


class Visits:
    """Opens pages, and keeps what they complain of."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    def open(self, address: str, width: int = 1200, **options: Any) -> Any:
        context = self._browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.goto(address)
        return page


@pytest.fixture
def visits(browser: Any) -> Iterator[Visits]:
    made = Visits(browser)
    yield made
    for context in made.contexts:
        for page in context.pages:
            assert page.evaluate("window.pwned") is None
        context.close()
    assert [one for one in made.complaints if "net::ERR_CONNECTION_REFUSED" not in one] == []


def done(page: Any, number: int) -> None:
    """Wait until so many are answered."""
    playwright.expect(page.get_by_role("status")).to_contain_text(f"{number} of ")


def shown(page: Any) -> str:
    return str(page.locator('input[name="row"]').first.get_attribute("value"))


def as_who(server: Served, who: str) -> str:
    return server.address.replace("who=ada", f"who={who}")


def test_twenty_by_keyboard_undone_stopped_and_gone_on_with(visits: Visits, folder: Path) -> None:
    rows = []
    with served(folder) as server:
        page = visits.open(server.address)
        for number in range(20):
            rows.append(shown(page))
            page.keyboard.press("npis"[number % 4])
            done(page, number + 1)
        assert len(set(rows)) == 20
        page.keyboard.press("u")
        done(page, 19)
        assert shown(page) == rows[-1]
        page.keyboard.press("p")
        done(page, 20)
        here = shown(page)
    answers = [one.answer for one in read_decisions(folder / FILE)]
    assert answers == ["negative", "positive", "ignore", "skip"] * 4 + ["negative", "positive", "ignore", "positive"]
    with served(folder) as server:
        page = visits.open(server.address)
        done(page, 20)
        assert shown(page) == here


def test_a_killed_server_loses_nothing_and_the_page_says_so(visits: Visits, folder: Path) -> None:
    with served(folder) as server:
        page = visits.open(server.address)
        for number in range(5):
            page.keyboard.press("n")
            done(page, number + 1)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        page.keyboard.press("n")
        playwright.expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    assert len(read_decisions(folder / FILE)) == 5
    with served(folder) as server:
        done(visits.open(server.address), 5)


def test_two_reviewers_at_once_with_two_servers(visits: Visits, folder: Path) -> None:
    with served(folder) as server, served(folder) as other:
        pages = [visits.open(server.address), visits.open(as_who(server, "ben")), visits.open(as_who(other, "cleo"))]
        for number in range(6):
            for page, key in zip(pages, ("n", "n" if number % 2 else "p", "n"), strict=True):
                page.keyboard.press(key)
            for page in pages:
                done(page, number + 1)
        pages[0].get_by_role("link", name="Reviewers").click()
        table = pages[0].get_by_role("table", name="Agreement of each two reviewers")
        playwright.expect(table).to_contain_text("ada and ben")
        assert table.locator("tbody tr").count() == 3
    found = read_decisions(folder / FILE)
    assert {who: sum(one.who == who for one in found) for who in ("ada", "ben", "cleo")} == dict.fromkeys(
        ("ada", "ben", "cleo"), 6
    )


def test_what_others_said_is_not_shown_before_one_has_answered(visits: Visits, folder: Path) -> None:
    with served(folder) as server:
        first = visits.open(server.address)
        first.keyboard.press("p")
        done(first, 1)
        second = visits.open(as_who(server, "ben"))
        assert "ada" not in second.locator("main").inner_text()
        second.keyboard.press("n")
        done(second, 1)
        second.keyboard.press("ArrowLeft")
        playwright.expect(second.locator(".bar")).to_contain_text("ada: positive")


def test_the_grid_is_answered_card_by_card(visits: Visits, folder: Path) -> None:
    with served(folder) as server:
        page = visits.open(server.address)
        page.keyboard.press("g")
        playwright.expect(page.locator(".cell")).to_have_count(12)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        row = page.evaluate("document.activeElement.id")
        page.keyboard.press("p")
        done(page, 1)
        playwright.expect(page.locator(f"#{row}")).to_be_focused()
        assert "positive" in str(page.locator(f"#{row}").get_attribute("aria-label"))
        page.keyboard.press("u")
        done(page, 0)
    assert read_decisions(folder / FILE) == []


def test_filters_and_orders(visits: Visits, folder: Path) -> None:
    with served(folder) as server:
        page = visits.open(server.address)
        page.get_by_text("Filter and sort").click()
        page.locator("select[name=queue]").select_option("all")
        page.locator("select[name=state]").select_option("suspect")
        page.locator("select[name=sort]").select_option("score")
        page.get_by_label("At most").fill("0.6")
        page.get_by_role("button", name="Show").click()
        playwright.expect(page).to_have_url(re.compile(r"most=0\.6"))  # the page before may show a suspect as well
        page.wait_for_load_state()
        playwright.expect(page.locator(".bar .chip").first).to_have_text("suspect")
        score = float(page.locator(".figures-of dd").first.inner_text().split()[0])
        assert score <= 0.6
        page.keyboard.press("ArrowRight")
        playwright.expect(page.locator(".bar")).to_contain_text("Candidate 2 of")
        assert float(page.locator(".figures-of dd").first.inner_text().split()[0]) <= score
        page.get_by_role("link", name="Clear").click()
        playwright.expect(page.locator(".bar")).to_contain_text("Candidate 1 of 1,000")


def test_the_sample_of_the_audit_carries_weights_and_its_interval_shrinks(visits: Visits, folder: Path) -> None:
    with served(folder) as server:
        page = visits.open(server.address + "&queue=sample")
        widths = []
        for number in range(12):
            page.keyboard.press("p" if number == 4 else "n")
            done(page, number + 1)
            widths.append(float(str(page.locator(".interval .range").get_attribute("width")).rstrip("%")))
        shown = page.locator(".share").inner_text()
    assert widths[-1] < widths[5] < 100
    found = read_decisions(folder / FILE)
    assert all(one.stratum and one.weight for one in found)
    told = audit(folder).best
    assert told is not None
    assert told.kind == "measured"
    assert share(told.share.low, 1) in shown
    assert share(told.share.high, 1) in shown
    assert "12 judgements" in shown


def test_without_javascript_it_is_forms_and_links(visits: Visits, folder: Path) -> None:
    with served(folder) as server:
        page = visits.open(server.address, java_script_enabled=False)
        page.get_by_role("button", name="Ignore").click()
        done(page, 1)
        page.get_by_role("button", name="Undo").click()
        done(page, 0)
        page.goto(server.address.partition("?")[0])
        page.get_by_label("Your name").fill("ben <b>")
        page.get_by_role("button", name="Begin").click()
        assert page.get_by_label("Reviewer").input_value() == "ben <b>"
        visits.contexts.clear()  # nothing can be asked of a page without JavaScript
    assert read_decisions(folder / FILE) == []


def test_hostile_names_of_files_and_classes_stay_names(visits: Visits, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    names = [
        "<img src=x onerror=window.pwned=1>",
        "'\"><svg onload=window.pwned=1>",
        "..%2f..%2fetc%2fpasswd",
        "a b&c=d#e?f",
    ]
    for label in ("<b>cat", "dog' onclick='window.pwned=1"):
        for at in range(6):
            place = tmp_path / "pets" / label / f"{names[at % 4]}{at}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(place)
    recipe = hn.Recipe(tmp_path / "pets", filters=("known",))
    run = recipe.mine(recipe.read_data(), tmp_path / "run", Settings())
    with served(run.path) as server:
        for more in ("", "&layout=grid"):
            page = visits.open(server.address + more)
            page.wait_for_load_state("networkidle")
            assert page.locator("img").count() >= 2
            assert page.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
            assert page.evaluate("[...document.images].every((one) => /\\/picture\\/item\\/[0-9]+$/.test(one.src))")
            assert page.locator("b, svg[onload], img[onerror], [onclick]").count() == 0


def test_boxes_are_seen_where_they_are(visits: Visits, tmp_path: Path) -> None:
    with served(mined(tmp_path).path) as server:
        page = visits.open(server.address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
        box = page.locator(".candidate .scene .box")
        assert [float(str(box.get_attribute(name))) for name in ("x", "y", "width", "height")] == [100, 20, 40, 40]
        assert page.locator(".candidate .scene").get_attribute("viewBox") == "0 0 160 120"


def test_sounds_are_seen_and_played(visits: Visits, tmp_path: Path) -> None:
    with served(heard(tmp_path, "clips").path) as server:
        page = visits.open(server.address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
        page.evaluate(
            "document.addEventListener('playing', (e) => { document.body.dataset.heard = e.target.src; }, true)"
        )
        page.keyboard.press("Space")
        playwright.expect(page.locator("body")).to_have_attribute("data-heard", re.compile("/sound/item/"))
        first = str(page.locator("body").get_attribute("data-heard"))
        page.keyboard.press("1")
        playwright.expect(page.locator("body")).not_to_have_attribute("data-heard", first)


def test_a_hundred_answers_change_the_next_negatives_and_the_audit(visits: Visits, tmp_path: Path) -> None:
    """Answered on the page, then through the commands: what was called positive is no negative again."""
    run = build(tmp_path / "run", anchors=60, items=200)
    before = audit(run).best
    with served(run.path) as server:
        page = visits.open(server.address + "&queue=sample")
        for number in range(100):
            page.keyboard.press("p" if number % 10 == 0 else "n")
            done(page, number + 1)
    assert before is None or before.kind != "measured"
    told = audit(Run.open(run.path)).best
    assert told is not None
    assert told.kind == "measured"
    assert told.share.low < 0.1 < told.share.high < 0.2
    made = CliRunner().invoke(cli, ["refilter", str(run.path), "-o", str(tmp_path / "again")])
    assert made.exit_code == 0, made.output
    assert "100 found by id" in made.output
    again = Run.open(tmp_path / "again")
    wrong = {(one.anchor, one.item) for one in read_decisions(run.path / FILE) if one.answer == "positive"}
    left = set(zip(again.negatives["anchor"].to_pylist(), again.negatives["item"].to_pylist(), strict=True))
    assert len(wrong) == 10
    assert not wrong & left
    assert len(left) == again.ledger["sampled"]
