"""The work in hand: a run, the options, and the count of what was written and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.reading import Skips
from hardneg.io.writers._base import ExportOptions, Writer
from hardneg.io.writers._examples import Document, Example, Examples, Hit, documents
from hardneg.ragged import IntArray
from hardneg.run import Run

__all__ = ["Export", "Need"]

# How many negatives a row needs: none, one, or the same number in all rows.
Need = Literal["none", "one", "same"]


class Export:
    """One export while it is being made.

    Attributes:
        run: What is exported.
        writer: The format.
        options: How to write.
        target: Where to write: the file itself, or a folder that gets its name at the end.
        name: The name that the output will have.
        counts: Rows by kind. ``rows`` counts those of the training data.
        skips: What was left out.
    """

    def __init__(self, run: Run, writer: Writer, options: ExportOptions, target: Path, name: str) -> None:
        self.run, self.writer, self.options = run, writer, options
        self.target, self.name = target, name
        self.counts: Counter[str] = Counter(anchors=len(run.anchors))
        self.skips = Skips()
        if writer.texts:
            _check_texts(run.anchors, "anchors", writer.name)
            _check_texts(run.items, "items", writer.name)

    @cached_property
    def source(self) -> Examples:
        """The run by anchor."""
        return Examples(self.run)

    @cached_property
    def width(self) -> int:
        """How many negatives each row has, where all rows have the same number."""
        wanted = self.options.n or int(self.run.manifest["wanted"])
        if self.options.on_short == "skip":
            return wanted
        counts = self.source.negatives.lengths()[self.source.positives.lengths() > 0]
        return min(wanted, int(counts[counts > 0].min(initial=wanted)))

    def examples(self, need: Need, anchors: IntArray | None = None) -> Iterator[Example]:
        """Give the anchors that the format can hold, cut to the negatives and positives wanted.

        An anchor without a positive, or with fewer negatives than ``need`` says, is left out and counted.
        """
        for one in self.source.of(anchors):
            if self._fits(one, need):
                self.counts["anchors_written"] += 1
                yield self._cut(one, need)

    def triples(self, need: Need) -> Iterator[tuple[Example, Hit]]:
        """Give each anchor once for each of its positives."""
        for one in self.examples(need):
            for positive in one.positives:
                yield one, positive

    def documents(self) -> Iterator[Document]:
        """Give every item of the run, for formats with a corpus: those that candidates or judgements name."""
        for one in documents(self.run.items):
            self.counts["documents"] += 1
            yield one

    def rows(self, number: int) -> None:
        """Count the rows of training data."""
        self.counts["rows"] += number

    def _fits(self, one: Example, need: Need) -> bool:
        found = len(one.negatives)
        if not one.positives:
            self.skips.add("no_positive", str(one.id))
        elif not found and need != "none":
            self.skips.add("no_negative", str(one.id))
        elif need == "same" and found < self.width:
            self.skips.add("too_few_negatives", f"{one.id} ({found} of {self.width})")
        else:
            return True
        return False

    def _cut(self, one: Example, need: Need) -> Example:
        n = self.width if need == "same" else self.options.n
        positives = one.positives[:1] if self.options.positives == "first" else one.positives
        return replace(one, positives=positives, negatives=one.negatives[:n])


def _check_texts(things: Collection, what: str, name: str) -> None:
    remedy = "Give the texts in the mining, or choose a format of ids (msmarco)."
    if things.texts is None:
        raise InputError(f"The format '{name}' needs the texts of the {what}. The run has none.", remedy=remedy)
    if things.texts.null_count:
        first = int(np.flatnonzero(things.texts.is_null().to_numpy())[0])
        raise InputError(
            f"The format '{name}' needs the texts of the {what}. {things.texts.null_count} have none "
            f"(first: {things.ids.take(pa.array([first]))[0].as_py()!r}).",
            remedy=remedy,
        )
