"""How fast the pages are with 100,000 candidates: the report in a browser, the review answer by answer.

    python -m benchmarks.review [--write]

A run of 1,000 anchors with 100 candidates each among 20,000 texts is made in a temporary folder. The report is opened
from its file in headless Chromium; the review is served and answered by keyboard. Takes a minute or two.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import hardneg as hn
from benchmarks import machine
from hardneg.sources import Neighbors

PACKAGES = ("hardneg", "playwright", "starlette", "uvicorn")
ANCHORS, EACH, ITEMS = 1_000, 100, 20_000
ANSWERS, VISITS = 40, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        run = made(Path(folder) / "run")
        browser = driver.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        rows = [*of_report(run, browser), *of_review(run, browser)]
        browser.close()
    text = f"{INTRODUCTION}\n\n{machine.table(('figure', 'measured'), rows)}\n\n{machine.described(PACKAGES)}"
    print(text)
    if options.write:
        machine.write_section("review", text)


INTRODUCTION = f"""## Pages

`python -m benchmarks.review`: a run with {ANCHORS * EACH:,} candidates of {ANCHORS:,} anchors among {ITEMS:,} texts;
the median of {VISITS} visits of a fresh browser context, and of {ANSWERS} answers by keyboard, each until the next
candidate is on the screen and the answer is on the disk."""


def made(out: Path) -> hn.Run:
    """Texts of 60 words, and vectors in 200 clusters."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(200, 64))
    items = (centres[rng.integers(0, 200, ITEMS)] + rng.normal(size=(ITEMS, 64))).astype("f4")
    positive = rng.choice(ITEMS, ANCHORS, replace=False)
    anchors = (items[positive] + 0.8 * rng.normal(size=(ANCHORS, 64))).astype("f4")
    words = np.array([f"word{at}" for at in range(5000)])
    texts = [" ".join(words[rng.integers(0, 5000, 60)]) for _ in range(ITEMS)]
    ids, names = [f"d{at}" for at in range(ITEMS)], [f"question {at}" for at in range(ANCHORS)]
    relations = hn.Positives.from_pairs(
        names, [ids[at] for at in positive],
        anchors=hn.Collection.of(names, texts=names),
        items=hn.Collection.of(ids, texts=texts),
    )  # fmt: skip
    return hn.mine(relations, sources=Neighbors(anchors, items, k=EACH), sampler="top(n=8)", out=out)


def of_report(run: hn.Run, browser: Any) -> list[tuple[str, str]]:
    began = time.perf_counter()
    page = hn.write_report(run)
    written = time.perf_counter() - began
    loads, cards = [], []
    for _ in range(VISITS):
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        visit = context.new_page()
        began = time.perf_counter()
        visit.goto(page.as_uri())
        loads.append(time.perf_counter() - began)
        visit.locator("#g-cards .card").first.wait_for()
        cards.append(time.perf_counter() - began)
        context.close()
    return [
        ("report, written", f"{written:.1f} s"),
        ("report, size", f"{page.stat().st_size / 1e6:.2f} MB"),
        ("report, loaded in Chromium", f"{statistics.median(loads):.2f} s"),
        ("report, gallery there", f"{statistics.median(cards):.2f} s"),
    ]


def of_review(run: hn.Run, browser: Any) -> list[tuple[str, str]]:
    command = [sys.executable, "-m", "hardneg", "review", str(run.path), "--no-browser", "--name", "ada"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    ready = time.perf_counter() - began
    try:
        visit = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        began = time.perf_counter()
        visit.goto(address)
        first = time.perf_counter() - began
        seconds = []
        for number in range(ANSWERS):
            began = time.perf_counter()
            visit.keyboard.press("n")
            visit.get_by_text(f"{number + 1} of ").first.wait_for()
            seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
        visit.goto(f"{address}&queue=all&search=word77&sort=score")
        searched = time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()
    return [
        ("review, ready after the command", f"{ready:.1f} s"),
        ("review, first page", f"{first:.2f} s"),
        ("review, an answer until the next candidate", f"{1000 * statistics.median(seconds):.0f} ms"),
        ("review, words sought in all texts, sorted by score", f"{searched:.2f} s"),
    ]


if __name__ == "__main__":
    main()
