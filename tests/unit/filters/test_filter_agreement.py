from __future__ import annotations

import numpy as np
import pytest
from tests.worlds import files, neighbors, scene

from hardneg.context import Context
from hardneg.errors import OptionError
from hardneg.filters import FILTERS, Agreement
from hardneg.mining import mine, refilter
from hardneg.table import Rows


@pytest.mark.parametrize("k", [1, 4, 50])
def test_the_anchors_place_in_the_items_eyes(k: int) -> None:
    positives, vectors = scene(3)
    context = Context(positives, vectors)
    everything = [one.ravel() for one in np.meshgrid(np.arange(12), np.arange(60), indexing="ij")]
    found = Agreement(reciprocal=k).gather(context)(Rows(everything[0], everything[1]))[f"reciprocal_rank:{k}"]
    scores = vectors.pairs(everything[0], everything[1]).reshape(12, 60)
    for item in range(60):
        order = sorted(range(12), key=lambda anchor: (-scores[anchor, item], anchor))[:k]
        wanted = [order.index(anchor) if anchor in order else -1 for anchor in range(12)]
        assert found.reshape(12, 60)[:, item].tolist() == wanted


def test_mutual_means_both_ways() -> None:
    columns = {
        "score": np.zeros(4, np.float32),
        "rank": np.array([0, 2, 3, 0], np.int32),
        "reciprocal_rank:3": np.array([2, 0, 0, -1], np.int32),
    }
    assert Agreement(reciprocal=3).judge(columns).rule.tolist() == [1, 1, -1, -1]


def test_another_number_of_neighbours_needs_another_look() -> None:
    """What a run knows of the nearest 2 does not tell who is among the nearest 8."""
    positives, vectors = scene()
    run = mine(positives, sources=neighbors(vectors), filters="agreement(reciprocal=2)")
    again = refilter(run, filters="agreement(reciprocal=2)")
    assert files(again.path) == files(run.path) | {"manifest.json": files(again.path)["manifest.json"]}
    with pytest.raises(OptionError, match="does not hold"):
        refilter(run, filters="agreement(reciprocal=8)")


def test_a_second_encoder_is_asked() -> None:
    positives, vectors = scene()
    step = FILTERS.make("agreement(encoder=wordllama, margin=0.1, reference=max)")
    run = mine(positives, sources=neighbors(vectors), filters=step)
    table = run.candidates.table
    score, best = (table.column(f"{name}:wordllama").to_numpy() for name in ("second", "second_max"))
    fired = np.array(table.column("reason").to_pylist()) == "agreement.second_encoder"
    assert 0 < fired.sum() < len(fired)
    free = ~np.isin(table.column("relation").to_numpy(), [1, 6])  # neither judged nor shared
    assert (fired == (score > best - np.float32(0.1) * np.abs(best)))[free].all()
    with pytest.raises(OptionError, match="'encoder' or 'reciprocal'"):
        Agreement()
