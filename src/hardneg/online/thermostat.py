"""One dial for how hard the negatives are, set by how many triplets still teach something.

The dial goes from 0 to 1 past four kinds of negatives; between two of them, some anchors have the one, some the other:

==== =========== ===================================================================================================
0    random      any negative, each as likely as the others
1/3  tempered    drawn with odds exp(score / temperature), so that noisy labels are not all there is (a softmax over
                 distances, as users of triplet-reid ask for)
2/3  semi-hard   the hardest below the positive, else the easiest (as sentence-transformers' batch semi-hard)
1    hardest     the hardest (Hermans 2017, arXiv 1703.07737, batch hard)
==== =========== ===================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hardneg import random
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.online.monitor import Alarm
from hardneg.online.relations import relations_of

__all__ = ["KINDS", "Thermostat", "pick"]

KINDS = ("random", "tempered", "semi-hard", "hardest")
_CELLS = 2**24  # scores that are in memory at one time


def pick(
    scores: Tensor, negative: Tensor, positive_scores: Tensor, dial: float, *, draws: tuple[Tensor, Tensor],
    temperature: float = 0.05,
) -> Tensor:  # fmt: skip
    """One negative for each row, its column, -1 for a row that has none; int64, shape ``(n,)``.

    Args:
        scores: of all candidates, higher is harder, shape ``(n, M)``.
        negative: which of them are negatives, bool, shape ``(n, M)``.
        positive_scores: the score of each row's positive, shape ``(n,)``.
        dial: from 0, random, to 1, hardest.
        draws: two random numbers in (0, 1) for each row: one decides the kind, one the negative.
        temperature: that of the tempered kind; the lower, the harder.

    >>> scores, half = torch.tensor([[0.1, 0.9, 0.4]]), torch.full((1,), 0.5)
    >>> [int(pick(scores, scores < 2, torch.tensor([0.5]), dial, draws=(half, half))) for dial in (2 / 3, 1)]
    [2, 1]
    """
    at = dial * (len(KINDS) - 1)
    kind = int(at) + (draws[0].to(scores.device) < at - int(at)).long()
    out = torch.full((len(scores),), -1, device=scores.device)
    kinds: tuple[Callable[..., Tensor], ...] = (_random, _tempered, _semi_hard, _hardest)
    for number, choose in enumerate(kinds):
        rows = ((kind == number) & negative.any(1)).nonzero()[:, 0]
        if len(rows):
            some = scores[rows], negative[rows], positive_scores[rows], draws[1].to(scores.device)[rows], temperature
            out[rows] = choose(*some)
    return out


class Thermostat:
    """A miner whose hardness follows the training: harder while most triplets are learnt, easier where it goes wrong.

    Call it as a miner of pytorch-metric-learning. It takes each pair of an anchor and a positive with one negative, as
    hard as the dial says. After each step tell it what share of the triplets was ``active``, that is, had
    a loss above 0: below ``low`` the dial goes up by ``step``, above ``high`` down. At an alarm of the
    :class:`~hardneg.online.Monitor` (collapse, over-hard, hubs, likely false negatives) the dial falls to a half of
    what it was and stays where it is, or lower, for ``rest`` steps. How many epochs there are does not matter.

    What is drawn depends on the seed, the step and the ids, or row numbers, of the pair alone.

    Args:
        start: where the dial is at first.
        low: active share below which negatives become harder.
        high: active share above which they become easier.
        step: how far the dial moves at a time.
        rest: after an alarm, for how many steps it does not go up.
        temperature: see :func:`pick`.
        seed: what the draws depend on.

    >>> thermostat = Thermostat(step=0.25)
    >>> thermostat.update(0.1), thermostat.update(0.1), thermostat.update(0.9)
    (0.25, 0.5, 0.25)
    """

    def __init__(
        self, start: float = 0.0, *, low: float = 0.3, high: float = 0.6, step: float = 0.01, rest: int = 100,
        temperature: float = 0.05, seed: int = 0,
    ) -> None:  # fmt: skip
        require(0 <= start <= 1, "start", "in [0, 1]", start)
        require(0 <= low < high <= 1, "low", "in [0, 1] and below 'high'", f"{low} and {high}")
        require(0 < step <= 1, "step", "in (0, 1]", step)
        require(rest >= 0, "rest", "at least 0", rest)
        require(temperature > 0, "temperature", "above 0", temperature)
        self.low, self.high, self.change, self.rest = low, high, step, rest
        self.temperature, self.seed = temperature, seed
        self.dial, self.step, self._resting = float(start), 0, 0

    @property
    def kind(self) -> str:
        """What the dial stands nearest to: random, tempered, semi-hard or hardest."""
        return KINDS[round(self.dial * (len(KINDS) - 1))]

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def __call__(
        self, embeddings: Tensor, labels: Any, ref_emb: Tensor | None = None, ref_labels: Any = None, *,
        ids: Tensor | None = None, ref_ids: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """Row numbers ``(a, p, n)``, int64: anchors in the batch, positives and negatives among the references.

        Args:
            embeddings: shape ``(B, d)``, compared by cosine.
            labels: as for :func:`hardneg.online.relations_of`.
            ref_emb: the references, shape ``(M, d)``; the batch itself if not given.
            ref_labels: theirs.
            ids: whole numbers that tell the examples apart, shape ``(B,)``: the draws do not depend on the order then,
                and what has the anchor's id is neither its positive nor its negative.
            ref_ids: those of the references.

        Raises InputError for embeddings that are not finite.
        """
        references = embeddings if ref_emb is None else ref_emb
        left, right = _directions(embeddings), _directions(references)
        relations = relations_of(labels, ref_labels)
        names = torch.arange(len(embeddings)) if ids is None else ids.cpu()
        theirs = ref_ids if ref_emb is not None else ids
        if ids is not None and theirs is not None:
            relations = relations.having(ids, theirs)
        ref_names = torch.arange(len(references)) if theirs is None else theirs.cpu()
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        block = max(1, _CELLS // max(1, len(references) * 8))  # about eight positives an anchor
        for start in range(0, len(embeddings), block):
            rows = slice(start, start + block)
            anchor, positive, negative = self._some(left[rows] @ right.T, relations.masks(rows), names[rows], ref_names)
            found.append((anchor + start, positive, negative))
        parts = zip(*found, strict=True) if found else [(torch.zeros(0, dtype=torch.int64),)] * 3
        anchors, positives, negatives = (torch.cat(part) for part in parts)
        return anchors, positives, negatives

    def update(self, active: float, alarms: Iterable[Alarm] = ()) -> float:
        """Turn the dial after a step; gives where it stands.

        Args:
            active: the share of the triplets with a loss above 0; NaN, for a step without triplets, turns nothing.
            alarms: what the monitor said.
        """
        require(math.isnan(active) or 0 <= active <= 1, "active", "in [0, 1]", active)
        self.step += 1
        self._resting = max(0, self._resting - 1)
        if any(one.too_hard for one in alarms):
            self.dial, self._resting = self.dial / 2, self.rest
        elif active > self.high:
            self.dial = max(0.0, self.dial - self.change)
        elif active < self.low and not self._resting:
            self.dial = min(1.0, self.dial + self.change)
        return self.dial

    def figures(self) -> dict[str, float]:
        """What to log: ``thermostat/dial``, and ``thermostat/resting``, the steps of rest that are left."""
        return {"thermostat/dial": self.dial, "thermostat/resting": float(self._resting)}

    def state_dict(self) -> dict[str, Any]:
        """Where the dial stands and what the next draws depend on."""
        return {"dial": self.dial, "step": self.step, "resting": self._resting}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state_dict``."""
        self.dial, self.step, self._resting = float(state["dial"]), int(state["step"]), int(state["resting"])

    def _some(self, scores: Tensor, masks: Any, names: Tensor, ref_names: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The triplets of some anchors."""
        anchor, positive = masks.positive.nonzero(as_tuple=True)
        counters = self.step, names[anchor.cpu()].numpy(), ref_names[positive.cpu()].numpy()
        draws = _draws(self.seed, 0, *counters), _draws(self.seed, 1, *counters)
        order = ref_names.argsort(stable=True).to(scores.device)  # so that a draw is the same in any order
        ordered, negative = scores[:, order], masks.negative[:, order]
        step = max(1, _CELLS // max(1, scores.shape[1]))
        chosen = [
            pick(ordered[a], negative[a], scores[a, p], self.dial, draws=(one, two), temperature=self.temperature)
            for a, p, one, two in zip(*(part.split(step) for part in (anchor, positive, *draws)), strict=True)
        ]
        columns = torch.cat(chosen) if chosen else anchor
        kept = columns >= 0
        return anchor[kept], positive[kept], order[columns[kept]]


def _draws(seed: int, *counters: Any) -> Tensor:
    return torch.from_numpy(np.atleast_1d(random.uniform(seed, *(np.asarray(one) for one in counters))))


def _directions(embeddings: Tensor) -> Tensor:
    wrong = ~embeddings.isfinite().all(1)
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} of {len(embeddings)} embeddings are NaN or infinite.",
            remedy="Lower the learning rate, clip gradients, or skip the step where mixed precision overflows.",
        )
    return torch.nn.functional.normalize(embeddings.float(), dim=1)


def _random(scores: Tensor, negative: Tensor, positive: Tensor, draw: Tensor, temperature: float) -> Tensor:  # noqa: ARG001
    place = (draw * negative.sum(1)).long().clamp(max=negative.sum(1) - 1)
    return (negative.cumsum(1) > place[:, None]).long().argmax(1)


def _tempered(scores: Tensor, negative: Tensor, positive: Tensor, draw: Tensor, temperature: float) -> Tensor:  # noqa: ARG001
    odds = (scores.double() / temperature).masked_fill(~negative, -math.inf).softmax(1).cumsum(1)
    chosen = (odds > draw[:, None] * odds[:, -1:]).long().argmax(1)
    return torch.where(negative.gather(1, chosen[:, None])[:, 0], chosen, _hardest(scores, negative))


def _semi_hard(scores: Tensor, negative: Tensor, positive: Tensor, draw: Tensor, temperature: float) -> Tensor:  # noqa: ARG001
    below = negative & (scores < positive[:, None])
    easiest = scores.masked_fill(~negative, math.inf).argmin(1)
    return torch.where(below.any(1), _hardest(scores, below), easiest)


def _hardest(scores: Tensor, negative: Tensor, *_: object) -> Tensor:
    return scores.masked_fill(~negative, -math.inf).argmax(1)
