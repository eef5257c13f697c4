"""A small awkward world: ties, copies, an anchor with nothing left to mine, ids of both kinds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.context import Context, Vectors, reference_scores
from hardneg.judging import nearest_positive
from hardneg.positives import Positives
from hardneg.ragged import IntArray, Ragged
from hardneg.run import relation_of
from hardneg.search import Constraints, Exact
from hardneg.table import Array, Rows, grades
from hardneg.testing._expect import frozen

__all__ = ["all_pairs", "judge_columns", "kept_rows", "labelled_world", "world"]

ANCHORS, ITEMS, WIDTH = 14, 60, 8
CROWDED, NEARLY_CROWDED = 3, 4  # every item, and all but two, are positives of these anchors
_WORDS = ["red", "fox", "hen", "barn", "owl", "sync", "folder", "tax", "law", "river", "stone", "cloud"]


def world(seed: int = 0) -> Context:
    """The surroundings of a mining with 14 anchors and 60 items, with texts, vectors, labels and all relations.

    Arrays are protected from writing. Every item shares the word "thing" with every anchor, so no lexical source
    has an excuse.
    """
    rng = np.random.default_rng(seed)
    positives = _relations(rng, _collection(rng, list(range(100, 100 + ANCHORS))), _collection(rng, _names()))
    anchors = rng.normal(size=(ANCHORS, WIDTH)).astype(np.float32)
    items = rng.normal(size=(ITEMS, WIDTH)).astype(np.float32)
    items[20:26] = items[10]  # ties
    items[30] = 2 * items[11]  # a tie for cosine alone
    anchors[7] = items[12]
    return Context(positives, Vectors(frozen(anchors), frozen(items)), seed)


def labelled_world(seed: int = 0) -> Context:
    """The surroundings of a mining with labels: classes of different sizes, one of a single item, some without a label.

    The anchors are the labelled items; some items are barred; every seventh has two labels; a detector has heard some.
    """
    rng = np.random.default_rng(seed)
    things = _collection(rng, _names())
    names = np.array(["ant", "bee", "cow", "dog"])[np.minimum(rng.geometric(0.4, ITEMS) - 1, 3)]
    labels: list[list[str] | None] = [[str(one)] for one in names]
    for row in range(0, ITEMS, 7):
        labels[row] = sorted({str(names[row]), "bee"})
    for row in range(3, ITEMS, 6):
        labels[row] = None
    labels[50] = ["elk"]
    things = Collection(_heard(seed, things.table.append_column("label", pa.array(labels))))
    minable = np.ones(ITEMS, bool)
    minable[[2, 21, 59]] = False
    positives = Positives.from_labels(things, minable=minable, listed=3, seed=seed)
    vectors = rng.normal(size=(ITEMS, WIDTH)).astype(np.float32)
    vectors[20:26] = vectors[10]
    return Context(positives, Vectors(frozen(vectors[positives.own]), frozen(vectors)), seed)


def _heard(seed: int, table: pa.Table) -> pa.Table:
    """Most things were taken for one of the classes by a detector; some of these are known to be of it."""
    rng = np.random.default_rng([seed, 1])
    heard = pa.array(rng.choice(["ant", "bee", "cow", "fly"], len(table)), mask=rng.random(len(table)) < 0.2)
    peaks = pa.array(rng.integers(5, 10, len(table)) / 10, pa.float32())  # with ties
    outcomes = pa.array(rng.choice(["unlabelled", "false_accept", "hit"], len(table)))
    table = table.append_column("heard", heard).append_column("peak", peaks).append_column("outcome", outcomes)
    taken = rng.random(len(table)) < 0.3  # these are known to be there, and what found them might hide
    scores = pc.divide(peaks, 2).to_numpy().astype(np.float64)
    table = table.append_column("predicted", heard)
    table = table.append_column("detector_score", pa.array(scores, mask=taken))
    return table.append_column("hidden_score", pa.array(scores, mask=~taken))


def _names() -> list[str]:
    return [f"item {row}" for row in range(ITEMS)]


def _collection(rng: np.random.Generator, ids: object) -> Collection:
    n = len(list(ids))  # type: ignore[call-overload]
    texts = ["thing " + " ".join(rng.choice(_WORDS, int(rng.integers(1, 6)))) for _ in range(n)]
    texts[6] = texts[5].upper() + "!"
    texts[8] = "thing unique"
    table = Collection.of(ids, texts=texts).table
    return Collection(table.append_column("group", pa.array([f"g{row % 5}" for row in range(n)])))


def _relations(rng: np.random.Generator, anchors: Collection, items: Collection) -> Positives:
    positive = [np.unique(rng.integers(0, ITEMS, 3)) for _ in range(ANCHORS)]
    positive[CROWDED] = np.arange(ITEMS)
    positive[NEARLY_CROWDED] = np.setdiff1d(np.arange(ITEMS), [15, 50])
    positive[0], positive[1] = np.array([5, 40]), np.array([40, 41])  # they share one
    others = [np.setdiff1d(rng.integers(0, ITEMS, 6), known) for known in positive]
    own = np.full(ANCHORS, -1, np.int64)
    own[[5, 6, 7]] = [17, 20, 12]
    barred = np.zeros(ITEMS, bool)
    barred[[2, 21, 59]] = True
    return Positives(
        anchors,
        items,
        Ragged.from_lists(positive),
        Ragged.from_lists([one[::2] for one in others]),
        Ragged.from_lists([one[1::2] for one in others]),
        frozen(own),
        frozen(barred),
    )


def all_pairs(context: Context) -> Rows:
    """Every anchor with every item, hardest first, with the columns that a source gives."""
    vectors = context.vectors(None)
    n, m = len(vectors.anchors), len(vectors.items)
    hits = Exact().search(vectors.anchors, vectors.items, m, vectors.similarity, Constraints.none(n, m))
    columns = {"source_score": hits.scores, "rank": hits.ranks, "source": np.ones(n * m, np.uint32)}
    return Rows(hits.items.rows(), hits.items.values, columns)


def judged_pairs(context: Context) -> Rows:
    """Every pair with the columns that every filter may read but its own evidence."""
    rows, positives, vectors = all_pairs(context), context.positives, context.vectors(None)
    references = reference_scores(positives.positive, vectors.pairs)
    return rows.having(
        score=vectors.pairs(rows.anchor, rows.item),
        relation=relation_of(positives, rows),
        positive_similarity=nearest_positive(rows, positives.positive, vectors.item_pairs),
        **{f"positive_{name}": values[rows.anchor] for name, values in references.items()},
    )


def judge_columns(rows: Rows, evidence: dict[str, Array]) -> dict[str, Array]:
    """Columns for a filter's predicate, protected from writing."""
    return {name: frozen(values.copy()) for name, values in {**rows.columns, **evidence}.items()}


