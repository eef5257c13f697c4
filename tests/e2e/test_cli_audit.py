"""``hardneg audit`` as a user meets it: draw, judge in a spreadsheet, read the estimate; the page in a browser."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.e2e.conftest import Open

from hardneg.cli.main import cli
from hardneg.demo import demo_data


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("audit") / "run"
    done = run("mine", demo_data(), "--sampler", "top(n=4)", "-o", out, "--cache", out.parent / "cache")
    assert done.exit_code == 0, done.output
    return out


def judge(sample: Path) -> int:
    """Answer as the key of the demo does, with another separator as spreadsheets write it; gives the false ones."""
    with (demo_data() / "planted.tsv").open(encoding="utf-8", newline="") as file:
        key = {(row["query-id"], row["corpus-id"]): row["kind"] for row in csv.DictReader(file, delimiter="\t")}
    with sample.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        right = key.get((row["anchor"], row["item"])) in ("copy", "near_copy", "shared", "unlabelled_positive")
        row["answer"] = "Positive" if right else "negative"
    with sample.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys(), delimiter=";")
        table.writeheader()
        table.writerows(rows)
    return sum(row["answer"] == "Positive" for row in rows)


def test_from_no_evidence_to_an_estimate(mined: Path, tmp_path: Path) -> None:
    first = run("audit", mined)
    assert first.exit_code == 0, first.output
    assert "hidden positives" in first.output
    assert "--draw 40" in first.output
    sample = tmp_path / "sample.csv"
    assert run("audit", mined, "--draw", 60, "-o", sample).exit_code == 0
    again = run("audit", mined, "--draw", 60, "-o", sample)
    assert "exists already" in str(again.exception)
    false = judge(sample)
    found = run("audit", mined, "--judgements", sample, "--json")
    told = json.loads(found.stdout[found.stdout.index("{") :])
    assert told["estimates"][0]["kind"] == "measured"
    assert (told["details"]["judged"], told["details"]["judged_false"]) == (60, false)
    assert json.loads((mined / "audit.json").read_text(encoding="utf-8")) == told
    more = tmp_path / "more.csv"
    done = run("audit", mined, "--draw", 90, "--judgements", sample, "-o", more)
    assert "60 of them with an answer" in done.output
    shown = run("audit", mined, "--judgements", sample)
    assert "an estimated" in shown.stdout
    assert "By rank" in shown.stdout


def test_a_sample_of_another_run_is_refused_with_its_line(mined: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    run("audit", mined, "--draw", 20, "-o", sample)
    judge(sample)
    fewer = tmp_path / "fewer"
    assert run("refilter", mined, "--sampler", "top(n=2)", "-o", fewer).exit_code == 0
    refused = run("audit", fewer, "--judgements", sample)
    assert refused.exit_code != 0
    assert re.search(r"sample.csv, line \d", str(refused.exception))
    assert "draw anew" in str(refused.exception).lower()


def test_the_page_says_whether_it_is_trustworthy(mined: Path, tmp_path: Path, visit: Open) -> None:
    sample = tmp_path / "sample.csv"
    run("audit", mined, "--draw", 40, "-o", sample)
    judge(sample)
    run("audit", mined, "--judgements", sample)
    page = visit(mined / "report.html")
    section = page.locator("#audit")
    assert section.get_by_role("heading", name="Is it trustworthy?").is_visible()
    assert "an estimated" in section.inner_text()
    assert section.locator(".chip", has_text="measured").count() == 1
    assert "By score" in section.inner_text()
    assert section.locator("svg.interval").count() >= 5
    narrow = visit(mined / "report.html", width=390)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_calibrated_filter_s_own_evidence_is_used(mined: Path, tmp_path: Path) -> None:
    out = tmp_path / "calibrated"
    filters = ("--filter", "known(shared=false)", "--filter", "calibrated(false_negatives=0.3)")
    done = run("mine", demo_data(), *filters, "--sampler", "top(n=4)", "-o", out, "--cache", tmp_path / "cache")
    assert done.exit_code == 0, done.output
    assert (out / "hidden.parquet").is_file() != ("fallback" in json.loads((out / "manifest.json").read_text()))
    found = run("audit", out, "--completeness", "0.9", "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout[found.stdout.index("{") :])
    said = " ".join(one for estimate in told["estimates"] for one in estimate["assumptions"])
    assert "threshold" in said
    assert "taken to pass" not in said
