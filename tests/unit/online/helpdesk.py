"""A small retrieval task that a model of words can learn: queries and items of topics, some words shared."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from hardneg.collection import Collection
from hardneg.online.live import Live
from hardneg.online.refresh import Refresher
from hardneg.positives import Positives

WORDS = [f"{kind}{number}" for kind in "abcdefgh" for number in range(8)]
FILTERS = ["known", "duplicates"]


def texts(count: int, seed: int) -> list[str]:
    """Four words of one topic and one of any; the number makes each different."""
    rng = np.random.default_rng(seed)
    out = []
    for number in range(count):
        topic = number % 8
        words = [*rng.choice(WORDS[8 * topic : 8 * topic + 8], 4), rng.choice(WORDS), WORDS[number % len(WORDS)]]
        out.append(" ".join(words))
    return out


def helpdesk(queries: int = 24, items: int = 64) -> Positives:
    """Each query has two items of its topic as positives."""
    asked = Collection.of([f"q{one}" for one in range(queries)], texts=texts(queries, 1))
    things = Collection.of([f"d{one}" for one in range(items)], texts=texts(items, 2))
    pairs = [(f"q{one}", f"d{one + queries * more}") for one in range(queries) for more in range(2)]
    return Positives.from_pairs(*zip(*pairs, strict=True), anchors=asked, items=things)


class Words(torch.nn.Module):  # type: ignore[misc]
    """The mean of the vectors of a text's words, without any other package."""

    def __init__(self, seed: int = 0, dim: int = 16) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.vectors = torch.nn.EmbeddingBag(len(WORDS), dim)

    def forward(self, some: list[str]) -> Any:
        numbers = [[WORDS.index(word) for word in one.split()] for one in some]
        starts = np.cumsum([0, *map(len, numbers)])[:-1]
        flat = torch.tensor([number for one in numbers for number in one])
        return self.vectors(flat, torch.tensor(starts))

    def encode(self, some: list[str]) -> Any:
        with torch.no_grad():
            return self(some).numpy()


def refresher(model: Any, positives: Positives | None = None, **options: Any) -> Refresher:
    usual = {"filters": FILTERS, "sources": "neighbors(k=20)", "sampler": "top(n=3)"}
    live = Live(model, lambda net, some, role: net(some)) if isinstance(model, Words) else Live(model)
    return Refresher(positives or helpdesk(), live, **{**usual, **options})


def hardest(model: Any, positives: Positives, n: int) -> Any:
    """The nearest items that are no positives, by a full matrix of cosines."""
    assert positives.anchors.texts is not None
    assert positives.items.texts is not None
    queries, items = (
        torch.nn.functional.normalize(torch.tensor(model.encode(side.to_pylist())).double(), dim=1)
        for side in (positives.anchors.texts, positives.items.texts)
    )
    scores = (queries @ items.T).numpy()
    scores[positives.positive.rows(), positives.positive.values] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :n]


def moved(model: Any, seed: int = 5) -> None:
    """As training would, at once."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for one in model.parameters():
            one.add_(0.5 * torch.randn_like(one))
