"""The report of sounds in a real browser: they play, they are drawn, and they can be compared from the keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.e2e.conftest import Open
from tests.e2e.test_report_browser import CONTRAST, show_all
from tests.heard import SECONDS, heard

from hardneg.report import write_report
from hardneg.report.excerpts import LONGEST
from hardneg.testing._sounds import saved, tone

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")

ATTACK = "<img src=x onerror=\"window.pwned='speaker'\">"
STEP = 0.01
PEAK = 20  # of the scores, at 0.2 s of 0.25


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of files (one is long, one is missing), of clips with a detector's scores, and with texts."""
    folder = tmp_path_factory.mktemp("heard")
    files = heard(folder / "files", extra={"session": [ATTACK] * 48})
    sounds = folder / "files" / "sounds"
    (sounds / "2" / "s2.wav").unlink()
    (sounds / "0" / "s3.wav").write_bytes(saved(tone(300, 8.0)))
    track = np.exp(-((np.arange(25) - PEAK) ** 2) / 8).tolist()
    start = [row % 24 * SECONDS for row in range(48)]
    scored = {
        "scores": [track] * 48, "step": [STEP] * 48,
        "event_start": [one + 0.15 for one in start], "event_end": [one + 0.22 for one in start],
    }  # fmt: skip
    runs = {
        "files": files,
        "clips": heard(folder / "clips", "clips", anchors="classes", extra=scored),
        "texts": heard(folder / "texts", "bytes", extra={"text": [f"words of {row}, said " * 9 for row in range(48)]}),
    }
    return {name: write_report(run, folder / f"{name}.html") for name, run in runs.items()}


@pytest.fixture
def open_page(visit: Open, pages: dict[str, Path]) -> Open:
    """Open one of the reports."""
    return lambda name="files", *args, **options: visit(pages[name], *args, **options)


PLAY = """async (source) => {
  const audio = new Audio(source);
  await new Promise((done, fail) => {
    audio.onloadedmetadata = done;
    audio.onerror = () => fail(audio.error.message);
  });
  audio.muted = true;
  await audio.play();
  await new Promise((done) => { audio.onended = done; });
  return [audio.duration, audio.currentTime];
}"""


@pytest.mark.parametrize("name", ["files", "clips", "texts"])
def test_every_sound_is_whole_and_plays_to_its_end(open_page: Open, name: str) -> None:
    page = open_page(name)
    show_all(page)
    sources = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('.listen')].map((one) => one.sound.source))]"
    )
    assert len(sources) > 40
    for source in sorted(sources)[:4]:
        duration, end = page.evaluate(PLAY, source)
        assert duration == pytest.approx(SECONDS, abs=0.05)
        assert end == pytest.approx(duration, abs=0.05)


def test_what_is_played_is_what_is_in_the_file(open_page: Open) -> None:
    page = open_page()
    page.locator("#g-search").fill("i8")
    button = page.get_by_role("button", name="Play Anchor i8, labelled yes, speaker cy").first
    playwright.expect(button).to_be_visible()
    pitch = page.evaluate(
        """async (source) => {
          const bytes = Uint8Array.from(atob(source.split(",")[1]), (one) => one.charCodeAt(0));
          const found = await new OfflineAudioContext(1, 16000, 16000).decodeAudioData(bytes.buffer);
          const samples = found.getChannelData(0);
          let crossings = 0;
          for (let at = 800; at < 3200; at += 1) crossings += samples[at - 1] < 0 && samples[at] >= 0 ? 1 : 0;
          return (crossings * 16000) / 2400;
        }""",
        button.evaluate("(one) => one.sound.source"),
    )
    assert pitch == pytest.approx(200 + 40 * 8, rel=0.05)


def test_a_click_plays_and_another_stops(open_page: Open) -> None:
    page = open_page()
    page.locator("#g-search").fill("i3")  # the long one
    button = page.get_by_role("button", name="Play Anchor i3,").first
    playwright.expect(button).to_be_visible()
    assert "2.5 to 5.5 of 8 s" in button.get_attribute("aria-label")
    button.click()
    playwright.expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => document.getElementById('g-player').currentTime > 0.1")
    player = page.locator("#g-player")
    assert player.evaluate("(one) => one.duration") == pytest.approx(LONGEST, abs=0.05)
    assert player.evaluate("(one) => one.error") is None
    assert float(button.locator(".now").get_attribute("x1")) > 0
    other = page.get_by_role("button", name="Play Positive").first
    other.click()
    button.click()
    button.click()
    other.click()
    playwright.expect(other).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(100)
    assert page.locator(".playing").count() == 1
    other.click()
    playwright.expect(other).to_have_attribute("aria-pressed", "false")
    assert player.evaluate("(one) => one.paused")


