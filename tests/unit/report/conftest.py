"""Small runs made from vectors, so that no test of the report needs a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg.collection import Collection
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Neighbors

MakeRun = Callable[..., Run]

HOSTILE = [
    "</script><script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1">',
    "'\"><svg onload=window.pwned=1> &lt;b&gt; <!-- ]]>",
    "line\u2028and paragraph\u2029 \u202eturned round",
    "long" * 300,
]


def build(
    out: Path,
    *,
    anchors: int = 40,
    items: int = 120,
    k: int = 25,
    texts: bool = True,
    hostile: bool = False,
    numbers: bool = False,
    **options: Any,
) -> Run:
    """Mine clustered random vectors; every fifth item repeats the text of the one before."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(max(2, items // 12), 12))
    item_vectors = (centres[np.arange(items) // 5 % len(centres)] + 0.5 * rng.normal(size=(items, 12))).astype("f4")
    positive = rng.integers(0, items, anchors)
    anchor_vectors = (item_vectors[positive] + 0.7 * rng.normal(size=(anchors, 12))).astype("f4")

    def bad(at: int) -> str:
        return f" {HOSTILE[at % len(HOSTILE)]}" if hostile else ""

    same = [at - at % 5 // 4 for at in range(items)]  # the fourth and the fifth of five
    item_texts = [f"passage {at} about topic {at % 9}{bad(at // 5)}" for at in same]
    anchor_texts = [f"question {at} on topic {at % 9}{bad(at)}" for at in range(anchors)]
    item_ids: list[Any] = list(range(items)) if numbers else [f"d{at}{bad(at)}" for at in range(items)]
    anchor_ids: list[Any] = list(range(anchors)) if numbers else [f"q{at}{bad(at)}" for at in range(anchors)]
    relations = Positives.from_pairs(
        anchor_ids,
        [item_ids[at] for at in positive],
        anchors=Collection.of(anchor_ids, texts=anchor_texts if texts else None),
        items=Collection.of(item_ids, texts=item_texts if texts else None),
    )
    given = {"filters": ["known", "duplicates(similarity=0.97)", "margin(relative=0.2)"], "sampler": "top(n=6)"}
    return mine(relations, sources=Neighbors(anchor_vectors, item_vectors, k=k), out=out, **given | options)


@pytest.fixture
def hostile() -> list[str]:
    """Texts that want to be more than text."""
    return HOSTILE


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Make a run in a fresh directory called ``sample``."""

    def make(name: str = "sample", **options: Any) -> Run:
        return build(tmp_path / name, **options)

    return make


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with copies, suspects and, as a cap holds the sampler back, short anchors."""
    return build(tmp_path_factory.mktemp("report") / "sample", sampler=["top(n=6)", "caps(per_item=2)"])
