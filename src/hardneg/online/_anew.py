"""One mining with a model as it is now: encode what is new, mine, and put item rows in the anchors' places."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg import random
from hardneg.context import Context, Vectors, encode_both
from hardneg.encode import Encoder
from hardneg.encode._identity import fingerprint
from hardneg.errors import InputError
from hardneg.mining import Settings, mine
from hardneg.online._filling import filled
from hardneg.online.live import LatestVectors, Live
from hardneg.positives import Positives
from hardneg.predict import Predictions
from hardneg.ragged import IntArray, places
from hardneg.run import Run
from hardneg.similarity import FloatArray
from hardneg.steps import DEFAULT_SOURCES, Steps, united, usual_filters

__all__ = ["Anew", "Found", "InBackground"]

_SAMPLE = 1000  # items whose vectors are compared with those of the last mining
_DOUBTING = ("mislabelled", "unlabelled", "missing_label")


@dataclass(frozen=True, eq=False)
class Found:
    """What a mining found: item rows of each anchor, shape ``(anchors, n)``, and the account of it."""

    rows: IntArray
    step: int
    version: str = ""
    run: Run | None = None
    encoded: int = 0
    drift: float = float("nan")
    filled: int = 0
    seconds: float = 0.0


class Anew:
    """What stays the same from mining to mining, and what one leaves to the next."""

    def __init__(
        self, positives: Positives, steps: dict[str, Any], seed: int, out: Path | None, settings: Settings
    ) -> None:  # fmt: skip
        self.positives, self.seed = positives, seed
        self.guard: Predictions | None = None
        self._steps, self._out, self._settings = steps, out, settings
        filters = usual_filters(positives) if steps.get("filters") is None else steps["filters"]
        parsed = Steps.parse(united(steps.get("sources", DEFAULT_SOURCES)), filters, steps["sampler"])
        self.n, self._texts = parsed.plan.chooser.n, parsed.texts()
        self._doubts = positives.predictions is None and any(one.name in _DOUBTING for one in parsed.filters)
        self._cache = LatestVectors()
        self._before: tuple[IntArray, FloatArray] | None = None

    def mined(self, live: Live, step: int, number: int, *, overwrite: bool) -> Found:
        """Mine with the model as it is."""
        began, encoder = time.perf_counter(), live.encoder()
        counted = _Counted(encoder)
        settings = replace(self._settings, overwrite=overwrite or self._settings.overwrite)
        cache = self._cache.of(encoder.identity)
        vectors = encode_both(counted, self.positives, cache, settings.progress)  # type: ignore[arg-type]
        out = None if self._out is None else self._out / f"refresh-{number:03d}"
        run = mine(
            self._guarded(vectors), encoder=vectors, seed=self.seed + number, out=out, settings=settings, **self._steps
        )
        rows, many = self._placed(run, number)
        return Found(
            rows,
            step,
            encoder.version or "",
            run,
            counted.count,
            self._drift(vectors),
            many,
            time.perf_counter() - began,
        )

    def grown(self, positives: Positives) -> None:
        """Go on with other relations.

        Raises InputError where anchors are others, or items are not those of before with some more at the end: the rows
        that are in use would mean other ones.
        """
        before, count = self.positives, len(self.positives.items)
        same = positives.anchors.ids.equals(before.anchors.ids)
        if not same or not positives.items.ids.slice(0, count).equals(before.items.ids):
            raise InputError(
                "The anchors must stay as they are, and items may only be added at the end.",
                remedy="Keep what is no longer wanted, and bar it: positives.barring(ids).",
            )
        self.positives = positives

    def data(self) -> str:
        """A hash of what rows and negatives mean: anchors, items, steps."""
        sides = (_bytes(one.ids) for one in (self.positives.anchors, self.positives.items))
        return fingerprint(*sides, self._texts, self.seed)

    def _guarded(self, vectors: Vectors) -> Positives:
        """With predictions from the vectors as they came at first, where filters doubt labels."""
        if not self._doubts or self.positives.classes is None:
            return self.positives
        if self.guard is None or len(self.guard) != len(self.positives.items):
            self.guard = Context(self.positives, vectors, self.seed).predictions(None, "refresh")
        return self.positives.with_predictions(self.guard)

    def _placed(self, run: Run, number: int) -> tuple[IntArray, int]:
        table, positives = run.negatives, self.positives
        anchor = positives.anchors.positions(table.column("anchor"))
        item = positives.items.positions(table.column("item"))
        order = np.lexsort((-table.column("score").to_numpy(), anchor))
        anchor, item = anchor[order], item[order]
        rows = np.full((len(positives.anchors), self.n), -1)
        rows[anchor, places(np.bincount(anchor, minlength=len(rows)))] = item
        used = np.flatnonzero(positives.positive.lengths())
        return filled(rows, positives, used, self.seed, number)

    def _drift(self, vectors: Vectors) -> float:
        """How far the vectors of some items have moved since the mining before."""
        before, keys = self._before, random.uniform(self.seed, np.arange(len(vectors.items)))
        some = np.argsort(keys, kind="stable")[:_SAMPLE] if before is None else before[0]
        now = vectors.items[some].astype(np.float32)
        self._before = some, now
        if before is None:
            return float("nan")
        lengths = np.linalg.norm(now, axis=1) * np.linalg.norm(before[1], axis=1)
        products = np.einsum("ij,ij->i", now, before[1])
        return float(np.mean(1 - np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)))


class InBackground:
    """A mining in a thread of its own; :meth:`wait` gives what it found, or raises what it raised."""

    def __init__(self, anew: Anew, live: Live, step: int, number: int, *, overwrite: bool) -> None:
        self._found: Found | None = None
        self._error: BaseException | None = None

        def work() -> None:
            try:
                self._found = anew.mined(live, step, number, overwrite=overwrite)
            except BaseException as error:
                self._error = error

        self._thread = Thread(target=work, name="hardneg refresh", daemon=True)
        self._thread.start()

    def wait(self) -> Found:
        """What was found."""
        self.stopped()
        if self._error is not None:
            raise self._error
        assert self._found is not None  # noqa: S101 - the thread has ended without an error
        return self._found

    def stopped(self) -> None:
        """Wait for the end, whatever it is."""
        self._thread.join()


class _Counted:
    """An encoder that counts what it encodes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.count = encoder, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode(self, inputs: Any, role: Any) -> FloatArray:
        self.count += len(inputs)
        return self._encoder.encode(inputs, role)


def _bytes(ids: pa.Array) -> bytes:
    """Ids as bytes, however they are cut up in memory."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("id", ids.type)])) as writer:
        writer.write_batch(pa.record_batch([pa.concat_arrays([ids])], names=["id"]))
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]