def kept_rows(context: Context) -> Rows:
    """Kept candidates as samplers see them: by anchor, hardest first; anchors of different lengths, one with none."""
    rows, positives = judged_pairs(context), context.positives
    place = np.arange(len(rows)) % len(positives.items)
    rows = rows.take((rows["relation"] < 2) & (place < 5 + 3 * rows.anchor) & (rows.anchor != 2))
    bits = (1 + rows.item % 3).astype(np.uint32)
    rows = rows.having(
        source=bits,
        positive_score=rows["positive_min"],
        grade=grades(rows["score"], rows["positive_min"]),
        anchor_key=positives.anchors.keys[rows.anchor],
        item_key=positives.items.keys[rows.item],
        item_class=rows.item % 4 - 1,
        class_pair=np.where(rows.item % 4 > 0, rows.anchor % 3 * 4 + rows.item % 4, -1),
    )
    return replace(rows, columns={name: frozen(values.copy()) for name, values in rows.columns.items()})


def renumbered(rows: Rows, anchor_of: IntArray, item_of: IntArray) -> Rows:
    """The same rows under other row numbers, sorted by the new anchor numbers."""
    moved = Rows(anchor_of[rows.anchor], item_of[rows.item], rows.columns)
    return moved.take(np.argsort(moved.anchor, kind="stable"))
