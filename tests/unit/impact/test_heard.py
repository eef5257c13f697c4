"""Two detectors of sounds on the same hours: events, Poisson, a guard of recall."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from hardneg.errors import InputError
from hardneg.impact.heard import compare_heard, newcombe


def heard(folder: Path, false: int, hits: int, *, occurrences: int = 200, hours: float = 10.0) -> Path:
    folder.mkdir(exist_ok=True)
    one = {"occurrences": occurrences, "hits": hits, "false_accepts": false}
    (folder / "summary.json").write_text(json.dumps({"hours_known": hours, "keywords": {"alexa": one}}))
    return folder


def test_newcombe_as_statsmodels() -> None:
    for hits, n, other, m in ((56, 70, 48, 80), (9, 10, 3, 10), (10, 10, 0, 20), (0, 5, 0, 7)):
        low, high = confint_proportions_2indep(hits, n, other, m, method="newcomb", compare="diff")
        found = newcombe(hits, n, other, m)
        assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("after", "verdict", "words"),
    [
        ((5, 180), "helped", "Helped. False accepts 0.50 an hour"),
        ((5, 100), "hurt", "Recall fell, so fewer false accepts would prove nothing"),
        ((80, 180), "hurt", "Hurt. False accepts 8.00 an hour"),
        ((33, 181), "cannot tell", "Cannot tell"),
    ],
)
def test_fewer_false_accepts_count_only_with_recall(
    tmp_path: Path, after: tuple[int, int], verdict: str, words: str
) -> None:
    found = compare_heard(heard(tmp_path / "old", 40, 180), heard(tmp_path / "new", *after))[0]
    assert found.verdict == verdict
    assert words in found.sentence


def test_a_detector_that_hears_nothing_has_not_helped(tmp_path: Path) -> None:
    old = heard(tmp_path / "old", 40, 0, occurrences=0)
    found = compare_heard(old, heard(tmp_path / "new", 0, 0, occurrences=0))[0]
    assert found.verdict == "cannot tell"
    assert "nothing is known of recall" in found.sentence


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    old = heard(tmp_path / "old", 4, 100)
    with pytest.raises(InputError, match="same recordings"):
        compare_heard(old, heard(tmp_path / "new", 4, 100, hours=11))
    with pytest.raises(InputError, match="no folder of hardneg listen"):
        compare_heard(old, tmp_path / "nothing")
    with pytest.raises(InputError, match="occurs 200 times before and 100"):
        compare_heard(old, heard(tmp_path / "new", 4, 100, occurrences=100))
    with pytest.raises(InputError, match="No recording is known"):
        compare_heard(heard(tmp_path / "old", 4, 1, hours=0), heard(tmp_path / "new", 4, 1, hours=0))
