"""Every figure of the report equals what a plain loop over the tables finds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hardneg.report.distributions import BINS, distributions
from hardneg.report.facts import Facts, State
from hardneg.report.overview import overview
from hardneg.report.popular import popularity
from hardneg.report.ranks import ranks
from hardneg.report.shortfall import shortfall
from hardneg.report.waterfall import waterfall
from hardneg.run import Run

MakeRun = Callable[..., Run]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def facts(run: Run) -> Facts:
    return Facts.gather(run)


def rows_by_state(run: Run) -> dict[str, list[Row]]:
    """The oracle: the tables row by row."""
    chosen = {(row["anchor"], row["item"]) for row in run.negatives.to_pylist()}
    out: dict[str, list[Row]] = {"sampled": [], "suspect": [], "dropped": [], "kept": []}
    for row in run.candidates.table.to_pylist():
        state = {"drop": "dropped", "suspect": "suspect", "keep": "kept"}[row["verdict"]]
        out["sampled" if (row["anchor"], row["item"]) in chosen else state].append(row)
    return out


def test_states(run: Run, facts: Facts) -> None:
    expected = rows_by_state(run)
    assert {state.name.lower(): int((facts.state == state).sum()) for state in State} == {
        name: len(rows) for name, rows in expected.items()
    }
    assert all(expected.values()), "the sample shows every state"


def test_the_waterfall_closes_and_is_the_ledger(run: Run, facts: Facts) -> None:
    first, *steps, last = waterfall(facts)
    assert first.count - sum(step.count for step in steps) == last.count == run.ledger["sampled"]
    assert {step.reason: step.count for step in steps if step.reason} == run.ledger["reasons"]
    assert steps[-1].count == run.ledger["kept_not_sampled"]


def test_each_bar_of_the_waterfall_begins_where_the_one_before_ends(facts: Facts) -> None:
    first, *steps, last = waterfall(facts)
    end = first.start + first.width
    for step in steps:
        assert step.start + step.width == pytest.approx(end, abs=1e-3)
        end = step.start
    assert last.start == 0
    assert last.width == pytest.approx(end, abs=1e-3)


def test_distributions(run: Run, facts: Facts) -> None:
    rows = rows_by_state(run)
    scores = {name: [row["score"] for row in some] for name, some in rows.items()}
    scores["positive"] = [row["score"] for row in run.relations.to_pylist() if row["relation"] == "positive"]
    found = distributions(facts)
    assert {row.kind for row in found.rows} == set(scores)
    for row in found.rows:
        expected = Counter(min(BINS, int(np.searchsorted(found.edges, one, "right"))) - 1 for one in scores[row.kind])
        assert row.counts == [expected[at] for at in range(BINS)]
        assert sum(row.counts) == row.total == len(scores[row.kind])
        assert row.median == pytest.approx(np.median(scores[row.kind]))


def test_ranks(run: Run, facts: Facts) -> None:
    rows = [row | {"state": name} for name, some in rows_by_state(run).items() for row in some]
    found = ranks(facts)
    assert found is not None
    assert sum(one.total for one in found.buckets) == len(rows)
    for one in found.buckets:
        low, _, high = one.label.partition("–")
        inside = [row for row in rows if int(low) <= row["rank"] <= int(high or low)]
        assert one.total == len(inside)
        assert one.suspects == sum(row["state"] == "suspect" for row in inside)
        assert one.sampled == sum(row["state"] == "sampled" for row in inside)
        expected = np.quantile([row["score"] for row in inside], (0.1, 0.5, 0.9))
        assert (one.low, one.median, one.high) == pytest.approx(tuple(expected))


def test_popular_items(run: Run, facts: Facts) -> None:
    expected = Counter(row["item"] for row in run.negatives.to_pylist())
    found = popularity(facts)
    assert found is not None
    assert [one.negatives for one in found.items] == [n for _, n in expected.most_common(len(found.items))]
    assert {one.id: one.negatives for one in found.items}.items() <= expected.items()
    assert found.used == len(expected)
    assert found.top_items == math.ceil(120 / 100)
    held = sum(n for _, n in expected.most_common(found.top_items))
    assert found.top_share == pytest.approx(held / run.negatives.num_rows)


def test_short_anchors(run: Run, facts: Facts) -> None:
    expected = {row["anchor"]: row for row in run.short().to_pylist()}
    found = shortfall(facts)
    assert found.total == len(expected) > 0
    for one in found.anchors:
        row = expected[one.id]
        assert (one.sampled, one.wanted, one.candidates, one.suspect, one.dropped) == (
            row["sampled"], row["wanted"], row["candidates"], row["suspect"], row["dropped"],
        )  # fmt: skip
        assert one.why
        assert one.relax
    assert [one.sampled for one in found.anchors] == sorted(one.sampled for one in found.anchors)


def test_the_sentence_says_what_the_ledger_says(run: Run, facts: Facts) -> None:
    text = " ".join(overview(facts).sentences)
    short = run.manifest["shortage"]["anchors"]
    assert f"{run.ledger['sampled']} negatives for 40 anchors. {short} anchors got fewer than the 6 wanted." in text
    assert f"{run.ledger['suspect']} candidates look like unlabelled positives and were set aside" in text
    assert f"{run.ledger['dropped']} copies were dropped." in text


def test_a_complete_run_says_so(make_run: MakeRun) -> None:
    facts = Facts.gather(make_run(sampler="top(n=2)"))
    assert overview(facts).sentences[0] == "80 negatives for 40 anchors: 2 each."
    assert shortfall(facts).total == 0


def test_parts_make_no_difference(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Facts.gather(make_run("whole"))
    monkeypatch.setattr("hardneg.mining.PART", 7)
    parted = make_run("parted")
    assert len(parted.manifest["parts"]) > 1
    assert waterfall(Facts.gather(parted)) == waterfall(whole)
