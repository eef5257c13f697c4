"""Audits: what evidence says, that a biased teacher misleads nobody, and what is wrong with a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.auditing.world import mined, scene, things

import hardneg as hn
from hardneg.auditing.answers import Answers
from hardneg.auditing.judged import judged_share
from hardneg.auditing.result import read_audit
from hardneg.auditing.sample import draw, write_sample
from hardneg.auditing.taught import banded
from hardneg.auditing.work import FEWEST, sample_of
from hardneg.decisions import Decision, append, now
from hardneg.errors import InputError, OptionError, RunError

Rows = list[dict[str, str]]


def judged(tmp_path: Path, number: int = 60, seed: int = 0, change: Callable[[Rows], None] = lambda rows: None) -> Path:
    """A drawn sample, judged by the truth, and changed."""
    run, _, truth = scene()
    population, sample = sample_of(run, number, seed=seed)
    path = tmp_path / f"{number}.csv"
    write_sample(population, sample, path, truth.astype(np.int64))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    return path


def test_judgements_give_the_weighted_share_of_the_sample(tmp_path: Path) -> None:
    run, _, truth = scene()
    found = hn.audit(run, judgements=judged(tmp_path))
    _, sample = sample_of(run, 60)
    horvitz_thompson = float(np.dot(truth[sample.pairs], sample.weight)) / len(truth)
    assert found.best is not None
    assert found.best.kind == "measured"
    assert found.best.share.value == pytest.approx(horvitz_thompson)
    assert found.best.share.low <= truth.mean() <= found.best.share.high
    assert f"Of {len(truth)} mined negatives an estimated" in found.sentence
    assert "by 60 judgements" in found.sentence
    for name in ("score", "rank", "source"):
        assert sum(part.pairs for part in found.by[name]) == len(truth)
        assert sum(part.judged for part in found.by[name]) == 60


def test_all_judged_is_the_truth(tmp_path: Path) -> None:
    run, _, truth = scene()
    share = hn.audit(run, judgements=judged(tmp_path, 10_000)).estimates[0].share
    assert (share.value, share.low, share.high) == pytest.approx((truth.mean(),) * 3)


def test_without_judgements_there_is_a_bound_and_a_way_on() -> None:
    run, _, truth = scene()
    found = hn.audit(run)
    assert found.best is not None
    assert found.best.kind == "bound"
    assert found.best.share.low == 0
    assert found.best.share.high >= truth.mean()
    assert "an estimated" not in found.sentence
    assert f"--draw {FEWEST}" in found.advice[0]


def test_single_positives_are_no_evidence_and_that_is_said() -> None:
    truth = things()[1]
    single = np.zeros_like(truth)
    single[np.arange(60), truth.argmax(axis=1)] = truth.any(axis=1)
    found = hn.audit(mined(single))
    assert found.best is None
    assert "there is no evidence yet" in found.sentence
    assert any("two known positives" in note for note in found.notes)
    assert f"--draw {FEWEST}" in found.advice[0]


def test_a_teacher_alone_has_no_interval() -> None:
    truth = things()[1]
    single = np.zeros_like(truth)
    single[np.arange(60), truth.argmax(axis=1)] = truth.any(axis=1)
    found = hn.audit(mined(single), teacher=lambda pairs: [0.5] * len(pairs))
    assert found.best is not None
    assert found.best.kind == "uncorrected"
    assert np.isnan(found.best.share.low)
    assert "uncorrected and without an interval" in found.sentence


def teacher(scores: NDArray[np.floating]) -> Callable[[list[tuple[str, str]]], list[float]]:
    """A teacher with a score for each mined pair."""
    run = scene()[0]
    table = run.negatives
    text = {f"{side}{row}": f"{what} {row}" for side, what, size in (("a", "question", 60), ("i", "answer", 300))
            for row in range(size)}  # fmt: skip
    pairs = zip(table["anchor"].to_pylist(), table["item"].to_pylist(), strict=True)
    told = {(text[a], text[i]): float(score) for (a, i), score in zip(pairs, scores, strict=True)}
    return lambda asked: [told.get(pair, 0.0) for pair in asked]


@pytest.mark.parametrize("sign", [-3.0, 0.0, 3.0])
def test_the_interval_holds_whatever_the_teacher_says(sign: float) -> None:
    run, _, truth = scene()
    scores = (sign * truth + np.random.default_rng(0).normal(size=len(truth))).astype(np.float32)
    population, sample = sample_of(run, 1)
    held = []
    for seed in range(60):
        chosen = draw(population, sample.strata, 64, seed).pairs
        said = np.full(len(truth), -1)
        said[chosen] = truth[chosen]
        answers = Answers(said, np.zeros(len(truth), bool))
        codes = banded(sample.strata.codes, scores, answers, population.keys, np.ones(len(truth), bool))
        share = judged_share(codes, answers)
        held.append(share.low <= truth.mean() <= share.high)
    assert sum(held) >= 53  # of 60 at 95% fewer come with a chance of 1%


def test_a_teacher_that_is_sure_and_wrong_is_corrected(tmp_path: Path) -> None:
    run, _, truth = scene()
    found = hn.audit(run, judgements=judged(tmp_path), teacher=teacher(-5.0 * truth))
    both, plain = found.estimates[:2]
    assert "the teacher" in both.evidence
    assert "the teacher" not in plain.evidence
    assert both.share.low <= truth.mean() <= both.share.high


def test_a_good_teacher_that_the_sample_is_drawn_by_narrows_the_interval(tmp_path: Path) -> None:
    run, _, truth = scene()
    says = teacher(4.0 * truth + np.random.default_rng(0).normal(size=len(truth)))
    widths = []
    for with_teacher in (None, says):
        population, sample = sample_of(run, 80, teacher=with_teacher)
        path = tmp_path / "drawn.csv"
        write_sample(population, sample, path, truth.astype(np.int64))
        share = hn.audit(run, judgements=path, teacher=with_teacher).estimates[0].share
        widths.append(share.high - share.low)
    assert widths[1] < widths[0]
    with pytest.raises(OptionError, match="drawn with a teacher"):
        hn.audit(run, judgements=path)


def test_post_stratification_is_prediction_powered_inference_with_the_bands_as_predictions() -> None:
    """PPI (Angelopoulos et al. 2023): mean of predictions over all, plus the mean error on the judged."""
    rng = np.random.default_rng(0)
    truth = rng.random(2000) < 0.2
    scores = (truth + rng.normal(size=2000)).astype(np.float32)
    said = np.full(2000, -1)
    chosen = rng.choice(2000, 60, replace=False)
    said[chosen] = truth[chosen]
    answers = Answers(said, np.zeros(2000, bool))
    codes = banded(np.zeros(2000, np.int64), scores, answers, [np.arange(2000)], np.ones(2000, bool))
    assert len(np.unique(codes)) == 4
    prediction = np.array([truth[chosen][codes[chosen] == code].mean() for code in range(4)])[codes]
    ppi = prediction.mean() + (truth[chosen] - prediction[chosen]).mean()
    assert judged_share(codes, answers).value == pytest.approx(ppi)


def test_decisions_of_a_ledger_count_those_by_hand_for_themselves_alone(tmp_path: Path) -> None:
    truth = things()[1]
    known = truth & (np.random.default_rng(1).random(truth.shape) < 0.5)
    run = mined(known, out=tmp_path / "run")
    population, sample = sample_of(run, 30)
    anchors, items = population.pairs(sample.pairs)
    drawn = [
        Decision(a, i, "negative", "ada", now(), stratum=sample.strata.names[sample.strata.codes[row]], weight=weight)
        for a, i, row, weight in zip(anchors, items, sample.pairs.tolist(), sample.weight, strict=True)
    ]
    rest = np.setdiff1d(np.arange(len(population)), sample.pairs)[:3]
    hand = [Decision(a, i, "positive", "ada", now()) for a, i in zip(*population.pairs(rest), strict=True)]
    votes = [Decision(drawn[0].anchor, drawn[0].item, "positive", "ben", now())]
    outside = [
        Decision("a0", "nothing", "positive", "ada", now()),
        Decision(drawn[1].anchor, drawn[1].item, "skip", "ada", now()),
    ]
    append(run.path / "decisions.jsonl", [*drawn, *hand, *votes, *outside])
    found = hn.audit(run)
    assert found.details["judged"] == 28  # one is disputed, one was skipped afterwards
    assert (found.details["known"], found.details["known_false"]) == (3, 3)
    assert found.estimates[0].share.value == pytest.approx(3 / len(population))
    notes = " ".join(found.notes)
    for word in ("disputed", "skipped", "not mined", "by hand"):
        assert word in notes


def test_qrels_are_known_answers(tmp_path: Path) -> None:
    run, _, truth = scene()
    table = run.negatives
    pairs = list(zip(table["anchor"].to_pylist(), table["item"].to_pylist(), truth.tolist(), strict=True))
    lines = ["query-id\tcorpus-id\tscore", *(f"{a}\t{i}\t{int(one)}" for a, i, one in pairs)]
    (tmp_path / "qrels.tsv").write_text("\n".join(lines) + "\n")
    share = hn.audit(run, qrels=tmp_path / "qrels.tsv").estimates[0].share
    assert (share.value, share.low, share.high) == pytest.approx((truth.mean(),) * 3)
    (tmp_path / "some.tsv").write_text("\n".join(lines[:50]) + "\n")
    some = hn.audit(run, qrels=tmp_path / "some.tsv")
    own = next(one for one in some.estimates if "known answers" in one.evidence)
    assert own.share.low == pytest.approx(truth[:49].sum() / len(truth))
    assert own.share.high == pytest.approx((truth[:49].sum() + len(truth) - 49) / len(truth))


def _set(row: int, **values: str) -> Callable[[Rows], None]:
    return lambda rows: rows[row].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set(3, answer="maybe"), r"line 5: The answer must be one of negative, .*, or empty. Got 'maybe'"),
        (_set(3, weight="1.5"), r"line 5: The pair .* is not of stratum .* with the weight 1.5"),
        (_set(3, weight="heavy"), r"line 5: The weight must be a number"),
        (_set(3, stratum="score-9"), r"line 5: The stratum 'score-9' is none of this audit"),
        (_set(3, anchor=""), r"line 5: The anchor or the item is missing"),
        (lambda rows: rows.append(dict(rows[0])), r"line 62: The pair .* is there already, in line 2"),
        (lambda rows: [row.update(item=f"x{at}") for at, row in enumerate(rows)], "None of these pairs was mined"),
        (lambda rows: [row.pop("answer") for row in rows], "The column 'answer' is missing"),
    ],
)  # fmt: skip
def test_a_broken_sample_is_told_with_its_line(tmp_path: Path, change: Callable[[Rows], None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        hn.audit(scene()[0], judgements=judged(tmp_path, change=change))


def test_a_sample_judged_in_part_and_rows_added_by_hand_are_used_for_what_they_are(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        for row in rows[25:]:
            row["answer"] = ""
        rows[1].update(stratum="", weight="")

    found = hn.audit(scene()[0], judgements=judged(tmp_path, change=change))
    assert (found.details["judged"], found.details["known"]) == (24, 1)


def test_an_audit_is_the_same_again_and_is_read_back(tmp_path: Path) -> None:
    run = scene()[0]
    path = judged(tmp_path)
    first = hn.audit(run, judgements=path).write(tmp_path).read_bytes()
    assert hn.audit(run, judgements=path).write(tmp_path).read_bytes() == first
    read = read_audit(tmp_path)
    assert read is not None
    assert read["sentence"].startswith("Of ")
    json.loads(first)
    (tmp_path / "audit.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        read_audit(tmp_path)


def test_a_stated_completeness_must_be_a_share() -> None:
    with pytest.raises(OptionError, match="'completeness' must be above 0 and at most 1"):
        hn.audit(scene()[0], completeness=0)
