"""What is drawn to be judged: each pair of a stratum as likely as any other, larger draws hold smaller ones."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.unit.auditing.world import scene

import hardneg as hn
from hardneg.auditing.sample import COLUMNS, allocated, draw, write_sample
from hardneg.auditing.work import sample_of
from hardneg.errors import OptionError


def test_a_larger_draw_begins_with_every_smaller_one() -> None:
    run = scene()[0]
    large = sample_of(run, 80)[1].pairs.tolist()
    for number in (1, 7, 40):
        assert sample_of(run, number)[1].pairs.tolist() == large[:number]
    assert len(set(large)) == 80
    assert sample_of(run, 40, seed=1)[1].pairs.tolist() != large[:40]


def test_weights_stand_for_all_pairs_and_no_more_than_all_are_drawn() -> None:
    population, sample = sample_of(scene()[0], 50)
    assert sum(sample.weight) == pytest.approx(len(population))
    assert len(sample_of(scene()[0], 10_000)[1]) == len(population)
    with pytest.raises(OptionError, match="'draw' must be at least 1"):
        sample_of(scene()[0], 0)


def test_each_pair_of_a_stratum_is_drawn_as_often_as_any_other() -> None:
    population, sample = sample_of(scene()[0], 40)
    counts = np.zeros(len(population))
    for seed in range(600):
        counts[draw(population, sample.strata, 40, seed).pairs] += 1
    for stratum in range(4):
        mine = counts[sample.strata.codes == stratum]
        rate = mine.mean() / 600
        assert mine.std() == pytest.approx(np.sqrt(600 * rate * (1 - rate)), rel=0.25)


def test_strata_go_by_score_and_the_top_ones_get_more_than_their_share() -> None:
    population, sample = sample_of(scene()[0], 60)
    tops = [population.score[sample.strata.codes == one] for one in range(4)]
    assert all(upper.min() >= lower.max() for upper, lower in pairwise(tops))
    taken = np.bincount(sample.strata.codes[sample.pairs]) / np.bincount(sample.strata.codes)
    assert (np.diff(taken) <= 0).all()
    assert np.bincount(allocated([3, 10, 10, 10], 33)).tolist() == [3, 10, 10, 10]


def test_nothing_in_the_file_is_a_formula_and_it_is_read_back(tmp_path: Path) -> None:
    ids = [f"=1+{row}" for row in range(40)]
    vectors = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    items = hn.Collection.of(ids, texts=[f"-{one}" for one in ids])
    known = hn.Positives.from_pairs(ids[:4], ids[4:8], anchors=items.take(np.arange(4)), items=items)
    run = hn.mine(known, sources=hn.sources.Neighbors(vectors[:4], vectors), sampler="top(n=4)", filters=["known"])
    population, sample = sample_of(run, 5)
    write_sample(population, sample, tmp_path / "s.csv", np.zeros(len(population), np.int64))
    with (tmp_path / "s.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert all(row[name][:1] == "'" for row in rows for name in ("anchor", "item", "anchor_text", "item_text"))
    assert hn.audit(run, judgements=tmp_path / "s.csv").details["judged"] == 5
