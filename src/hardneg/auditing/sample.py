"""The sample to judge: drawn by strata, so that few judgements go far; any beginning of it is a sample."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from pathlib import Path

import numpy as np
import pyarrow as pa

from hardneg import random
from hardneg.auditing.population import Coded, Population
from hardneg.collection import Collection
from hardneg.decisions import Answer, Decision, now
from hardneg.io.sheets import harmless
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.storage import place

__all__ = ["COLUMNS", "Sample", "allocated", "draw", "write_sample"]

COLUMNS = (
    "number",
    "anchor",
    "item",
    "answer",
    "anchor_text",
    "item_text",
    "score",
    "rank",
    "source",
    "stratum",
    "weight",
)
# How much the shares of the strata are guessed to spread, from the highest scores down (Neyman 1934). Deliberately
# mild: with a wrong guess of a steep one, a share of zero in a large stratum would be known badly.
_SPREAD = (2.0, 1.5, 1.2, 1.0)
_EXCERPT = 2000


@dataclass(frozen=True, eq=False)
class Sample:
    """Pairs to judge, in the order in which they should be: the first ``k`` are the sample of size ``k``.

    Args:
        pairs: places among the mined pairs.
        strata: of the whole population.
        weight: for each pair drawn, how many of its stratum it stands for.
    """

    pairs: IntArray
    strata: Coded
    weight: list[float]

    def __len__(self) -> int:
        return len(self.pairs)

    def decisions(self, population: Population, answers: Sequence[Answer], who: str = "judge") -> list[Decision]:
        """What a judge answered of the first pairs, in their order, as decisions that an audit can use."""
        anchors, items = population.pairs(self.pairs)
        rows = zip(anchors, items, answers, self.pairs.tolist(), self.weight, strict=False)
        return [
            Decision(a, i, answer, who, now(), stratum=self.strata.names[int(self.strata.codes[row])], weight=weight)
            for a, i, answer, row, weight in rows
        ]


def allocated(sizes: Sequence[int], number: int) -> list[int]:
    """From which stratum each judgement comes, in turn, so that a larger sample holds every smaller one.

    The next goes where size times guessed spread is largest for what is there already (Sainte-Laguë's divisors).

    >>> allocated([100, 200, 300, 400], 5)
    [3, 2, 1, 0, 3]
    """
    heap = [(-size * spread / 0.5, at) for at, (size, spread) in enumerate(zip(sizes, _SPREAD, strict=True)) if size]
    heapify(heap)
    taken: list[int] = [0] * len(sizes)
    order: list[int] = []
    while heap and len(order) < number:
        _, at = heappop(heap)
        order.append(at)
        taken[at] += 1
        if taken[at] < sizes[at]:
            heappush(heap, (-sizes[at] * _SPREAD[at] / (taken[at] + 0.5), at))
    return order


def draw(population: Population, strata: Coded, number: int, seed: int = 0) -> Sample:
    """Draw pairs to judge: simple random sampling without replacement in each stratum.

    A pair's random number hangs on the seed and its ids alone, so a larger draw holds every smaller one.

    Raises OptionError for fewer than one pair.
    """
    require(number >= 1, "draw", "at least 1", number)
    numbers = random.uniform(seed, *population.keys)
    order = np.lexsort((numbers, strata.codes))
    starts = np.searchsorted(strata.codes[order], np.arange(len(strata.names) + 1))
    sizes = np.diff(starts).tolist()
    turn = np.array(allocated(sizes, number), np.int64)
    within = np.zeros(len(turn), np.int64)
    for stratum in range(len(sizes)):
        mine = turn == stratum
        within[mine] = np.arange(mine.sum())
    taken = np.bincount(turn, minlength=len(sizes)).tolist()
    weights = [sizes[one] / taken[one] for one in turn.tolist()]
    return Sample(order[starts[turn] + within], strata, weights)


def write_sample(population: Population, sample: Sample, path: Path, answers: IntArray) -> None:
    """Write the sample as CSV, to be judged from the top in the column ``answer``.

    ``answers`` are those that are there already: 1 for a positive, 0 for a negative, -1 for none, by pair.
    """
    run, rows = population.run, sample.pairs
    anchors, items = population.pairs(rows)
    texts = [
        _texts(things, at)
        for things, at in ((run.anchors, population.anchor[rows]), (run.items, population.item[rows]))
    ]
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for at, row in enumerate(rows.tolist()):
        answer = {1: "positive", 0: "negative"}.get(int(answers[row]), "")
        stratum = sample.strata.names[int(sample.strata.codes[row])]
        figures = (f"{population.score[row]:.4f}", int(population.rank[row]))
        source = population.source.names[int(population.source.codes[row])]
        said = (anchors[at], items[at], answer, texts[0][at], texts[1][at])
        table.writerow((at + 1, *map(harmless, said), *figures, source, stratum, f"{sample.weight[at]:.10g}"))
    with place(path) as file:
        file.write(out.getvalue().encode("utf-8-sig"))  # so that spreadsheets know what it is


def _texts(things: Collection, rows: IntArray) -> list[str]:
    """What a person reads: the texts, or where pictures and sounds are."""
    name = next((one for one in ("text", "path", "audio") if one in things.table.column_names), None)
    if name is None:
        return [""] * len(rows)
    column = things.table.column(name).take(pa.array(rows)).to_pylist()
    return [one[:_EXCERPT] if isinstance(one, str) else "" for one in column]