def test_three_are_compared_from_the_keyboard(open_page: Open) -> None:
    page = open_page()
    card = page.locator("#g-cards .card").first
    page.evaluate(
        """() => {
          window.heard = [];
          const audio = document.getElementById("g-player");
          audio.addEventListener("playing", () => window.heard.push(player.button?.sound.names));
        }"""
    )
    compare = card.get_by_role("button", name="Compare").first
    compare.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.heard.length === 3 && !player.button", timeout=15_000)
    names = page.evaluate("() => window.heard")
    assert [one.split()[0] for one in names] == ["Anchor", "Positive", "Item"]
    assert names[0].split(",")[0].removeprefix("Anchor ") in card.locator("h3").inner_text()
    assert page.locator("#g-said").text_content() == names[2]
    compare.click()
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.getElementById('g-player').paused")
    assert page.locator(".playing").count() == 0


def test_where_the_anchor_is_a_class_two_are_compared(open_page: Open) -> None:
    page = open_page("clips")
    page.evaluate(
        "() => { window.heard = 0; document.getElementById('g-player').onplay = () => { window.heard += 1; }; }"
    )
    page.get_by_role("button", name="Compare").first.click()
    page.wait_for_function("() => window.heard === 2 && !player.button", timeout=15_000)


def test_the_scores_and_the_event_are_drawn(open_page: Open) -> None:
    page = open_page("clips")
    button = page.locator("#g-cards .listen").first
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    numbers = [float(one) for one in button.locator(".score").get_attribute("points").split()]
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    highest = min(points, key=lambda point: point[1])
    assert highest[0] == pytest.approx(100 * PEAK * STEP / SECONDS, abs=5)
    event = button.locator(".event").bounding_box()
    assert (event["x"] - box["x"]) / box["width"] == pytest.approx(0.15 / SECONDS, abs=0.02)
    assert event["width"] / box["width"] == pytest.approx(0.07 / SECONDS, abs=0.03)
    assert "highest score 1.000" in button.get_attribute("aria-label")
    assert page.locator("#g-cards .score").count() > 10


def test_a_missing_sound_is_said_and_stops_nothing(open_page: Open) -> None:
    page = open_page()
    page.locator("#g-search").fill("i2")
    show_all(page)
    missing = page.locator("#gallery .thumb.missing").first
    assert missing.text_content() == "file not found"
    assert page.locator("#g-cards .listen").count() > 10


def test_what_is_known_of_a_sound_stands_beside_it(open_page: Open) -> None:
    caption = open_page().locator("#g-cards .sound figcaption").first
    caption.scroll_into_view_if_needed()
    for words in ("0.25 s", "speaker ann", ATTACK):
        playwright.expect(caption).to_contain_text(words)


def test_spectrograms_have_words(open_page: Open) -> None:
    page = open_page()
    show_all(page)
    page.evaluate("() => Promise.all([...document.images].map((one) => one.decode()))")
    for selector in ("#confusion", "#items"):
        alts = page.locator(f"{selector} img.spectrum").evaluate_all("(all) => all.map((one) => one.alt)")
        assert alts
        assert all(one.startswith("Spectrogram of ") for one in alts)
    buttons = page.locator("#g-cards .listen").evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))")
    assert all(one.startswith("Play ") and one.count(" s") for one in buttons)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["files", "clips", "texts"])
def test_contrast(open_page: Open, scheme: str, name: str) -> None:
    assert open_page(name, color_scheme=scheme).evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 768, 1200])
@pytest.mark.parametrize("name", ["files", "clips", "texts"])
def test_nothing_overflows(open_page: Open, width: int, name: str) -> None:
    page = open_page(name, width)
    show_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_javascript_and_on_paper(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["files"].as_uri())
    assert page.locator("#confusion img.spectrum").count() > 10
    page.emulate_media(media="print")
    assert len(page.pdf()) > 10_000
    context.close()
