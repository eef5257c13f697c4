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
from hardneg.io.writers._examples import Document, Example, Examples, Hit, contents, documents, media_kind
from hardneg.io.writers._members import Members
from hardneg.labels import are_classes
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
        notes: What else is to be known, a sentence each.
    """

    def __init__(self, run: Run, writer: Writer, options: ExportOptions, target: Path, name: str) -> None:
        self.run, self.writer, self.options = run, writer, options
        self.target, self.name = target, name
        self.counts: Counter[str] = Counter(anchors=len(run.anchors))
        self.skips = Skips()
        self.notes: list[str] = []
        self.members = Members(run) if writer.paths and are_classes(run) else None
        if writer.texts and not (writer.media and media_kind(run.items)):
            if self.members is None:
                _check_texts(run.anchors, "anchors", writer, classes=are_classes(run))
            _check_texts(run.items, "items", writer)

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
                yield from self._as_members(one, need)

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

    def _as_members(self, one: Example, need: Need) -> Iterator[Example]:
        """The anchor itself, or where it is a class an example for each of its members."""
        if self.members is None:
            yield self._cut(one, need)
            return
        least = {"none": 0, "one": 1, "same": self.width}[need]
        if len(one.positives) == 1:
            self.skips.add("one_member", str(one.id))
        for member in self.members.of(one):
            if len(member.negatives) >= least:
                yield self._cut(member, need)
            else:
                self.skips.add("member_with_too_few_negatives", str(member.id))

    def _cut(self, one: Example, need: Need) -> Example:
        n = self.width if need == "same" else self.options.n
        positives = one.positives[:1] if self.options.positives == "first" else one.positives
        return replace(one, positives=positives, negatives=one.negatives[:n])


def _check_texts(things: Collection, what: str, writer: Writer, *, classes: bool = False) -> None:
    said = contents(things) if writer.paths else things.texts
    needs = f"The format '{writer.name}' needs the texts of the {what}."
    remedy = "Give the texts in the mining, or choose a format of ids (msmarco)."
    if things.pictures is not None:
        remedy = "Choose a format that takes paths (triplet), or one that writes pictures out (image-folder)."
    elif things.sounds is not None:
        remedy = "Choose a format that takes sounds (sound-folder, openwakeword, speechbrain, trials)."
    elif classes:
        remedy = "Classes have none: choose a format that takes their members (triplet), or mine with anchors='items'."
    if said is None:
        raise InputError(f"{needs} The run has none.", remedy=remedy)
    if said.null_count:
        first = int(np.flatnonzero(said.is_null().to_numpy())[0])
        raise InputError(
            f"{needs} {said.null_count} have none (first: {things.ids.take(pa.array([first]))[0].as_py()!r}).",
            remedy=remedy,
        )
