"""The calibrated filter with a second encoder: what it gains, what a run keeps of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hardneg.calibrate import setting_used
from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.errors import OptionError
from hardneg.filters import FILTERS
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.report import write_report
from hardneg.run import Run

TOPICS, EACH, KNOWN = 80, 6, 3
_CODE = "def encode(texts):\n    return [[float(one) for one in text.split()] for text in texts]\n"


def _texts(vectors: np.ndarray) -> list[str]:
    return [" ".join(f"{one:.6f}" for one in row) for row in vectors]


def _world(seed: int = 0) -> tuple[Positives, Vectors, Ragged]:
    """Two topics of each pair look alike to the first encoder; the second, who reads the texts, tells them apart."""
    rng = np.random.default_rng(seed)
    pairs, topics = rng.normal(size=(TOPICS // 2, 12)), rng.normal(size=(TOPICS, 12))

    def near(centres: np.ndarray, spread: float) -> np.ndarray:
        return (centres + spread * rng.normal(size=centres.shape)).astype(np.float32)

    of_items, of_anchors = np.repeat(np.arange(TOPICS), EACH), np.arange(TOPICS)
    first = Vectors(near(pairs[of_anchors // 2], 0.3), near(pairs[of_items // 2], 0.3))
    lists = [rng.permutation(EACH) + one * EACH for one in of_anchors]
    known, away = ([np.sort(one[part]) for one in lists] for part in (slice(KNOWN), slice(KNOWN, None)))
    none = Ragged.empty(len(of_anchors))
    positives = Positives(
        Collection.of([f"q{row}" for row in range(len(of_anchors))], texts=_texts(near(topics[of_anchors], 0.3))),
        Collection.of([f"d{row}" for row in range(len(of_items))], texts=_texts(near(topics[of_items], 0.3))),
        Ragged.from_lists(known), none, none, np.full(len(of_anchors), -1), np.zeros(len(of_items), bool),
    )  # fmt: skip
    return positives, first, Ragged.from_lists(away)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    code = tmp_path_factory.mktemp("code") / "reads.py"
    code.write_text(_CODE)
    return f'function("{code}:encode")'


@pytest.fixture(scope="module")
def runs(encoder: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Without and with the second encoder."""
    positives, first, _ = _world()
    filters = ["known(shared=false)", "calibrated(false_negatives=0.1)"]
    made = []
    for name, last in (("alone", filters[1]), ("both", f"calibrated(false_negatives=0.1, encoder={encoder})")):
        out = tmp_path_factory.mktemp("runs") / name
        made.append(mine(positives, encoder=first, filters=[filters[0], last], sampler="top(n=4)", out=out))
    return made[0], made[1]


def _false(run: Run, away: Ragged) -> float:
    sides = (run.negatives.column(name).to_pylist() for name in ("anchor", "item"))
    return float(away.contains(*(np.array([int(one[1:]) for one in side]) for side in sides)).mean())


def _hardness(run: Run) -> float:
    return float(run.negatives.column("score").to_numpy().mean())


def test_what_only_the_second_encoder_sees_is_found(runs: tuple[Run, Run], tmp_path: Path) -> None:
    alone, both = runs
    away = _world()[2]
    weights, told = ([one.manifest["calibrated"][key] for one in runs] for key in ("weight", "unknown_positives"))
    assert [one["second_near_max"] > 0 for one in weights] == [False, True]
    assert both.manifest["calibrated"]["encoder"].startswith("function")
    assert "encoder" not in alone.manifest["calibrated"]
    truth = len(away.values)
    assert told[1]["estimate"] == pytest.approx(truth, rel=0.15)
    assert told[0]["estimate"] > 2 * truth  # the twin topic looks the same
    assert _hardness(both) > _hardness(alone) + 0.2  # at one rate, with both of them near or under it
    assert max(_false(one, away) for one in runs) < 0.13
    loose = refilter(alone, filters=["known(shared=false)", "calibrated(false_negatives=0.9)"], out=tmp_path / "loose")
    assert _hardness(loose) < _hardness(both)
    assert _false(loose, away) > 2 * _false(both, away)


