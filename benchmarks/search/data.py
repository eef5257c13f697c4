"""Vectors for the search benchmarks: made once from real sentences' and kept in the work folder.

A folder holds the sentences' own vectors, items made from them, and anchors. Fewer items or anchors are the first rows
of more, so that all parts and sizes look at the same vectors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import texts, vectors
from benchmarks.search.kit import Floats, Ints, say, timed
from benchmarks.vectors import Maker

_BLOCK = 8192
_AMONG = 100_000  # an anchor's own item is one of so many first ones, so that small sizes have it too
_ANCHORS = 100_000
_RANKS = (1, 10, 50)


@dataclass(frozen=True)
class Store:
    """The vectors of a work folder.

    Args:
        work: the folder.
        most: how many items are made where there are no files with as many.
        short: grow the vectors from the short texts alone, which are encoded sooner.
    """

    work: Path
    most: int
    short: bool = False

    @cached_property
    def real(self) -> tuple[str, Floats, list[str]]:
        """Where the texts come from, their vectors, and the texts."""
        if self.short:
            return vectors.real(self.work)
        where, told = texts.sentences()
        return where, vectors.encoded(told, self.work / f"sentences-{len(told)}.npy"), told

    @cached_property
    def maker(self) -> Maker:
        """Makes vectors around the real ones."""
        return Maker.of(self.real[1])

    @cached_property
    def total(self) -> int:
        """How many items there are: those of the largest file."""
        return max([self.most, *self._sizes("items")])

    @property
    def homes(self) -> Ints:
        """The sentence that each item grew from."""
        return self._generator[1]

    @property
    def _generator(self) -> tuple[np.random.Generator, Ints]:
        rng = np.random.default_rng(0)
        return rng, rng.integers(0, len(self.real[1]), self.total)

    def items_file(self) -> Path:
        """All items."""
        file = self.work / f"items{label(self.total)}{self._tag}.npy"
        if not file.is_file():
            rng, homes = self._generator
            self._write(file, homes, lambda home: self.maker.moved(home, rng))
        return file

    def items(self, count: int) -> Floats:
        """The first items, in memory."""
        return np.array(np.load(self.items_file(), mmap_mode="r")[:count])

    def anchors_file(self, count: int) -> Path:
        """At least so many anchors, each as far from its sentence as items are; many at once, for all parts alike."""
        count = max(count, _ANCHORS)
        made = [one for one in self._sizes(self._anchors) if one >= count]
        file = self.work / f"{self._anchors}{label(max([count, *made]))}{self._tag}.npy"
        if not file.is_file():
            rng = np.random.default_rng(1)
            home = self.homes[self._rows(rng, count)]
            self._write(file, home, lambda some: self.maker.moved(some, rng))
        return file

    def anchors(self, count: int) -> Floats:
        """The first anchors, in memory."""
        return np.array(np.load(self.anchors_file(count), mmap_mode="r")[:count])

    def own_items(self, count: int) -> Ints:
        """For each of the first anchors an item that grew from the same sentence."""
        every = len(np.load(self.anchors_file(count), mmap_mode="r"))
        return self._rows(np.random.default_rng(1), every)[:count]

    def first_rows(self, source: Path, count: int) -> Path:
        """A file with the first rows of another."""
        whole = np.load(source, mmap_mode="r")
        if len(whole) == count:
            return source
        file = self.work / f"first{label(count)}-of-{source.name}"
        if not file.is_file():
            _written(file, (whole[at : min(at + _BLOCK, count)] for at in range(0, count, _BLOCK)), count)
        return file

    @property
    def _tag(self) -> str:
        return "-short" if self.short else ""

    @property
    def _anchors(self) -> str:
        return f"anchors-for-{label(self.total)}-"

    def _rows(self, rng: np.random.Generator, count: int) -> Ints:
        return rng.integers(0, min(self.total, _AMONG), count)

    def _sizes(self, name: str) -> list[int]:
        """The numbers of rows of the files of that name."""
        form = re.compile(rf"{re.escape(name)}(\d+)([km]?){self._tag}\.npy")
        found = [form.fullmatch(one.name) for one in self.work.glob(f"{name}*.npy")]
        return [int(one[1]) * {"": 1, "k": 1000, "m": 1_000_000}[one[2]] for one in found if one]

    def _write(self, file: Path, homes: Ints, moved: Callable[[Ints], Floats]) -> None:
        parts = (moved(homes[at : at + _BLOCK]) for at in range(0, len(homes), _BLOCK))
        seconds, _ = timed(lambda: _written(file, parts, len(homes)))
        say(f"{file.name}: made in {seconds:.0f} s")

    def likeness(self) -> dict[str, Any]:
        """How made and real vectors compare, at equal numbers."""
        where, base, told = self.real
        items = self.items(min(self.total, len(base)))
        figures = vectors.likeness(items, base, np.random.default_rng(0))
        place = {text: row for row, text in enumerate(told)}
        near = {}
        for name, asked in _questions():
            rows = np.array([place[text] for text in asked if text in place], np.int64)
            near[name] = _nearest(base[rows], base, rows)
        near["made anchors, among made items"] = _nearest(self.anchors(2000), items, None)
        return {"where": where, "sentences": len(told), "figures": figures, "near": near, "ranks": _RANKS}


def label(count: int) -> str:
    """A number as file names have it.

    >>> label(1_000_000), label(50_000), label(1234)
    ('1m', '50k', '1234')
    """
    for size, letter in ((1_000_000, "m"), (1000, "k")):
        if count >= size and count % size == 0:
            return f"{count // size}{letter}"
    return str(count)


def with_classes(made: Floats, codes: Ints, strength: float) -> Floats:
    """Vectors moved towards the centre of their class, of unit length; centres are at right angles."""
    centres = np.linalg.qr(np.random.default_rng(3).standard_normal((made.shape[1], codes.max() + 1)))[0].T
    return vectors.unit(made + np.float32(strength) * centres[codes].astype(np.float32))


def _written(file: Path, parts: Iterator[Floats], count: int) -> None:
    """Write rows to a file that is whole or not there."""
    partial = file.with_suffix(".partial")
    out: Any = None
    at = 0
    for part in parts:
        if out is None:
            shape = (count, part.shape[1])
            out = np.lib.format.open_memmap(partial, "w+", np.float32, shape)  # type: ignore[no-untyped-call]
        out[at : at + len(part)] = part
        at += len(part)
    out.flush()
    partial.replace(file)


def _questions() -> Iterator[tuple[str, list[str]]]:
    """The real anchors of the judged data, cut as the sentences are."""
    kinds = {"StackFAQ": "StackFAQ questions, among the other sentences", "SciFact": "SciFact claims, likewise"}
    for judged in texts.judged_sets():
        yield kinds[judged.name], [" ".join(text.split()[:40]) for text in judged.anchors.values()]


def _nearest(asked: Floats, among: Floats, own: Ints | None) -> list[float]:
    """The mean cosine with the 1st, 10th and 50th nearest, the own row left out."""
    found = []
    for at in range(0, len(asked), 512):
        products = asked[at : at + 512] @ among.T
        if own is not None:
            products[np.arange(len(products)), own[at : at + 512]] = -2
        found.append(-np.sort(-products, axis=1)[:, [rank - 1 for rank in _RANKS]])
    return [float(one) for one in np.concatenate(found).mean(axis=0)]
