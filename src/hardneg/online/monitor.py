"""Watches a training with mined negatives, and says in one line when it goes wrong and what to do.

Alarms come, once the window is full, where

- *collapse*: the loss stays within 2% of what it is when all embeddings are one (the margin of a triplet loss, ln 2 of
  the soft margin: Hermans 2017, arXiv 1703.07737, appendix D), or nearly all pairs lie closer together than 5% of the
  median norm;
- *over-hard*: more than half of the mined negatives are nearer to the anchor than its positive is;
- *hub*: one item is a negative of more than a tenth of the anchors, and of five times its even part;
- *false negatives*: a guard took more than a fifth of what was mined for unlabelled positives;
- *idle*: fewer than 2% of the triplets have a loss above 0, so that next to nothing is learnt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import IntArray

__all__ = ["Alarm", "Mined", "Monitor"]

STUCK, TOGETHER = 0.02, 0.05
MOST_HARD, MOST_SUSPECT, LEAST_ACTIVE = 0.5, 0.2, 0.02
MOST_OF_HUB, TIMES_EVEN, FEW_ANCHORS = 0.1, 5, 100
_ROWS = 512  # embeddings of a step whose distances are looked at
_PAIRS = 4096  # negatives of a step that are counted


@dataclass(frozen=True)
class Alarm:
    """What went wrong, ``str(alarm)`` in words; ``too_hard`` where easier negatives would help."""

    kind: str
    text: str

    @property
    def too_hard(self) -> bool:
        """Whether to back off: all but *idle*."""
        return self.kind != "idle"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Mined:
    """What was mined in a step.

    Args:
        positive: the score of each triplet's positive, higher is more alike, shape ``(t,)``.
        negative: that of its negative.
        anchors: whole numbers that tell the anchors apart over the steps, shape ``(t,)``; with ``items`` hubs are seen.
        items: likewise of the negatives.
        suspects: how many more negatives a guard held back.
    """

    positive: Tensor
    negative: Tensor
    anchors: Tensor | None = None
    items: Tensor | None = None
    suspects: int | None = None


class Monitor:
    """Figures over the last ``window`` steps, for any logger, and alarms in plain words.

    Args:
        margin: that of the triplet loss, in units of the scores; a triplet is active where ``negative - positive +
            margin`` is above 0. None for a loss without one. Of a loss on distances (:class:`TripletLoss`) give minus
            its distances for scores.
        stuck_at: the loss of a collapsed model, the margin if not given; ``math.log(2)`` for the soft margin, the
            logarithm of the number of candidates for a softmax.
        window: how many steps are looked at together.
        every: after how many steps figures are logged and alarms are looked for.
        log: a function that takes a dict of floats (``wandb.log``, ``trainer.log``), or what has ``add_scalar``
            (TensorBoard's ``SummaryWriter``).
        say: is given each alarm's line.

    >>> monitor = Monitor(margin=0.2, window=2, every=1)
    >>> for step in range(2):
    ...     alarms = monitor.observe(0.2)
    >>> [alarm.kind for alarm in alarms]
    ['collapse']
    """

    def __init__(
        self, *, margin: float | None = None, stuck_at: float | None = None, window: int = 50, every: int = 10,
        log: Any = None, say: Callable[[str], Any] | None = None,
    ) -> None:  # fmt: skip
        require(margin is None or margin > 0, "margin", "above 0", margin)
        require(window >= 1, "window", "at least 1", window)
        require(every >= 1, "every", "at least 1", every)
        self.margin, self.stuck_at = margin, margin if stuck_at is None else stuck_at
        self.window, self.every, self.step = window, every, 0
        self._log, self._say = _logger(log), say
        self._seen: deque[dict[str, float]] = deque(maxlen=window)
        self._pairs: deque[IntArray] = deque(maxlen=window)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def observe(
        self, loss: float | Tensor, embeddings: Tensor | None = None, triplets: Mined | None = None
    ) -> tuple[Alarm, ...]:  # fmt: skip
        """Take in a step; gives the alarms of the window every ``every`` steps, else none.

        Args:
            loss: of the step.
            embeddings: of the batch, as the loss gets them, shape ``(B, d)``.
            triplets: what was mined.
        """
        now = {"loss": float(loss.detach() if isinstance(loss, Tensor) else loss)}
        if embeddings is not None and len(embeddings) > 1:
            now |= _spread(embeddings)
        if triplets is not None:
            now |= self._of(triplets)
        self._seen.append(now)
        self._pairs.append(_pairs_of(triplets))
        self.step += 1
        if self.step % self.every:
            return ()
        figures = self.figures()
        if self._log is not None:
            self._log(figures, self.step)
        alarms = self._alarms(figures) if len(self._seen) == self.window else ()
        for one in alarms if self._say else ():
            self._say(str(one))  # type: ignore[misc]
        return alarms

    @property
    def active(self) -> float:
        """The active share of the last step's triplets; NaN where there were none, or no margin."""
        return self._seen[-1].get("active", float("nan")) if self._seen else float("nan")

    def figures(self) -> dict[str, float]:
        """Means over the window, by names that begin with ``monitor/``; what was not given is not there.

        ``loss``; ``active``, ``above_positive`` and ``suspects``, shares of the mined; ``norm`` and ``distance`` with
        percentiles 5, 50 and 95; ``hub``, the share of the anchors that have the commonest negative.
        """
        names = dict.fromkeys(name for one in self._seen for name in one)
        values = {name: [one[name] for one in self._seen if name in one] for name in names}
        figures = {f"monitor/{name}": float(np.mean(some)) for name, some in values.items()}
        if (hub := self._hub()) is not None:
            figures["monitor/hub"] = hub[1]
        return figures

    def state_dict(self) -> dict[str, Any]:
        """The window, so that a resumed training sees the same alarms."""
        pairs = np.concatenate([np.zeros((0, 2), np.int64), *self._pairs])
        lengths = [len(one) for one in self._pairs]
        return {"step": self.step, "seen": list(self._seen), "lengths": lengths, "pairs": torch.from_numpy(pairs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state_dict``."""
        self.step = int(state["step"])
        self._seen = deque(state["seen"], maxlen=self.window)
        ends = np.cumsum([0, *state["lengths"]])
        pairs = state["pairs"].numpy()
        self._pairs = deque((pairs[a:b] for a, b in pairwise(ends)), maxlen=self.window)

    def _of(self, triplets: Mined) -> dict[str, float]:
        count, now = len(triplets.positive), {}
        if len(triplets.negative) != count:
            raise InputError(f"There are {count} positives and {len(triplets.negative)} negatives of triplets.")
        if count:
            gap = (triplets.negative - triplets.positive).double()
            now["above_positive"] = float((gap > 0).double().mean())
            if self.margin is not None:
                now["active"] = float((gap + self.margin > 0).double().mean())
        if triplets.suspects is not None and count + triplets.suspects:
            now["suspects"] = triplets.suspects / (count + triplets.suspects)
        return now

    def _hub(self) -> tuple[int, float, float] | None:
        """The item that is a negative of most anchors, the share of them that have it, and what an even share is."""
        pairs = np.unique(np.concatenate([np.zeros((0, 2), np.int64), *self._pairs]), axis=0)
        anchors = len(np.unique(pairs[:, 0]))
        if anchors < FEW_ANCHORS:
            return None
        items, counts = np.unique(pairs[:, 1], return_counts=True)
        most = int(counts.argmax())
        return int(items[most]), float(counts[most] / anchors), float(counts.mean() / anchors)

    def _alarms(self, figures: dict[str, float]) -> tuple[Alarm, ...]:
        at = {name.removeprefix("monitor/"): value for name, value in figures.items()}
        hub = self._hub()
        found = [
            self._stuck(),
            _together(at),
            _over_hard(at),
            _hub_alarm(hub) if hub is not None else None,
            _false(at),
            _idle(at),
        ]
        return tuple(one for one in found if one is not None)

    def _stuck(self) -> Alarm | None:
        losses = np.array([one["loss"] for one in self._seen])
        if self.stuck_at is None or not (np.abs(losses - self.stuck_at) <= STUCK * abs(self.stuck_at)).all():
            return None
        return Alarm(
            "collapse",
            f"The loss has stayed at {self.stuck_at:.4g} for {self.window} steps, as if all embeddings were one. "
            "Lower the learning rate, and take easier negatives until it falls.",
        )


def _logger(log: Any) -> Callable[[dict[str, float], int], Any] | None:
    if log is None:
        return None
    if not hasattr(log, "add_scalar"):
        return lambda figures, step: log(figures)  # noqa: ARG005
    return lambda figures, step: [log.add_scalar(name, value, step) for name, value in figures.items()]


def _pairs_of(triplets: Mined | None) -> IntArray:
    """Anchors and negatives of a step, shape ``(t, 2)``; of many, some at even distances."""
    if triplets is None or triplets.anchors is None or triplets.items is None:
        return np.zeros((0, 2), np.int64)
    every = max(1, -(-len(triplets.anchors) // _PAIRS))
    pairs = torch.stack([triplets.anchors[::every], triplets.items[::every]], 1).cpu()
    return np.asarray(pairs.numpy(), np.int64)


def _spread(embeddings: Tensor) -> dict[str, float]:
    """Percentiles of the norms, and of the Euclidean distances of all pairs of some rows."""
    rows = embeddings[:: max(1, -(-len(embeddings) // _ROWS))].float()
    values = {"norm": rows.norm(dim=1), "distance": torch.pdist(rows)}
    return {
        f"{name}/p{percent}": float(np.percentile(some.cpu().numpy(), percent))
        for name, some in values.items()
        for percent in (5, 50, 95)
    }


def _together(at: Mapping[str, float]) -> Alarm | None:
    if "distance/p95" not in at or at["distance/p95"] >= TOGETHER * at["norm/p50"]:
        return None
    return Alarm(
        "collapse",
        f"95% of the pairs are closer than {at['distance/p95']:.3g} where norms are {at['norm/p50']:.3g}: collapsed. "
        "Go back to an earlier checkpoint, lower the learning rate, and take easier negatives.",
    )


def _over_hard(at: Mapping[str, float]) -> Alarm | None:
    if at.get("above_positive", 0) <= MOST_HARD:
        return None
    return Alarm(
        "over-hard",
        f"{at['above_positive']:.0%} of the mined negatives are nearer than the positive. "
        "Take semi-hard or tempered ones, and look at some by hand: many may be unlabelled positives.",
    )


def _hub_alarm(hub: tuple[int, float, float]) -> Alarm | None:
    item, share, even = hub
    if share <= MOST_OF_HUB or share <= TIMES_EVEN * even:
        return None
    return Alarm(
        "hub",
        f"Item {item} is a negative of {share:.0%} of the anchors. Look at it (an empty or broken one is near to "
        "everything), leave it out, or take tempered negatives.",
    )


def _false(at: Mapping[str, float]) -> Alarm | None:
    if at.get("suspects", 0) <= MOST_SUSPECT:
        return None
    return Alarm(
        "false negatives",
        f"A guard took {at['suspects']:.0%} of the mined negatives for unlabelled positives. "
        "Take easier negatives, and check labels among what it held back.",
    )


def _idle(at: Mapping[str, float]) -> Alarm | None:
    if at.get("active", 1) >= LEAST_ACTIVE:
        return None
    return Alarm(
        "idle",
        f"Only {at['active']:.1%} of the triplets have a loss above 0. Take harder negatives, or a larger margin.",
    )
