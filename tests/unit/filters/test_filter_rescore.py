from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.worlds import neighbors, pairs, scene

from hardneg.errors import InputError, OptionError
from hardneg.filters import Rescore
from hardneg.mining import mine, refilter

JUDGE = f"function({__name__}:shared_words, version=1)"
ASKED: list[tuple[str, str]] = []


def shared_words(texts: Sequence[tuple[str, str]]) -> list[float]:
    ASKED.extend(texts)
    return [float(len(set(one.split()) & set(other.split()))) for one, other in texts]


def test_only_candidates_within_are_asked_about() -> None:
    positives, vectors = scene()
    ASKED.clear()
    run = mine(positives, sources=neighbors(vectors), filters=Rescore(JUDGE, absolute=0.5, within=6))
    table = run.candidates.table
    score = table.column(f"rescored:{JUDGE}").to_numpy()
    near = table.column("rank").to_numpy() < 6
    assert (np.isnan(score) == ~near).all()
    texts = dict(zip(run.items.ids.to_pylist(), run.items.texts.to_pylist(), strict=True))  # type: ignore[union-attr]
    anchors = dict(zip(run.anchors.ids.to_pylist(), run.anchors.texts.to_pylist(), strict=True))  # type: ignore[union-attr]
    told = [(anchors[a], texts[b]) for a, b in pairs(table)]
    assert score[near].tolist() == shared_words([one for one, n in zip(told, near, strict=True) if n])


def test_fewer_may_be_judged_again_but_not_more() -> None:
    positives, vectors = scene()
    source = neighbors(vectors)
    run = mine(positives, sources=source, filters=Rescore(JUDGE, absolute=0.5, within=12))
    for within in (12, 5, 1):
        step = Rescore(JUDGE, absolute=0.5, within=within)
        anew = mine(positives, sources=source, filters=step)
        again = refilter(run, filters=step)
        assert again.ledger == anew.ledger
        assert again.negatives == anew.negatives
    for more in (Rescore(JUDGE, absolute=0.5), Rescore(JUDGE, absolute=0.5, within=13)):
        with pytest.raises(OptionError, match="beyond those that were scored"):
            refilter(run, filters=more)


def test_texts_are_needed() -> None:
    positives, vectors = scene(texts=False)
    with pytest.raises(InputError, match="needs texts, and the anchors have none"):
        mine(positives, sources=neighbors(vectors), filters=Rescore(JUDGE, absolute=0.5))
    with pytest.raises(OptionError, match="rescore needs"):
        Rescore(JUDGE)
