"""A pool of which few have labels: false negatives with and without guards, and what a probe gains, round by round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.labelled.data import Labelled
from benchmarks.labelled.noise import ids
from hardneg.matrix import Matrix
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.rounds import Round, Stop, mine_in_rounds
from hardneg.run import Run

HEAD = ("data", "arm", "round", "false among the mined", "pseudo-labels", "probe", "probe - labels only")
ROUNDS, WANTED, WIDTH = 3, 4, 64
ARMS = {
    "no guards": {"filters": ["known"], "pseudo_error": None},
    "guards": {"filters": ["known", "mislabelled", "unlabelled"], "pseudo_error": None},
    "guards, pseudo-labels": {"filters": ["known", "mislabelled", "unlabelled"], "pseudo_error": 0.02},
    "random, guards": {
        "filters": ["known", "mislabelled", "unlabelled"], "pseudo_error": 0.02, "sources": "uniform(k=50)",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """One round of one arm at one seed. Round -1 is the labels alone, on the vectors as they came."""

    arm: str
    seed: int
    number: int
    false: float
    pseudo: int
    probe: float


def measured(data: Labelled, each: int, seed: int) -> list[Outcome]:
    """All arms with ``each`` labels a class; test items are never seen."""
    rng = np.random.default_rng(seed)
    train, test = np.flatnonzero(data.split == "train"), np.flatnonzero(data.split == "test")
    known = np.concatenate(
        [rng.permutation(train[data.labels[train] == code])[:each] for code in range(len(data.names))]
    )
    labels = np.full(len(data.labels), -1, np.int64)
    labels[known] = data.labels[known]
    minable = data.split == "train"
    found = [Outcome("labels only", seed, -1, float("nan"), 0, _probe(data, data.vectors, known, test))]
    for arm, options in ARMS.items():
        positives = Positives.from_labels(data.collection(labels), minable=minable, seed=seed)

        heads: dict[int, NDArray[np.float32]] = {}

        def train_head(one: Round, heads: dict[int, NDArray[np.float32]] = heads) -> Matrix:
            heads[one.number] = projected(data.vectors, one.run, seed)
            return heads[one.number]

        rounds = mine_in_rounds(
            positives, data.vectors, train_head, stop=Stop(most=ROUNDS, settled=0, patience=ROUNDS),
            **{"sources": "neighbors(k=50)", "sampler": f"top(n={WANTED})", "seed": seed, **options},  # type: ignore[arg-type]
        )  # fmt: skip
        for one in rounds.rounds:
            fresh = heads[one.number] if one.number in heads else projected(data.vectors, one.run, seed)
            probe = _probe(data, fresh, known, test)
            found.append(Outcome(arm, seed, one.number, _false(data, one.run), one.pseudo, probe))
    return found


def _false(data: Labelled, run: Run) -> float:
    anchor, item = ids(run.negatives, "anchor"), ids(run.negatives, "item")
    return float((data.labels[anchor] == data.labels[item]).mean()) if len(anchor) else float("nan")


def _probe(data: Labelled, vectors: NDArray[np.float32], known: NDArray[np.int64], test: NDArray[np.int64]) -> float:
    from sklearn.linear_model import LogisticRegression

    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
    model = LogisticRegression(C=10, max_iter=1000).fit(unit[known], data.labels[known])
    return float(model.score(unit[test], data.labels[test]))


def projected(vectors: NDArray[np.float32], run: Run, seed: int, steps: int = 150) -> NDArray[np.float32]:
    """All vectors with what a linear layer of low rank adds to them, trained on the run's triplets (InfoNCE)."""
    import torch

    torch.manual_seed(seed)
    unit = torch.nn.functional.normalize(torch.from_numpy(vectors))
    down = torch.nn.Linear(vectors.shape[1], WIDTH, bias=False)
    up = torch.nn.Linear(WIDTH, vectors.shape[1], bias=False)
    torch.nn.init.zeros_(up.weight)  # so that training begins from the vectors as they came
    optimiser = torch.optim.Adam([*down.parameters(), *up.parameters()], lr=1e-3)

    def head(x: torch.Tensor) -> torch.Tensor:
        return x + up(down(x))

    anchors, positives, negatives = _triplets(run)
    rng = np.random.default_rng(seed)
    for _ in range(steps if len(anchors) else 0):
        rows = rng.integers(0, len(anchors), 64)
        chosen = np.array([rng.choice(positives[int(anchors[row])]) for row in rows])
        parts = [unit[anchors[rows]], unit[chosen], unit[negatives[rows]]]
        left, right, wrong = (torch.nn.functional.normalize(head(one), dim=-1) for one in parts)
        near = (left * right).sum(-1, keepdim=True)
        far = (left[:, None] * wrong).sum(-1)
        logits = torch.cat([near, far], dim=1) / 0.1
        loss = torch.nn.functional.cross_entropy(logits, torch.zeros(len(rows), dtype=torch.long))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        return np.asarray(head(unit).numpy(), np.float32)


def _triplets(run: Run) -> tuple[NDArray[np.int64], dict[int, NDArray[np.int64]], NDArray[np.int64]]:
    """Anchors with all their negatives, the positives of each, and the negatives, as rows of the data."""
    anchor, item = ids(run.negatives, "anchor"), ids(run.negatives, "item")
    names = np.array(run.items.ids.to_pylist())
    own = np.array(run.anchors.ids.to_pylist())
    listed = run.positives.positive
    positives = {int(own[row]): names[listed[row]] for row in range(len(listed)) if len(listed[row])}
    lists = Ragged.from_pairs(anchor, item, int(anchor.max(initial=0)) + 1)
    full = [row for row in np.unique(anchor) if len(lists[row]) == WANTED and int(row) in positives]
    wrong = np.array([lists[row] for row in full], np.int64).reshape(-1, WANTED)
    return np.array(full, np.int64), positives, wrong