def test_another_rate_needs_no_encoder_and_is_on_the_frontier(runs: tuple[Run, Run], tmp_path: Path) -> None:
    _, both = runs
    step = next(one for one in both.manifest["steps"]["filters"] if one.startswith("calibrated"))
    points = [one["filter"] for one in both.manifest["frontier"] if one["family"] == "calibrated"]
    assert {str(FILTERS.make(one)) for one in points} == set(points)  # texts that can be asked for
    strict = refilter(both, filters=points[0], out=tmp_path / "strict")
    assert strict.ledger["suspect"] >= both.ledger["suspect"]
    assert strict.manifest["calibrated"]["encoder"] == both.manifest["calibrated"]["encoder"]
    assert refilter(both, out=tmp_path / "same").negatives == both.negatives
    assert setting_used(both.manifest) in ({step} if both.manifest["calibrated"]["promised"] else {step, *points})
    assert write_report(both).read_text(encoding="utf-8").count('<circle class="chosen"') == 1


def test_what_was_learnt_with_another_encoder_judges_nothing(runs: tuple[Run, Run], tmp_path: Path) -> None:
    alone, both = runs
    with pytest.raises(OptionError, match="learnt without a second encoder") as caught:
        refilter(alone, filters="calibrated(encoder=wordllama)", out=tmp_path / "a")
    assert "Use 'calibrated(false_negatives=0.02)'" in str(caught.value)
    for other in ("calibrated", "calibrated(encoder=wordllama)"):
        with pytest.raises(OptionError, match="learnt with the second encoder 'function"):
            refilter(both, filters=other, out=tmp_path / "b")
    assert not (tmp_path / "b").exists()
    plain = refilter(both, filters="known", out=tmp_path / "plain")  # drops the filter; what was learnt stays
    with pytest.raises(OptionError, match="learnt with the second encoder"):
        refilter(plain, filters="calibrated", out=tmp_path / "c")


def test_no_evidence_at_all_and_a_wrong_name_are_refused(tmp_path: Path) -> None:
    positives, first, _ = _world()
    run = mine(positives, encoder=first, filters="known", out=tmp_path / "run")
    with pytest.raises(OptionError, match="does not hold"):
        refilter(run, filters="calibrated(encoder=wordllama)", out=tmp_path / "again")
    with pytest.raises(OptionError, match="There is no encoder 'wordlama'"):
        mine(positives, encoder=first, filters="calibrated(encoder=wordlama)", out=tmp_path / "wrong")


def test_where_nothing_can_be_learnt_the_run_says_with_whom(encoder: str, tmp_path: Path) -> None:
    positives, first, _ = _world()
    few = Positives.from_pairs(
        ["q0", "q1"], ["d0", "d12"], anchors=positives.anchors.take(np.arange(2)), items=positives.items
    )
    vectors = Vectors(np.asarray(first.anchors)[:2], first.items)
    run = mine(few, encoder=vectors, filters=f"calibrated(encoder={encoder})", out=tmp_path / "run")
    assert "fallback" in run.manifest["calibrated"]
    again = refilter(run, out=tmp_path / "again")
    assert again.negatives == run.negatives


def test_labels_are_refused() -> None:
    labels = [f"c{row % 3}" if row < 90 else None for row in range(120)]
    items = Collection(pa.table({"id": list(range(120)), "label": pa.array(labels), "text": ["x"] * 120}))
    positives = Positives.from_labels(items)
    x = np.random.default_rng(0).normal(size=(120, 8)).astype(np.float32)
    with pytest.raises(OptionError, match="Leave 'encoder' out"):
        mine(positives, encoder=Vectors.of_items(x, positives), filters="calibrated(encoder=wordllama)")
