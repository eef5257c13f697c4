from __future__ import annotations

from collections import Counter
from pathlib import Path

from click.testing import CliRunner
from tests.unit.report.conftest import HOSTILE, build

from hardneg.cli.main import cli
from hardneg.compare import Change, compare, write_comparison
from hardneg.decisions import FILE, Decision, append, now
from hardneg.mining import refilter
from hardneg.run import Run


def negatives(run: Run) -> set[tuple[str, str]]:
    table = run.negatives
    return set(zip(map(str, table["anchor"].to_pylist()), map(str, table["item"].to_pylist()), strict=True))


def verdicts(run: Run) -> dict[tuple[str, str], str]:
    rows = run.candidates.table.select(["anchor", "item", "reason"]).to_pylist()
    return {(str(one["anchor"]), str(one["item"])): one["reason"] for one in rows}


def by_reason(changes: list[Change]) -> Counter[str]:
    counts = Counter[str]()
    for one in changes:
        counts[one.reason] += one.count
    return counts


def test_it_is_what_sets_say(tmp_path: Path) -> None:
    one = build(tmp_path / "a")
    other = refilter(one, filters=["margin(relative=0.02)"], sampler="top(n=9)", out=tmp_path / "b")
    found = compare(one, other)
    before, after = negatives(one), negatives(other)
    assert found.stayed == len(before & after)
    assert by_reason(found.left) == Counter(verdicts(other)[pair] for pair in before - after)
    assert by_reason(found.entered) == Counter(verdicts(one)[pair] for pair in after - before)
    assert [name for name, _, _ in found.steps] == ["wanted", "filters", "sampler"]
    for name, left, right in found.ledgers[:5]:
        assert (left, right) == tuple(run.ledger[name.replace(" ", "_")] for run in (one, other))
    back = compare(other, one)
    assert (back.stayed, by_reason(back.left)) == (found.stayed, by_reason(found.entered))


def test_a_run_and_itself_differ_in_nothing(tmp_path: Path) -> None:
    run = build(tmp_path / "a")
    found = compare(run, run)
    assert (found.stayed, found.left, found.entered, found.steps) == (len(negatives(run)), [], [], [])


def test_runs_of_other_data_say_so(tmp_path: Path) -> None:
    one, other = build(tmp_path / "a", anchors=20, items=80, k=15), build(tmp_path / "b", anchors=10, items=40, k=15)
    found = compare(one, other)
    whys = {change.why for change in found.left}
    assert {"The anchor is not in the run", "No candidate: the item is not in the run"} <= whys
    assert found.stayed + sum(change.count for change in found.left) == len(negatives(one))
    examples = [pair for change in found.left for pair in change.examples]
    assert all(0 <= anchor < 20 and 0 <= item < len(one.items) for anchor, item, _ in examples)


def test_what_was_decided_is_the_reason(tmp_path: Path) -> None:
    one = build(tmp_path / "a")
    pair = one.negatives.slice(3, 1).to_pylist()[0]
    append(one.path / FILE, [Decision(pair["anchor"], pair["item"], "positive", "ada", now())])
    found = compare(one, refilter(one, out=tmp_path / "b"))
    assert by_reason(found.left)["known.positive"] == 1


def test_the_page_shows_hostile_texts_as_texts(tmp_path: Path) -> None:
    one = build(tmp_path / "a", hostile=True)
    other = refilter(one, filters=["margin(relative=0.02)"], out=tmp_path / "b")
    page = write_comparison(compare(one, other), tmp_path / "c.html").read_text()
    assert HOSTILE[0] not in page
    assert "<img src=x" not in page
    assert page.count("<script>") == 1
    assert write_comparison(compare(one, other), tmp_path / "d.html").read_text() == page


def test_the_command(tmp_path: Path) -> None:
    build(tmp_path / "a")
    refilter(Run.open(tmp_path / "a"), sampler="top(n=3)", out=tmp_path / "b")
    command = ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "-o", str(tmp_path / "c.html")]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    assert "120 negatives stayed, 120 left, 0 entered." in result.output
    assert "Kept, not sampled" in result.output
    assert (tmp_path / "c.html").is_file()
