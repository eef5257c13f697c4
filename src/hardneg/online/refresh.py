"""Negatives that follow the model: mined anew, with the model as it is, while it is being trained.

Mined once, negatives grow stale: what was hard for the first model no longer is for the second (ANCE, Xiong 2021, arXiv
2007.00808). :class:`Refresher` mines again between epochs or every so many steps, with the same sources, filters and
sampler as :func:`hardneg.mine`, and swaps the negatives under the training. Nothing old is reused unseen: every mining
searches anew, each says how much of it is new and how old what it replaced was, and one that fails stops the training.

What is encoded is only what has changed: while the weights stay (a frozen tower of items, say), new items alone are.
With labels, what doubts the labels and lets unlabelled items through are predictions from the vectors as they came at
first, as in :func:`hardneg.rounds.mine_in_rounds`: later ones have been trained on the labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hardneg.errors import InputError, RunError
from hardneg.mining import Settings
from hardneg.online._anew import Anew, Found, InBackground
from hardneg.online.distributed import device_of_group, from_first, place
from hardneg.online.live import Live
from hardneg.positives import Positives
from hardneg.predict import Predictions
from hardneg.ragged import IntArray
from hardneg.run import Run

__all__ = ["InUse", "Refresh", "Refresher"]


@dataclass(eq=False)
class InUse:
    """What a training reads: relations, and negatives in shared memory. No model, so that workers can have it."""

    positives: Positives
    negatives: torch.Tensor


@dataclass(frozen=True, eq=False)
class Refresh:
    """One mining in a training, and what it replaced.

    Args:
        number: from 0.
        step: the step whose weights mined.
        swapped: the step at which its negatives came into use: later than ``step`` where it was in the background.
        run: with the account of every candidate; None in processes other than the first.
        encoded: how many inputs were encoded; the vectors of the others were held, of the same weights.
        overlap: the share of its negatives that the mining before had too; NaN in the first.
        drift: the mean of 1 - cosine between items' vectors now and at the mining before; NaN in the first, and in the
            first after a resumption.
        filled: places that the mining left empty and random items took.
        replaced: how old the replaced negatives were, in steps; NaN in the first.
        seconds: what it took.
    """

    number: int
    step: int
    swapped: int
    run: Run | None
    encoded: int
    overlap: float
    drift: float
    filled: int
    replaced: float
    seconds: float

    def figures(self) -> dict[str, float]:
        """What to log, by names that begin with ``refresh/``; what is NaN is left out."""
        names = ("number", "step", "swapped", "encoded", "overlap", "drift", "filled", "replaced", "seconds")
        found = {f"refresh/{name}": float(getattr(self, name)) for name in names}
        return {name: value for name, value in found.items() if not np.isnan(value)}

    def __str__(self) -> str:
        old = "" if np.isnan(self.overlap) else f": {1 - self.overlap:.0%} new, after {self.replaced:.0f} steps"
        drift = "" if np.isnan(self.drift) else f", vectors moved by {self.drift:.3g}"
        more = f", {self.filled} random where too few were found" if self.filled else ""
        return f"Negatives of step {self.step}{old}{drift}{more} ({self.seconds:.1f} s)."


class Refresher:
    """Mines with a model in training, and holds the negatives that the training uses.

    :attr:`negatives` are item rows, shape ``(anchors, n)``, the hardest first; ``n`` is that of the sampler. They
    lie in shared memory and change in place, so that the workers of a loader see new ones with their next example.
    :mod:`hardneg.online.pairs` makes datasets of them, :mod:`hardneg.online.hooks` calls it in trainers.

    Of several processes the first mines, and all get the same.

    Args:
        positives: who is positive for whom, with texts, pictures or sounds.
        live: the model.
        sampler: as for :func:`hardneg.mine`. Where an anchor gets fewer than ``n``, random items that are no positives
            take the places, and are counted; ``on_short=fill`` takes such that pass the filters.
        seed: the only source of randomness, together with the number of the mining.
        out: a directory for the runs, ``refresh-000``, ``refresh-001`` ...; they are not kept if not given.
        settings: as for :func:`hardneg.mine`. A training that resumes needs ``overwrite=True`` if it keeps its runs.
        background: a second device, where a copy of the model mines while the training goes on. What it found comes
            into use at the next refresh, not at a moment that depends on its speed.
        steps: ``sources`` and ``filters``, as for :func:`hardneg.mine`.
    """

    def __init__(
        self, positives: Positives, live: Live, *, sampler: Any = "top(n=4, on_short=fill)", seed: int = 0,
        out: str | Path | None = None, settings: Settings | None = None, background: torch.device | str | None = None,
        **steps: Any,
    ) -> None:  # fmt: skip
        self.live, self.background, self.records = live, background, list[Refresh]()
        where = None if out is None else Path(out)
        self._anew = Anew(positives, {**steps, "sampler": sampler}, seed, where, settings or Settings())
        self.in_use = InUse(positives, torch.full((len(positives.anchors), self._anew.n), -1).share_memory_())
        self._number, self._mined_at, self._mined_with, self._resumed = 0, 0, "", False
        self._begun: InBackground | Found | None = None
        self._waiting = False  # whether something was begun, in any process

    @property
    def positives(self) -> Positives:
        """Who is positive for whom."""
        return self.in_use.positives

    @property
    def negatives(self) -> torch.Tensor:
        """Item rows, shape ``(anchors, n)``; -1 before the first mining, and for an anchor without positives."""
        return self.in_use.negatives

    @property
    def ready(self) -> bool:
        """Whether there are negatives."""
        return self._number > 0

    @property
    def fresh(self) -> bool:
        """Whether the negatives in use were mined with the weights that the model has now."""
        return self.ready and self._mined_with == self.live.version()

    def age(self, step: int) -> int:
        """How many steps old the negatives in use are."""
        return step - self._mined_at

    def refresh(self, step: int = 0, positives: Positives | None = None) -> Refresh:
        """Mine now, with the model as it is, and use what was found.

        Args:
            step: the number of the training step, for the account.
            positives: other relations from now on; items may have been added at the end.

        Raises what :func:`hardneg.mine` raises; the negatives are as they were then.
        """
        self.cancel()
        if positives is not None:
            self._anew.grown(positives)
            self.in_use.positives = positives
        return self._used(step, lambda: self._anew.mined(self.live, step, self._number, overwrite=self._resumed))

    def advance(self, step: int) -> Refresh | None:
        """What a trainer calls: mine now; or, in the background, use what was begun at the last call and begin anew.

        Gives None where nothing was begun before.
        """
        if self.background is None:
            return self.refresh(step)
        done = self.finish(step)
        self.start(step)
        return done

    def start(self, step: int) -> None:
        """Begin to mine in the background, with a copy of the model as it is now."""
        if self.background is None:
            raise InputError("There is no second device to mine on.", remedy="Give Refresher(..., background=device).")
        self.cancel()
        self._waiting = True
        if place()[0] == 0:
            copied = self.live.copied(self.background)
            self._begun = InBackground(self._anew, copied, step, self._number, overwrite=self._resumed)

    def finish(self, step: int) -> Refresh | None:
        """Wait for what was begun and use it; None where nothing was. Raises what the mining raised."""
        if not self._waiting:
            return None
        done = self._used(step, self._begun_found)
        self._begun, self._waiting = None, False
        return done

    def cancel(self) -> None:
        """Wait for what was begun, and drop it."""
        if isinstance(self._begun, InBackground):
            self._begun.stopped()
        self._begun, self._waiting = None, False

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed training needs to go on with the same negatives; waits for what is in the background."""
        begun = self._begun_found() if self._begun is not None else None
        guard = self._anew.guard
        return {
            "data": self._anew.data(),
            "negatives": self.negatives.clone(),
            "number": self._number,
            "mined_at": self._mined_at,
            "begun": None if begun is None else {"rows": torch.from_numpy(begun.rows), "step": begun.step},
            "guard": None if guard is None else torch.from_numpy(guard.probabilities),
            "held_out": None if guard is None else torch.from_numpy(guard.held_out),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the negatives of a ``state_dict``.

        Raises InputError where data, steps or seed are not those they were mined with.
        """
        if state["data"] != self._anew.data():
            raise InputError(
                "The saved negatives were mined from other data, or with other steps.",
                remedy="Give the same anchors, items, steps and seed, or mine anew with refresh().",
            )
        self.negatives.copy_(state["negatives"])
        self._number, self._mined_at, self._resumed = int(state["number"]), int(state["mined_at"]), True
        begun = state["begun"]
        self._begun = None if begun is None else Found(begun["rows"].numpy(), int(begun["step"]))
        self._waiting = begun is not None
        if state["guard"] is not None and self.positives.classes is not None:
            arrays = state["guard"].numpy(), state["held_out"].numpy()
            self._anew.guard = Predictions(*arrays, self.positives.classes.names)

    def _begun_found(self) -> Found:
        assert self._begun is not None  # noqa: S101 - asked only of the process that began it
        return self._begun.wait() if isinstance(self._begun, InBackground) else self._begun

    def _used(self, step: int, work: Any) -> Refresh:
        """Do the work in the first process, tell the others, and put the negatives in the place of the old ones."""
        found, error = None, None
        if place()[0] == 0:
            try:
                found = work()
            except Exception as raised:
                error = raised
        found = _agreed(found, error, tuple(self.negatives.shape))
        old, number = self.negatives.numpy(), self._number
        record = Refresh(
            number, found.step, step, found.run, found.encoded,
            _overlap(found.rows, old) if number else float("nan"),
            found.drift, found.filled, step - self._mined_at if number else float("nan"), found.seconds,
        )  # fmt: skip
        self.negatives.copy_(torch.from_numpy(found.rows))
        self._number, self._mined_at, self._mined_with = number + 1, found.step, found.version
        self.records.append(record)
        return record


def _agreed(found: Found | None, error: Exception | None, shape: tuple[int, ...]) -> Found:
    """What process 0 found, in all processes; where it failed, an error in all of them."""
    if place()[1] == 1:
        if error is not None:
            raise error
        assert found is not None  # noqa: S101 - one of them is there
        return found
    device = device_of_group()
    facts = torch.zeros(6, dtype=torch.float64, device=device)
    if found is not None:
        told = [1, found.step, found.encoded, found.drift, found.filled, found.seconds]
        facts = torch.tensor(told, dtype=torch.float64, device=device)
    good, step, encoded, drift, many, seconds = from_first(facts).tolist()
    if error is not None:
        raise error
    if not good:
        raise RunError("Process 0 could not mine new negatives. Its own message says why.")
    rows = torch.zeros(shape, dtype=torch.int64) if found is None else torch.from_numpy(found.rows)
    rows = from_first(rows.to(device)).cpu()
    return found or Found(rows.numpy(), int(step), "", None, int(encoded), drift, int(many), seconds)


def _overlap(new: IntArray, old: IntArray) -> float:
    """The share of the new negatives that the old ones had for the same anchor."""
    had = (new[:, :, None] == old[:, None, :]).any(axis=2) & (new >= 0)
    return float(had.sum() / max(1, (new >= 0).sum()))
